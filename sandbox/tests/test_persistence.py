"""With a folder, the sandbox remembers: what it has answered is there after ``kill -9``."""

import gzip
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from koppel_sandbox.exact.persistence import FILE, FORMAT_1_FILE, StateStore
from koppel_sandbox.exact.rows import ChangeLog, rows_of, state_of
from koppel_sandbox.exact.seed import BAKERY, STUDIO, guid, seeded
from koppel_sandbox.exact.testing import SandboxServer
from koppel_sandbox.testing import SandboxProcess

from .conftest import Login, sale

Start = Callable[[], "Process"]
FORMAT_1 = gzip.decompress((Path(__file__).parents[2] / "tests/upgrade/exact.json.gz").read_bytes())
"""What the sandbox of an older version (commit f8dc02e) kept."""


class Process(SandboxProcess):
    """The sandbox as a person starts it."""

    def login(self) -> Login:
        self.wait()
        return Login(cast("SandboxServer", SimpleNamespace(url=self.url, state=None)))


@pytest.fixture
def start(free_port: int, tmp_path: Path) -> Iterator[Start]:
    begun: list[Process] = []

    def begin() -> Process:
        begun.append(Process("exact", free_port, tmp_path / "exact"))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()


def control(login: Login, action: str, **body: Any) -> Any:
    answer = login.http.post(f"/_control/{action}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_after_a_kill_everything_answered_is_there(start: Start) -> None:
    process = start()
    before = process.login().consent()
    spent = before.pair["refresh_token"]
    control(before, "clock", advance_s=580)
    before.pair = before.refresh(spent).json()
    before.http.headers["Authorization"] = f"Bearer {before.pair['access_token']}"
    control(before, "switches", early_refresh_status=401)
    control(before, "division", division=4000001, name="Nieuwe Klant BV")
    control(before, "user", user="an.peeters", deny=[[STUDIO, "crm/Accounts", "POST"]])
    relation = before.post("crm/Accounts", {"Name": "Slagerij Zuid"}).json()["d"]
    document = before.post("documents/Documents", {"Subject": "Factuur", "Type": 10}).json()["d"]
    attachment = {"Document": document["ID"], "FileName": "a.pdf", "Attachment": "JVBERi0="}
    assert before.post("documents/DocumentAttachments", attachment).status_code == 201
    entry = before.post("salesentry/SalesEntries", sale("F-1")).json()["d"]
    code = before.code()
    process.kill()

    after = start().login()
    after.http.headers.update(before.http.headers)
    after.http.headers["Host"] = httpx2.URL(after.server.url).netloc.decode()
    assert after.rows("crm/Accounts", filter=f"ID eq guid'{relation['ID']}'")[0]["Name"] == "Slagerij Zuid"
    assert after.rows("documents/Documents", filter=f"ID eq guid'{document['ID']}'")[0]["Subject"] == "Factuur"
    read = after.rows("salesentry/SalesEntries", filter="YourRef eq 'F-1'")[0]
    assert {name: read[name] for name in ("EntryID", "EntryNumber", "AmountFC", "EntryDate")} == {
        name: entry[name] for name in ("EntryID", "EntryNumber", "AmountFC", "EntryDate")
    }
    kept = after.http.get("/_control/divisions/3090901/DocumentAttachments").json()
    file = after.http.get("/docs/SysAttachment.aspx", params={"ID": kept[0]["ID"]})
    assert file.content == b"%PDF-"
    assert after.post("salesentry/SalesEntries", sale("F-2")).json()["d"]["EntryNumber"] == entry["EntryNumber"] + 1
    assert after.call("POST", "crm/Accounts", division=STUDIO, json={"Name": "Niet hier"}).status_code == 403
    assert after.call("POST", "crm/Accounts", division=4000001, json={"Name": "Hier wel"}).status_code == 201
    assert after.refresh(spent).json()["error_description"] == "Old refresh token used."
    early = after.refresh(before.pair["refresh_token"])
    assert (early.status_code, early.json()["error"]) == (401, "access_denied")
    assert after.exchange(code).status_code == 200
    control(after, "clock", advance_s=580)
    assert after.refresh(before.pair["refresh_token"]).status_code == 200


@pytest.mark.parametrize("fault", ["reset_after_commit", "half_answer_after_commit"])
def test_an_answer_that_got_lost_is_kept_too(start: Start, fault: str) -> None:
    process = start()
    login = process.login().consent()
    control(login, "faults", kind=fault, path="salesentry/SalesEntries", method="POST")
    with pytest.raises(httpx2.HTTPError):
        login.post("salesentry/SalesEntries", sale("F-9"))
    token = login.http.headers["Authorization"]
    end = time.monotonic() + 60
    while not login.http.get("/_control/divisions/3090901/Entries").json():
        assert time.monotonic() < end
    # The lost answer reached no caller; the next change that is answered takes what went before it along.
    control(login, "clock", advance_s=0)
    process.kill()
    again = start().login()
    again.http.headers |= {"Authorization": token, "Accept": "application/json"}
    assert len(again.rows("salesentry/SalesEntries", filter="YourRef eq 'F-9'")) == 1


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_answered(start: Start) -> None:
    process = start()
    login = process.login().consent()
    control(login, "switches", minute_limit=10**6)
    answered: list[str] = []

    def book_until_killed(worker: int) -> None:
        for number in range(10_000):
            reference = f"F-{worker}-{number}"
            try:
                answer = login.post("salesentry/SalesEntries", sale(reference))
            except httpx2.HTTPError:
                return
            assert answer.status_code == 201, answer.text
            answered.append(reference)

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(book_until_killed, worker) for worker in range(4)]
        end = time.monotonic() + 60
        while len(answered) < 40 and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        for each in workers:
            each.result()
    assert len(answered) >= 40
    books = start().login().http.get(f"/_control/divisions/{BAKERY}/Entries").json()
    assert set(answered) <= {entry["YourRef"] for entry in books}
    numbers = [entry["EntryNumber"] for entry in books]
    assert len(set(numbers)) == len(numbers)


