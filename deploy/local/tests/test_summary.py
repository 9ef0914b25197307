"""What the demo prints: the matrix *document × target*, and in the last line what came to its end."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from koppel_local.printing import result_table, summary
from koppel_local.sending import Outcome, Sending


def sent(name: str, state: str, *outcomes: Outcome, **fields: Any) -> Sending:
    return Sending(Path(name), document_id=name, state=state, outcomes=outcomes, is_with_all=True, **fields)


IN_THE_BOOKS = Outcome("connector-exact", "booked", entry_number="26700001")
BOOKED = sent("a.xml", "booked", IN_THE_BOOKS, booked_at_s=108.26)
EARLIER = sent("b.xml", "booked", IN_THE_BOOKS)
BLOCKED = sent("c.xml", "filed", Outcome("connector-exact", "blocked"))
STATEMENT = sent("d.cod", "filed", is_statement=True)
BY_MAIL = sent("e.xml", "exported", Outcome("billmail", "exported", ends_as="exported"))
IN_ONE_OF_TWO = sent("f.xml", "booked", IN_THE_BOOKS, Outcome("connector-octopus", "exported"))
NOT_WITH_ALL = Sending(Path("g.xml"), document_id="g", state="exported", outcomes=BY_MAIL.outcomes)
TAKEN_BY_NONE = sent("h.xml", "filed")


def test_it_says_when_the_first_was_booked() -> None:
    told = summary([BOOKED, EARLIER, BLOCKED, STATEMENT], 100.0)
    assert (
        told
        == "3 of 4 documents are where they were to end, 1 waits for a person, the first booked 8.3 s after the start."
    )


def test_it_says_that_an_earlier_run_booked_them() -> None:
    assert summary([EARLIER, BLOCKED], 100.0) == (
        "1 of 2 documents are where they were to end, 1 waits for a person, all of them by an earlier run."
    )


def test_it_says_that_none_is_booked() -> None:
    assert summary([BLOCKED], 100.0) == "0 of 1 documents are where they were to end, 1 waits for a person."


def test_a_mailbox_tells_no_booking_and_a_package_that_does_is_waited_for() -> None:
    assert (BY_MAIL.is_settled, BY_MAIL.is_done) == (True, True)
    assert (IN_ONE_OF_TWO.is_settled, IN_ONE_OF_TWO.is_done) == (False, False)


def test_a_document_is_not_done_before_every_connection_said_something() -> None:
    assert (NOT_WITH_ALL.is_settled, NOT_WITH_ALL.is_done) == (False, False)


def test_a_statement_may_be_taken_by_no_connection_or_wait_for_its_turn() -> None:
    assert (STATEMENT.is_settled, STATEMENT.is_done) == (True, True)
    waiting = sent("i.cod", "filed", Outcome("connector-octopus", "ready"), is_statement=True)
    refused = sent("j.cod", "filed", Outcome("connector-octopus", "blocked"), is_statement=True)
    assert (waiting.is_done, refused.is_done) == (True, False)
    assert (TAKEN_BY_NONE.is_settled, TAKEN_BY_NONE.is_done) == (True, False)


def test_each_target_has_a_column() -> None:
    printed = io.StringIO()
    Console(file=printed, width=120).print(result_table([IN_ONE_OF_TWO, BY_MAIL, STATEMENT]))
    rows = [line.split() for line in printed.getvalue().splitlines()]
    assert rows[0] == ["document", "state", "billmail", "connector-exact", "connector-octopus", "findings", "problem"]
    assert rows[1:] == [
        ["f.xml", "booked", "booked", "26700001", "exported"],
        ["e.xml", "exported", "exported"],
        ["d.cod", "filed"],
    ]
