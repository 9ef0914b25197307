"""What is imported: the dossiers that a login reaches, and the master data of one, per bookyear (octopus §2.1–2.6)."""

import re
from dataclasses import replace
from functools import partial

from koppel_connector import MasterData, values
from koppel_connector.contract import RemoteCompany, RemoteDossier, Vendor
from koppel_connector.ledger.dossiers import probed
from koppel_connector.ledger.records import readable, records_of
from koppel_mesh.clock import utc_now

from .api import Octopus
from .master_data import FINANCIAL, Journal, LedgerAccount, Relation, VatCode, bookyear_record
from .relation_search import note_import
from .rows import Row, iban_of, key_id
from .settings import OctopusSettings


async def master_data(vendor: Vendor[OctopusSettings]) -> MasterData:
    """Return the dossier's master data; accounts and journals of every bookyear that is not closed."""
    octopus, language = Octopus(vendor), vendor.settings.language
    rows = await octopus.bookyears()
    bookyears = readable(rows, bookyear_record)
    accounts, journals = [], []
    for bookyear in bookyears:
        if bookyear.data["closed"]:
            continue
        year = bookyear.year
        assert year is not None
        read = partial(LedgerAccount.read, language=language)
        accounts += [each.record(year) for each in readable(await octopus.accounts(year), read)]
        listed = readable(await octopus.journals(year), _journal)
        journals += [(await _with_iban(octopus, each, year)).record(year) for each in listed]
    vat_codes = records_of(readable(await octopus.vat_codes(), VatCode.from_row))
    asked_at = utc_now()
    relations = records_of(readable(await octopus.relations(), Relation.read))
    await note_import(vendor.memory, asked_at)
    return MasterData(
        relations=relations,
        ledger_accounts=tuple(accounts),
        journals=tuple(journals),
        vat_codes=vat_codes,
        other=tuple(bookyears),
    )


def _journal(row: Row) -> Journal:
    return Journal.from_row({**row, "iban": iban_of(row)})


async def _with_iban(octopus: Octopus, journal: Journal, bookyear: int) -> Journal:
    """Return a journal with its account; where the list does not tell that of a financial one, its details may.

    They are asked for where statements go, and a person has not said which journal is whose.
    """
    settings = octopus.vendor.settings
    is_said = journal.iban or journal.code in settings.statement_journals.values()
    if journal.code.startswith(FINANCIAL) and settings.send_coda and not is_said:
        return replace(journal, iban=await octopus.journal_iban(bookyear, journal.code))
    return journal


async def remote_company(vendor: Vendor[OctopusSettings]) -> RemoteCompany | None:
    """Return the company of the dossier with its VAT number, as the list of dossiers tells it."""
    row = await row_of_dossier(Octopus(vendor), vendor.settings.dossier_id)
    if row is None:
        return None
    number = re.sub(r"[^A-Z0-9]", "", values.text(row.get("vatNr")).upper())
    return RemoteCompany(values.text(row.get("dossierDescription")), (number,) if number else ())


async def row_of_dossier(octopus: Octopus, dossier_id: int | None) -> Row | None:
    """Return a dossier's row; None where the login does not reach it."""
    return next((row for row in await octopus.dossiers() if key_id(row.get("dossierKey")) == dossier_id), None)


async def remote_dossiers(vendor: Vendor[OctopusSettings]) -> list[RemoteDossier]:
    """Return the dossiers of the login; whether web services are on in one shows only when it is opened (octopus §2.1)."""
    octopus = Octopus(vendor)

    async def missing_in(dossier: RemoteDossier) -> str | None:
        await octopus.connect(int(dossier.id))
        return None

    return await probed(readable(await octopus.dossiers(), _dossier), missing_in)


def _dossier(row: Row) -> RemoteDossier:
    data = {"vat_number": values.text(row.get("vatNr")), "country": values.text(row.get("country"))}
    number = key_id(row.get("dossierKey"))
    if number is None:
        raise ValueError("a row of a dossier without dossierKey")
    return RemoteDossier(str(number), values.text(row.get("dossierDescription")), reachable=True, data=data)