def test_what_an_older_version_kept_is_read_once(start: Start, tmp_path: Path) -> None:
    old = tmp_path / "exact" / FORMAT_1_FILE
    old.parent.mkdir()
    old.write_bytes(FORMAT_1)
    process = start()
    login = process.login()
    kept = login.http.get(f"/_control/divisions/{BAKERY}/Entries").json()
    assert len(kept) == 3
    control(login, "record", division=BAKERY, table="Entries", where={"EntryID": kept[0]["EntryID"]}, delete=True)
    process.kill()
    again = start().login().http.get(f"/_control/divisions/{BAKERY}/Entries").json()
    assert [entry["EntryID"] for entry in again] == [entry["EntryID"] for entry in kept[1:]]
    assert old.read_bytes() == FORMAT_1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "JSONDecodeError"),
        (lambda data: b"", "JSONDecodeError"),
        (lambda data: b"[]", "TypeError"),
        (lambda data: data.replace(b'"format":1', b'"format":99'), "format 99"),
        (lambda data: b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_damaged_file_of_an_older_version_is_refused_and_left_alone(
    start: Start, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    file = tmp_path / "exact" / FORMAT_1_FILE
    file.parent.mkdir()
    file.write_bytes(damage(FORMAT_1))
    insist_on_refusal(start, file, message)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "DatabaseError"),
        (lambda data: b"", "format 0"),
        (lambda data: b"\xff\xfe\x00" * 100, "DatabaseError"),
        (lambda data: data.replace(b'["switches"]', b'["flippers"]'), "flippers"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(
    start: Start, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    file = tmp_path / "exact" / FILE
    StateStore(file.parent).close()
    file.write_bytes(damage(file.read_bytes()))
    insist_on_refusal(start, file, message)


def test_a_file_of_a_later_version_is_refused(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "exact" / FILE
    StateStore(file.parent).close()
    with sqlite3.connect(file) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    insist_on_refusal(start, file, "format 99")


def insist_on_refusal(start: Start, file: Path, message: str) -> None:
    damaged = file.read_bytes()
    process = start()
    _, complaint = process.running.communicate(timeout=20)
    assert process.running.returncode == 1
    assert str(file) in complaint
    assert message in complaint
    assert "Traceback" not in complaint
    assert file.read_bytes() == damaged


def test_a_file_that_was_never_finished_does_not_count(start: Start, tmp_path: Path) -> None:
    unfinished = (tmp_path / "exact" / FILE).with_suffix(".new")
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"SQLite format 3, cut off")
    assert start().login().consent().pair["access_token"]


def test_a_folder_that_cannot_be_written_is_named_at_the_start(free_port: int, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*("x" * 200 for _ in range(3)))  # SQLite takes no path of more than 512 bytes
    process = Process("exact", free_port, folder)
    _, complaint = process.running.communicate(timeout=20)
    assert process.running.returncode == 1
    assert str(folder) in complaint
    assert "Traceback" not in complaint


def test_what_is_kept_is_what_was_known() -> None:
    state = seeded()
    state.divisions[BAKERY].last_number["700", 2026] = 26700007
    state.divisions[BAKERY].hidden_until[guid("late")] = 12.5
    again = state_of(rows_of(state))
    assert again.divisions == state.divisions
    assert again.users == state.users
    assert list(rows_of(again)) == list(rows_of(state))


def test_a_change_writes_what_changed_however_much_is_kept() -> None:
    state = seeded()
    entries = [{"EntryID": guid(f"entry {number}"), "YourRef": str(number)} for number in range(5_000)]
    for entry in entries:
        state.divisions[BAKERY].put("Entries", entry["EntryID"], entry)
    log = ChangeLog(state)
    assert log.changes() == []
    state.divisions[BAKERY].put("Entries", guid("one more"), {"EntryID": guid("one more")})
    state.divisions[BAKERY].remove("Entries", entries[0]["EntryID"])
    kinds = [row.place.split(",")[0] for row in log.changes()]
    assert sorted(kinds) == ['["division"', '["record"', '["record"', '["record"']  # new, gone, and noted as gone
    assert log.changes() == []
