"""What is imported: the divisions that a login can reach, and the master data of one."""

from collections.abc import Sequence
from typing import Final

from koppel_connector import values
from koppel_connector.contract import (
    ActionRequired,
    MasterData,
    MasterRecord,
    Rejected,
    RemoteCompany,
    RemoteDossier,
    Vendor,
)
from koppel_connector.ledger.dossiers import probed
from koppel_connector.ledger.records import TypedRecord, readable, records_of
from koppel_connector.odata import Row

from . import answers, rights
from .api import DIVISIONS, JOURNALS, PAYMENT_CONDITIONS, VAT_CODES, Exact
from .master_data import Journal, LedgerAccount, PaymentCondition, Relation, VatCode

_SHOWN: Final = {
    "vat_number": "VATNumber",
    "currency": "Currency",
    "country": "Country",
}


async def master_data(exact: Exact) -> MasterData:
    """Return the division's master data; where a list is empty, the right to read it is checked first (§3.3)."""
    accounts, journals = await exact.ledger_accounts(), await exact.list_of(JOURNALS)
    vat_codes, relations = await exact.list_of(VAT_CODES), await exact.relations()
    # A new company has no relations. If only the right is missing, each of its relations would be created a second time.
    if not (accounts and journals and vat_codes and relations):
        lacking = await rights.missing(exact, rights.TO_IMPORT)
        if lacking:
            raise answers.refusal("missing_right", ", ".join(map(str, lacking)))
    return MasterData(
        relations=_records(Relation, relations),
        ledger_accounts=_records(LedgerAccount, accounts),
        journals=_records(Journal, journals),
        vat_codes=_records(VatCode, vat_codes),
        payment_conditions=_records(PaymentCondition, await exact.list_of(PAYMENT_CONDITIONS)),
    )


def _records(kind: type[TypedRecord], rows: Sequence[Row]) -> tuple[MasterRecord, ...]:
    return records_of(readable(rows, kind.from_row))


async def remote_company(exact: Exact) -> RemoteCompany | None:
    """Return the division's company with its VAT and chamber-of-commerce numbers."""
    row = await exact.company()
    if row is None:
        return None
    numbers = (values.text(row.get("VATNumber")), values.text(row.get("ChamberOfCommerceNumber")))
    return RemoteCompany(_name_of(row), tuple(filter(None, numbers)))


async def remote_dossiers(vendor: Vendor) -> list[RemoteDossier]:
    """Return every division granted to the app, each with the rights that the user lacks there."""

    async def missing_in(dossier: RemoteDossier) -> str | None:
        lacking = await rights.missing(Exact(vendor, int(dossier.id)), rights.TO_BOOK + rights.TO_STORE)
        return ", ".join(map(str, lacking)) or None

    return await probed([_division(row) for row in await _divisions(vendor)], missing_in)


async def _divisions(vendor: Vendor) -> list[tuple[Row, bool]]:
    """Ask ``system/Divisions`` on the current company, then ``hrm/Divisions``, then on the company set here (§3.2)."""
    current = values.decimal((await Exact(vendor).me()).get("CurrentDivision"))
    bases = [int(current)] if current else []
    bases += [vendor.settings.division] if vendor.settings.division and vendor.settings.division not in bases else []
    refused: ActionRequired | Rejected | None = None
    for base in bases:
        exact = Exact(vendor, base)
        for resource in DIVISIONS:
            try:
                if rows := await exact.list_of(resource):
                    return [(row, resource.startswith("system")) for row in rows]
            except (ActionRequired, Rejected) as failure:
                refused = failure
    if refused is not None:
        raise refused
    raise answers.refusal("no_division_access", "no company was granted to the app")


def _division(found: tuple[Row, bool]) -> RemoteDossier:
    row, system = found
    # The two resources count their Status differently: system 1 is active, hrm 0 is normal.
    active = values.integer(row.get("Status")) in (None, 1 if system else 0)
    free = not values.integer(row.get("BlockingStatus"))
    why = None if free else "company is temporarily blocked"
    if not active:
        why = "company is archived or inactive"
    data = {name: values.text(row.get(field)) for name, field in _SHOWN.items()}
    return RemoteDossier(values.text(row.get("Code")), _name_of(row), why is None, why, data)


def _name_of(row: Row) -> str:
    return values.text(row.get("Description")) or values.text(row.get("CustomerName"))
