"""Walks over what stops a statement (``koppel_sandbox.walks``), done by ``tests/test_solvable_problems.py``.

A walk ends when the statement was handed on to the dossier's connection; what becomes of it there is another's.
"""

import itertools
from collections.abc import Callable
from typing import Any, Final

from koppel_coda import Statement
from koppel_sandbox.walks import SELLER, Case, NotHere, Step, Walk

from .samples import chain, coda, statement

TESTS: Final = "services/connector-coda/tests"
OTHER_HOLDER: Final = "0000000295"
_accounts = itertools.count(1)


def iban(case: Case) -> str:
    """Return an account that no other walk has."""
    if "iban" not in case.kept:
        number = f"000{next(_accounts):07}"
        bare = f"{number}{int(number) % 97 or 97:02}"
        case.kept["iban"] = f"BE{98 - int(bare + '111400') % 97:02}{bare}"
    return str(case.kept["iban"])


def of(case: Case, count: int, holder: str = SELLER, name: str = "Voorbeeld Drukkerij") -> list[Statement]:
    return chain(count, iban=iban(case), holder=holder, name=name)


def takes(data: Callable[[Case], bytes]) -> Step:
    """Hand a file in; from now on the walk is about it."""

    def step(case: Case) -> None:
        case.document_id = case.hand_in_content(data(case), "text/plain")

    return step


def the(number: int, **known: Any) -> Step:
    """Hand in the statement of a day."""
    return takes(lambda case: coda(of(case, 3, **known)[number - 1]))


def hands_in_what_is_missing(case: Case) -> None:
    """Hand in the second day; the walk stays with the third."""
    case.hand_in_content(coda(of(case, 3)[1]), "text/plain")


def accepts_the_gap(case: Case) -> None:
    path = f"/connector-coda/v1/dossiers/{case.dossier_id}/accounts/{iban(case)}/accept-gap"
    case.until(
        lambda: case.office.partner.post(path, json={"after": 1, "before": 3, "reason": "zoek"}).status_code == 200,
        "the gap is accepted",
    )


def let_go(case: Case) -> None:
    case.request("POST", f"/connector-coda/v1/documents/{case.document_id}/release", {"reason": "zo van de bank"})


def confirms_the_account(case: Case) -> None:
    path = f"/connector-coda/v1/dossiers/{case.dossier_id}/accounts/{iban(case)}/confirm"
    case.request("POST", path, {"reason": "zijn rekening"})


def takes_the_account_away(case: Case) -> None:
    path = f"/connector-coda/v1/dossiers/{case.dossier_id}/accounts/{iban(case)}/withdraw"
    case.request("POST", path, {"reason": "van zijn broer"})


def week(case: Case) -> bytes:
    """Return a file that tells two days again, otherwise."""
    one = of(case, 1)[0]
    changes: dict[str, Any] = {"day": 2, "coded_number": 9, "opened_on": one.old_balance.on}
    return coda(statement(9, 1000, 1, 2, iban=iban(case), holder=SELLER, **changes))


def wrong_total(case: Case) -> bytes:
    data = coda(of(case, 1)[0])
    changed = data.replace(b"0000000001001000", b"0000000001009000")
    assert changed != data
    return changed


def part_of_an_account(case: Case) -> bytes:
    data = coda(of(case, 1)[0])
    return data[:83] + b"00001" + data[88:]


def waits_until_handed_on(case: Case) -> None:
    case.until(lambda: handed_on(case, None), "it is handed on")


def another_dossier(case: Case) -> None:
    """Go on with a second dossier of the same company, which keeps its first for later."""
    case.kept["dossier"] = case.dossier_id
    case.dossier_id = case.add_dossier()


def goes_back(case: Case) -> None:
    case.dossier_id = case.kept["dossier"]


def handed_on(case: Case, seen: Any) -> bool:
    """The dossier's connection has it, and nothing of ours stands open."""
    return seen is None and case.delivery is not None


WALKS: Final[dict[str, Walk | NotHere]] = {
    "statement_gap": Walk(
        trouble=(the(1), the(3)), document=None, solve=(hands_in_what_is_missing,), ends=handed_on, detail=""
    ),
    "statement_overlap": Walk(
        trouble=(the(1), the(2), waits_until_handed_on, takes(week)), document=None, solve=(let_go,), ends=handed_on
    ),
    "statement_duplicate": NotHere(f"{TESTS}/test_order.py::test_the_same_statement_by_another_channel_goes_once"),
    "statement_late": Walk(
        trouble=(the(1), the(3), accepts_the_gap, waits_until_handed_on, the(2)),
        document=None,
        solve=(let_go,),
        ends=handed_on,
    ),
    "statement_incorrect": Walk(trouble=(takes(wrong_total),), document=None, solve=(let_go,), ends=handed_on),
    "statement_partial": Walk(trouble=(takes(part_of_an_account),), document=None, solve=(let_go,), ends=handed_on),
    "statement_unreadable": NotHere(
        "services/dossier-api/tests/test_intake.py::test_a_body_that_is_not_what_it_says_is_refused"
    ),
    "statement_not_exported": NotHere(
        f"{TESTS}/test_order.py::test_people_are_told_of_a_statement_that_nobody_exports"
    ),
    "account_withdrawn": Walk(
        trouble=(the(1), waits_until_handed_on, takes_the_account_away, the(2)),
        document=None,
        solve=(confirms_the_account,),
        ends=handed_on,
    ),
    "statements_crossed": NotHere(f"{TESTS}/test_order.py::test_two_files_that_wait_for_each_other_are_told"),
    "account_unknown": Walk(
        trouble=(the(1, holder="", name="D. Demo"),), document=None, solve=(confirms_the_account,), ends=handed_on
    ),
    "account_of_other_holder": Walk(
        trouble=(the(1, holder=OTHER_HOLDER, name="Exemple Conseil"),),
        document=None,
        solve=(confirms_the_account,),
        ends=handed_on,
    ),
    "account_of_other_dossier": Walk(
        trouble=(the(1), waits_until_handed_on, another_dossier, the(2)),
        document=None,
        solve=(goes_back, the(2)),
        ends=handed_on,
    ),
    "account_of_other_firm": NotHere(
        f"{TESTS}/test_accounts.py::test_an_entrepreneur_who_goes_to_another_office_takes_the_account_along"
    ),
}
