"""With a folder, the sandbox remembers: what it has answered is there after ``kill -9``."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from koppel_sandbox.exact.persistence import FILE, decode, encode
from koppel_sandbox.exact.seed import BAKERY, STUDIO, guid, seeded
from koppel_sandbox.exact.testing import SandboxServer

from .conftest import Login, sale

Start = Callable[[], "Process"]


class Process:
    """The sandbox as a person starts it."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "koppel_sandbox.exact", "--port", str(port), "--data", str(folder)]
        self.running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def login(self) -> Login:
        end = time.monotonic() + 20
        while True:
            try:
                httpx2.get(f"{self.url}/_control/requests", trust_env=False)
                break
            except httpx2.HTTPError:
                assert self.running.poll() is None, self.running.communicate()[1]
                assert time.monotonic() < end, "the sandbox does not answer"
                time.sleep(0.05)
        return Login(cast("SandboxServer", SimpleNamespace(url=self.url, state=None)))

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()
        assert self.running.stderr is not None
        self.running.stderr.close()


@pytest.fixture
def start(free_port: int, tmp_path: Path) -> Iterator[Start]:
    begun: list[Process] = []

    def begin() -> Process:
        begun.append(Process(free_port, tmp_path / "exact"))
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
    end = time.monotonic() + 10
    while not login.http.get("/_control/divisions/3090901/Entries").json():
        assert time.monotonic() < end
    # The lost answer told nobody; the next change that is answered takes what went before it along.
    control(login, "clock", advance_s=0)
    process.kill()
    again = start().login()
    again.http.headers |= {"Authorization": token, "Accept": "application/json"}
    assert len(again.rows("salesentry/SalesEntries", filter="YourRef eq 'F-9'")) == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "JSONDecodeError"),
        (lambda data: b"", "JSONDecodeError"),
        (lambda data: b"[]", "TypeError"),
        (lambda data: data.replace(b'"format":1', b'"format":99'), "format 99"),
        (lambda data: b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(
    start: Start, tmp_path: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    file = tmp_path / "exact" / FILE
    file.parent.mkdir()
    damaged = damage(encode(seeded()))
    file.write_bytes(damaged)
    process = start()
    _, complaint = process.running.communicate(timeout=20)
    assert process.running.returncode == 1
    assert str(file) in complaint
    assert said in complaint
    assert "Traceback" not in complaint
    assert file.read_bytes() == damaged


def test_a_write_that_was_cut_off_does_not_count(start: Start, tmp_path: Path) -> None:
    process = start()
    process.login().consent()
    process.kill()
    (tmp_path / "exact" / FILE).with_suffix(".new").write_bytes(b'{"format":1,"ah')
    assert start().login().consent().pair["access_token"]


def test_what_is_kept_is_what_was_known() -> None:
    state = seeded()
    state.divisions[BAKERY].last_number["700", 2026] = 26700007
    state.divisions[BAKERY].hidden_until[guid("late")] = 12.5
    again = decode(encode(state))
    assert again.divisions == state.divisions
    assert again.users == state.users
    assert json.loads(encode(again)) == json.loads(encode(state))
