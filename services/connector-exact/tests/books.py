"""Master data of a small Belgian company, as an import brings it, for the tests of the mapping."""

from decimal import Decimal

from connector_exact.master_data import Journal, LedgerAccount, Relation, VatCode
from koppel_connector.testing import MasterDataInProcess


def account(code: str, type_: int = 110, *, blocked: bool = False) -> LedgerAccount:
    return LedgerAccount(f"00000000-0000-4000-8000-{int(code):012d}", code, f"Account {code}", type_, blocked)


def journal(code: str, type_: int, *, blocked: bool = False, foreign: bool = True) -> Journal:
    return Journal(
        f"00000000-0000-4000-9000-{int(code):012d}", code, f"Journal {code}", type_, blocked, "EUR", foreign, foreign
    )


def vat(code: str, percentage: str, side: str = "S", type_: str = "E", **others: object) -> VatCode:
    fields: dict[str, object] = {"charged": False, "eu_listing": "N", "intrastat": False, "blocked": False} | others
    return VatCode(f"id-{code}", code, f"VAT {code}", code.ljust(3), Decimal(percentage), type_, side, **fields)  # type: ignore[arg-type]


def relation(code: str, name: str, **fields: object) -> Relation:
    given: dict[str, object] = {
        "vat_number": "",
        "enterprise_number": "",
        "country": "BE",
        "status": "C",
        "is_supplier": False,
        "blocked": False,
        "sales_account_id": None,
        "purchase_account_id": None,
    } | fields
    return Relation(f"00000000-0000-4000-a000-{int(code):012d}", code, name, **given)  # type: ignore[arg-type]


ACCOUNTS = [
    account("700000"),
    account("701000"),
    account("702000"),
    account("703000", blocked=True),
    account("604000", 111),
    account("400000", 20),
]
JOURNALS = [
    journal("700", 20),
    journal("710", 21),
    journal("600", 22),
    journal("610", 23),
    journal("720", 20),
    journal("900", 90),
]
VAT_CODES = [
    vat("21", "21"),
    vat("12", "12"),
    vat("6", "6"),
    vat("5.5", "5.5"),
    vat("0", "0"),
    vat("VM", "0", charged=True),
    vat("IC", "0", eu_listing="L"),
    vat("P21", "21", "P"),
    vat("P6", "6", "P"),
    vat("PM", "21", "P", charged=True),
    vat("PIC", "21", "P", charged=True, intrastat=True),
    vat("21I", "21", "S", "I"),
    vat("N", "0", "B", "N"),
]
RELATIONS = [
    relation("1", "Bakkerij Demo", vat_number="BE0404616494", sales_account_id=account("702000").id),
    relation("2", "Papier & Zn BV", enterprise_number="0403.170.701", is_supplier=True, status="A"),
    relation("3", "Dagontvangsten"),
]


def book() -> MasterDataInProcess:
    return MasterDataInProcess([kept.record() for kept in (*ACCOUNTS, *JOURNALS, *VAT_CODES, *RELATIONS)])
