"""Bookyears, journals, accounts and VAT codes (octopus §2.2, §2.3, §2.5, §2.6): read only."""

from starlette.responses import Response

from koppel_sandbox.tables import Record, wire

from .call import DossierCall, answer
from .errors import Refusal
from .feeds import changed, some


def refuse_lists(call: DossierCall) -> None:
    """Refuse a plain list read where the dossier answers none (36)."""
    if call.books.dossier["@lists_refused"]:
        raise Refusal(400, call.switches.lists_refused_code, "list")


def bookyears(call: DossierCall) -> Response:
    """``GET …/bookyears`` (16)."""
    return answer([wire(year) for year in call.books.bookyears.values()])


def bookyear(call: DossierCall) -> Response:
    """``GET …/bookyears/{bookyear}``."""
    return answer(wire(_year(call)))


def journals(call: DossierCall) -> Response:
    """``GET …/bookyears/{bookyear}/journals``: those that were synchronised (17, 43)."""
    refuse_lists(call)
    year = _year(call)["bookyearKey"]["id"]
    return answer([wire(one) for one in _shown(call) if one["bookyearKey"]["id"] == year])


def journal(call: DossierCall) -> Response:
    """``GET …/bookyears/{bookyear}/journals/{key}``: the balance of a financial journal."""
    found = _journal(call, call.request.path_params["journal"])
    bank = call.books.bank_accounts.get(found["journalKey"])
    if bank is None:
        raise call.bad_data(-38, found["journalKey"])
    return answer({**_head(found), "balance": bank["balance"]})


def journal_details(call: DossierCall) -> Response:
    """``GET …/bookyears/{bookyear}/journals/{letter}/{seq}``: one journal, with its bank account where it has one."""
    path = call.request.path_params
    found = _journal(call, f"{path['letter']}{path['seq']}")
    bank = call.books.bank_accounts.get(found["journalKey"])
    account = {} if bank is None else {"ibanAccountNr": bank["iban"], "bicCode": bank["bic"]}
    return answer(wire(found) | account)


def journals_modified(call: DossierCall) -> Response:
    """``GET …/journals/modified``: of all bookyears."""
    return some([one for one in changed(call, call.books.journals) if not one["@hidden"]], -36)


def accounts(call: DossierCall) -> Response:
    """``GET …/accounts?bookyearId=``: of one bookyear, which must be named (18)."""
    refuse_lists(call)
    year = call.required_number("bookyearId")
    if str(year) not in call.books.bookyears:
        raise call.bad_data(-9, year)
    every = call.books.accounts.values()
    return answer([wire(one) for one in every if one["accountKey"]["bookyearKey"]["id"] == year])


def accounts_modified(call: DossierCall) -> Response:
    """``GET …/accounts/modified``: of all bookyears."""
    found = [wire(one) for one in changed(call, call.books.accounts)]
    if not found:
        raise Refusal(404, -44)
    return answer({"modified": found} if call.switches.accounts_feed_as_object else found)


def vat_codes(call: DossierCall) -> Response:
    """``GET …/vatcodes`` (19)."""
    return answer([wire(code) for code in call.books.vat_codes.values()])


def _year(call: DossierCall) -> Record:
    key = call.request.path_params["bookyear"]
    found = call.books.bookyears.get(str(key))
    if found is None:
        raise Refusal(404, -9, key)
    return found


def _shown(call: DossierCall) -> list[Record]:
    return [one for one in call.books.journals.values() if not one["@hidden"]]


def _journal(call: DossierCall, key: str) -> Record:
    year = _year(call)["bookyearKey"]["id"]
    found = call.books.journals.get(f"{year}/{key}")
    if found is None or found["@hidden"]:
        raise Refusal(404, -10, key)
    return found


def _head(journal: Record) -> Record:
    return {name: journal[name] for name in ("bookyearKey", "journalKey", "name", "currencyCode")}
