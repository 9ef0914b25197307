"""The health check: login, list, connect, bookyears, journals, VAT codes, each by itself, so that one click shows what is off."""

from collections.abc import AsyncIterator

from koppel_connector import CheckStep, Problem, Vendor, values
from koppel_connector.ledger.checks import journals_step, steps, vat_codes_step
from koppel_connector.ledger.records import readable
from koppel_mesh.clock import brussels_date, utc_now

from .api import Octopus
from .importing import row_of_dossier
from .master_data import Journal, VatCode, periods_in
from .settings import OctopusSettings

NEXT_YEAR_FROM_MONTH = 11
"""From November on a next bookyear that nobody opened is told (octopus §6)."""


async def health_check(vendor: Vendor[OctopusSettings]) -> AsyncIterator[CheckStep]:
    """Yield the steps in the order a person would repair them; each problem names the menu where it is repaired."""
    octopus, settings = Octopus(vendor), vendor.settings
    async for step in steps(
        login=lambda: _login(octopus),
        dossiers=lambda: _dossiers(octopus, settings),
        connect=lambda: _connect(octopus),
        bookyears=lambda: _bookyears(octopus),
        journals=lambda: _journals(octopus, settings),
        vat_codes=lambda: _vat_codes(octopus, settings),
    ):
        yield step


async def _login(octopus: Octopus) -> CheckStep:
    return CheckStep("login", True, detail=await octopus.whoami() or octopus.vendor.settings.user)


async def _dossiers(octopus: Octopus, settings: OctopusSettings) -> CheckStep:
    row = await row_of_dossier(octopus, settings.dossier_id)
    if row is None:
        return CheckStep("dossiers", False, Problem("dossier_not_listed", str(settings.dossier_id)))
    return CheckStep("dossiers", True, detail=values.text(row.get("dossierDescription")))


async def _connect(octopus: Octopus) -> CheckStep:
    return CheckStep("connect", bool(await octopus.connect()), detail=str(octopus.vendor.settings.dossier_id))


async def _bookyears(octopus: Octopus) -> CheckStep:
    today, rows = brussels_date(utc_now()), await octopus.bookyears()
    periods = [period for row in rows for period in periods_in(row)]
    if not any(period.starts_on <= today <= period.ends_on for period in periods):
        return CheckStep("bookyears", False, Problem("financial_year_missing", str(today.year)))
    detail = ", ".join(
        values.text(row.get("bookyearDescription")) for row in rows if not values.flag(row.get("closed"))
    )
    if today.month >= NEXT_YEAR_FROM_MONTH and max(period.ends_on for period in periods).year == today.year:
        detail += f"; {today.year + 1} is not open yet"
    return CheckStep("bookyears", True, detail=detail)


async def _journals(octopus: Octopus, settings: OctopusSettings) -> CheckStep:
    """Compare with the journals that Octopus has now, not with the imported ones: what is off may have changed since."""
    today = brussels_date(utc_now())
    periods = [period for row in await octopus.bookyears() for period in periods_in(row)]
    year = next((period.year for period in periods if period.starts_on <= today <= period.ends_on), None)
    if year is None:
        return CheckStep("journals", False, Problem("financial_year_missing", str(today.year)))
    journals = {each.code: each for each in readable(await octopus.journals(year), Journal.from_row)}
    return journals_step(lambda code: journals.get(code.strip()), settings.journals)


async def _vat_codes(octopus: Octopus, settings: OctopusSettings) -> CheckStep:
    codes = {each.code: each for each in readable(await octopus.vat_codes(), VatCode.from_row)}
    return vat_codes_step(codes, settings.vat_codes)
