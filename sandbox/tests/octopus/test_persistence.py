"""With a folder, the sandbox remembers: what it has answered is there after ``kill -9``."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from koppel_sandbox.octopus.seed import BAKERY, USER
from koppel_sandbox.octopus.testing import SandboxServer
from koppel_sandbox.persistence import FILE
from koppel_sandbox.testing import SandboxProcess

from .conftest import Login, purchase, sale

Start = Callable[[], "Process"]
POSTS_PER_SECOND = 65
"""What the benchmarks send."""


class Process(SandboxProcess):
    """The sandbox as a person starts it."""

    def login(self) -> Login:
        self.wait()
        return Login(cast("SandboxServer", SimpleNamespace(url=self.url, state=None)))


@pytest.fixture
def start(free_port: int, tmp_path: Path) -> Iterator[Start]:
    begun: list[Process] = []

    def begin() -> Process:
        begun.append(Process("octopus", free_port, tmp_path / "octopus"))
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
    before = process.login().log_in()
    control(before, "clock", advance_s=86_400)
    before.log_in().connect(BAKERY)
    control(before, "switches", bad_login_code=-2)
    control(before, "journal", dossier=BAKERY, journal="V1", held_by="An Peeters")
    relation = {"name": "Slagerij Zuid", "vatType": 10}
    assert before.call("PUT", "/relations", json=relation).status_code == 201
    file = {"fileName": "a.pdf", "fileData": "JVBERi0="}
    assert before.book(attachments=[file]).status_code == 201
    control(before, "record", dossier=BAKERY, table="vat_codes", where={"code": "HVR"}, delete=True)
    ledger = before.ledger()
    process.kill()

    after = start().login()
    after.token, after.dossier, after.dossier_token = before.token, BAKERY, before.dossier_token
    assert after.ledger() == ledger
    assert after.rows("/relations", name="Slagerij Zuid")
    assert after.journal("A1")["lastBookedDocumentNr"] == 1
    assert after.book(sale()).json()["errorCode"] == -12
    assert "HVR" not in {row["code"] for row in after.rows("/vatcodes")}
    assert after.authenticate(password="wrong").json()["errorCode"] == -2
    assert after.connect(BAKERY).status_code == 200, "the login token lives on the sandbox's own clock"


def test_an_answer_that_got_lost_is_kept_too(start: Start) -> None:
    process = start()
    login = process.login().log_in()
    login.connect(BAKERY)
    control(login, "faults", kind="reset_after_commit", path="buysellbookings")
    with pytest.raises(httpx2.HTTPError):
        login.book()
    # The lost answer reached no caller; the next change that is answered takes what went before it along.
    control(login, "clock", advance_s=0)
    process.kill()
    again = start().login()
    again.dossier = BAKERY
    assert len(again.ledger()["bookings"]) == 1


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_answered(start: Start) -> None:
    process = start()
    login = process.login().log_in()
    login.connect(BAKERY)
    for worker in range(4):
        control(login, "journal", dossier=BAKERY, journal=f"A{worker + 5}")
    control(login, "synchronise", dossier=BAKERY)
    answered: list[str] = []

    def book_until_killed(worker: int) -> None:
        for number in range(1, 10_000):
            reference = f"F-{worker}-{number}"
            booking = purchase(comment=reference, documentSequenceNr=number, journalKey=f"A{worker + 5}")
            try:
                answer = login.book(booking)
            except httpx2.HTTPError:
                return
            assert answer.status_code == 201, answer.text
            answered.append(reference)

    with ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        workers = [pool.submit(book_until_killed, worker) for worker in range(4)]
        while len(answered) < 2 * POSTS_PER_SECOND and time.monotonic() < began + 20:
            time.sleep(0.01)
        process.kill()
        for each in workers:
            each.result()
    assert len(answered) >= 2 * POSTS_PER_SECOND
    again = start().login()
    again.dossier = BAKERY
    bookings = again.ledger()["bookings"]
    assert set(answered) <= {booking["comment"] for booking in bookings}
    assert len({booking["key"] for booking in bookings}) == len(bookings)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "DatabaseError"),
        (lambda data: b"", "format 0"),
        (lambda data: data.replace(b'["switches"]', b'["flippers"]'), "flippers"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(
    start: Start, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    process = start()
    control(process.login(), "user", user=USER, locked=True)
    process.kill()
    file = tmp_path / "octopus" / FILE
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    for beside in file.parent.glob(f"{FILE}-*"):
        beside.unlink()
    process = start()
    _, complaint = process.running.communicate(timeout=20)
    assert process.running.returncode == 1
    assert "sandbox Octopus" in complaint
    assert message in complaint
    assert "Traceback" not in complaint
    assert file.read_bytes() == damaged
