"""What the import brings, what the login reaches, and what the health check tells."""

from collections.abc import Callable

import pytest

from connector_octopus.problems import PROBLEMS
from connector_octopus.settings import OctopusSettings
from koppel_connector import Booked
from koppel_sandbox.octopus import seed

from .documents import delivery
from .harness import CONNECTOR, DOSSIER, SETTINGS, Sandbox, Vendor


async def test_the_import_brings_what_people_choose_from(vendor: Vendor) -> None:
    data = await CONNECTOR.import_master_data(vendor)
    assert {record.year for record in data.ledger_accounts} == {2, 3}, "the first bookyear is closed"
    assert {record.code for record in data.journals} >= {"V1", "V2", "V3", "A1", "F1"}
    assert len(data.vat_codes) > 20
    assert {record.name for record in data.relations} >= {"Brasserie Het Anker BV"}
    assert [record.name for record in data.other] == ["2024", "2025", "2026"]


@pytest.mark.parametrize("code", [-79, -7, -9, -10, -16, -21])
async def test_lists_that_are_refused_are_read_from_their_feeds(vendor: Vendor, sandbox: Sandbox, code: int) -> None:
    plain = await CONNECTOR.import_master_data(vendor)
    sandbox.control("switches", lists_refused_code=code)
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=True)
    fed = await CONNECTOR.import_master_data(vendor)
    assert {record.code for record in fed.relations} == {record.code for record in plain.relations}
    for kind in ("ledger_accounts", "journals"):
        keys = [{(record.code, record.year) for record in getattr(data, kind)} for data in (plain, fed)]
        assert keys[0] == keys[1]
    _, seen = await vendor.book(delivery(vendor))
    assert isinstance(seen, Booked)


async def test_a_row_whose_key_is_odd_keeps_no_other_away(vendor: Vendor, sandbox: Sandbox) -> None:
    books, plain = sandbox.books, await CONNECTOR.import_master_data(vendor)
    account = next(one for one in books.accounts.values() if one["accountKey"]["bookyearKey"]["id"] == 3)
    books.accounts["odd"] = {**account, "accountKey": {**account["accountKey"], "id": "?"}}
    books.journals["odd"] = {**books.journals["3/V1"], "journalKey": None}
    books.relations["odd"] = {**next(iter(books.relations.values())), "relationIdentificationServiceData": None}
    assert await CONNECTOR.import_master_data(vendor) == plain


# ── the account of a financial journal (octopus §2.5) ──


async def ibans(sandbox: Sandbox, **settings: object) -> tuple[set[str], int]:
    """Import with statements; return the accounts of the financial journals, and how often details were asked for."""
    vendor = await sandbox.vendor(send_coda=True, **settings)
    data = await CONNECTOR.import_master_data(vendor)
    asked = sum(1 for call in vendor.calls if call.operation == "GET journals/details")
    await vendor.close()
    return {str(each.data["iban"]) for each in data.journals if each.code == "F1"}, asked


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, ""), (404, '{"errorCode": -10}'), (403, '{"errorCode": -3}'), (400, "{}"), (500, '{"errorCode": -36}')],
)
async def test_details_of_a_journal_that_are_refused_stop_no_import(sandbox: Sandbox, status: int, body: str) -> None:
    path = {"method": "GET", "path": "journals/F/"}
    sandbox.control("faults", kind="status", status=status, body=body, times=-1, **path)
    assert (await ibans(sandbox))[0] == {""}


async def test_an_account_that_the_list_tells_is_not_asked_for(sandbox: Sandbox) -> None:
    assert await ibans(sandbox) == ({seed.BAKERY_IBAN}, 2), "one for each open bookyear"
    for year in (2, 3):
        sandbox.books.journals[f"{year}/F1"]["iban"] = seed.STUDIO_IBAN
    assert await ibans(sandbox) == ({seed.STUDIO_IBAN}, 0)


async def test_a_journal_that_a_person_named_is_not_asked_for(sandbox: Sandbox) -> None:
    assert await ibans(sandbox, statement_journals={seed.BAKERY_IBAN: "F1"}) == ({""}, 0)


async def test_the_login_shows_its_dossiers_and_the_company(vendor: Vendor) -> None:
    found = {each.id: each for each in await CONNECTOR.remote_dossiers(vendor)}
    assert found[str(seed.STUDIO)].reachable
    company = await CONNECTOR.remote_company(vendor)
    assert company is not None
    assert company.numbers == ("BE0000000196",)
    assert await CONNECTOR.connected_user(vendor) == seed.USER


async def test_every_step_of_the_health_check_is_well(vendor: Vendor) -> None:
    steps = [step async for step in CONNECTOR.check(vendor)]
    assert [step.name for step in steps] == ["login", "dossiers", "connect", "bookyears", "journals", "vat_codes"]
    assert all(step.ok for step in steps), steps


UNWELL: list[tuple[str, Callable[[Sandbox], object], str]] = [
    ("dossiers", lambda box: box.control("user", user=seed.USER, dossiers=[seed.STUDIO]), "dossier_not_listed"),
    ("connect", lambda box: box.control("dossier", dossier=DOSSIER, disabled=True), "dossier_disabled"),
    (
        "bookyears",
        lambda box: box.control("bookyear", dossier=DOSSIER, bookyear=3, delete=True),
        "financial_year_missing",
    ),
]


@pytest.mark.parametrize(("step", "make_ill", "code"), UNWELL, ids=[each[0] for each in UNWELL])
async def test_a_step_of_the_health_check_names_its_fix_with_the_menu(
    vendor: Vendor, sandbox: Sandbox, step: str, make_ill: Callable[[Sandbox], object], code: str
) -> None:
    make_ill(sandbox)
    steps = {each.name: each async for each in CONNECTOR.check(vendor)}
    problem = steps[step].problem
    assert problem is not None
    assert problem.code == code
    kind = PROBLEMS[code]
    assert all("→" in sentence for sentence in (kind.nl, kind.fr, kind.en)), "the menu path"
    assert steps["login"].ok


@pytest.mark.parametrize(
    ("journals", "code"), [({"sale": "A1"}, "journal_wrong_type"), ({"sale": "V7"}, "journal_unknown")]
)
async def test_the_step_of_the_journals_names_the_menu(vendor: Vendor, journals: dict[str, str], code: str) -> None:
    vendor.settings = OctopusSettings.model_validate({**SETTINGS, "journals": journals})
    steps = {each.name: each async for each in CONNECTOR.check(vendor)}
    problem, kind = steps["journals"].problem, PROBLEMS[code]
    assert problem is not None
    assert (problem.code, problem.detail is not None) == (code, True)
    assert all("→" in sentence for sentence in (kind.nl, kind.fr, kind.en))


async def test_the_health_check_asks_octopus_and_not_the_import(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.books.journals["3/V1"]["closed"] = True
    del sandbox.books.vat_codes["0VR"]
    steps = {each.name: each async for each in CONNECTOR.check(vendor)}
    problems = {name: step.problem.code for name, step in steps.items() if step.problem is not None}
    assert problems == {"journals": "journal_blocked", "vat_codes": "unknown_vat_code"}
    # What was repaired since the import is well.
    vendor.master_data = type(vendor.master_data)()
    sandbox.books.journals["3/V1"]["closed"] = False
    assert {each.name: each.ok async for each in CONNECTOR.check(vendor)}["journals"]
