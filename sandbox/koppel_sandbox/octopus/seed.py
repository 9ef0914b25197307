"""What a sandbox Octopus begins with: one software house, users, and dossiers with books that are set up and empty."""

from calendar import monthrange
from decimal import Decimal
from typing import Final

from koppel_sandbox.tables import Record
from koppel_sandbox.tills import DRAWER_IBAN

from . import chart
from .authentication import CONNECT
from .relations import BLANK
from .state import Books, State

SOFTWARE_HOUSE: Final = "7d1f3c0a-52b8-4e0e-9a64-2f6f0c9b4d11"
USER: Final = "B012345"
PASSWORD: Final = "s3cret"  # noqa: S105 - a fake vendor's
CLERK: Final = "Sub@B012345"
"""A sub-user who reaches one dossier."""
BAKERY: Final = 40117
STUDIO: Final = 40118
NO_RIGHTS: Final = 40119
"""Listed; the user may not connect it, nor book in it."""
NO_WEBSERVICE: Final = 40120
"""Not listed; the user has no access to web services in it."""
OLD_YEAR: Final = 40121
"""A test dossier whose only bookyear is 2000 (octopus §2.2)."""
TILLS: Final = 40122
BAKERY_IBAN: Final = "BE68539007547034"
STUDIO_IBAN: Final = "BE71096123456769"
OPENING_BALANCE: Final = Decimal("1000.00")
_OPEN_YEARS = {1: 2024, 2: 2025, 3: 2026}
_RELATIONS = (
    ("Brasserie Het Anker BV", "BE0403.227.515", "Guido Gezellelaan 49", "2800", "Mechelen", "BE", 1, True, False),
    ("Drukkerij Vlaskaai NV", "BE0876543270", "Vlaskaai 12", "9000", "Gent", "BE", 1, False, True),
    ("Maalderij De Molen NV", "BE 0831 797 467", "Dijkweg 40", "8500", "Kortrijk", "BE", 1, False, True),
    ("Boulangerie Lafleur SARL", "FR40303265045", "Rue du Four 3", "59000", "Lille", "FR", 4, True, True),
    ("Jan Janssens", "", "Kerkstraat 1", "9000", "Gent", "BE", 7, True, False),
)


def seeded() -> State:
    """Return a fresh sandbox."""
    state = State()
    state.tables["software_houses"][SOFTWARE_HOUSE] = {"name": "Koppel", "enabled": True, "redirect_uris": []}
    dossiers = [BAKERY, STUDIO, TILLS, NO_RIGHTS, NO_WEBSERVICE, OLD_YEAR]
    _add_user(
        state,
        USER,
        dossiers,
        denied=[[NO_RIGHTS, CONNECT], [NO_RIGHTS, "buysellbookings"]],
        without_webservice=[NO_WEBSERVICE],
    )
    _add_user(state, CLERK, [STUDIO])
    _add_user(state, "U054321", [BAKERY], module=False)
    add_dossier(state, BAKERY, "Bakkerij Demo BV", "BE0793.904.121", iban=BAKERY_IBAN)
    add_dossier(state, STUDIO, "Studio Noord BV", "BE 0836 836 222", iban=STUDIO_IBAN, months=1)
    add_dossier(state, TILLS, "Bakkerij Korenbloem BV", "BE0709876583", iban=DRAWER_IBAN, opening=Decimal("150.00"))
    add_dossier(state, NO_RIGHTS, "Garage De Kroon BV", "BE0456789034", years={1: 2026})
    add_dossier(state, NO_WEBSERVICE, "Apotheek Zuid BV", "BE0402206045", years={1: 2026})
    add_dossier(state, OLD_YEAR, "Testdossier", "", years={1: 2000})
    return state


def _add_user(
    state: State,
    name: str,
    dossiers: list[int],
    *,
    module: bool = True,
    denied: list[list[object]] | None = None,
    without_webservice: list[int] | None = None,
) -> None:
    state.tables["users"][name] = {
        "user": name,
        "password": PASSWORD,
        "locked": False,
        "wrong_passwords": 0,
        "module": module,
        "dossiers": dossiers,
        "without_webservice": without_webservice or [],
        "denied": denied or [],
    }


def add_dossier(
    state: State,
    number: int,
    name: str,
    vat_number: str,
    *,
    years: dict[int, int] | None = None,
    months: int = 3,
    iban: str = "",
    opening: Decimal = OPENING_BALANCE,
) -> Books:
    """Add a dossier with its books; a period has so many months. Its bank account, with ``iban``, opens with ``opening``."""
    state.tables["dossiers"][str(number)] = {
        "dossierKey": {"id": number},
        "dossierDescription": name,
        "vatNr": vat_number,
        "streetAndNr": "Molenstraat 12",
        "postalCode": "9000",
        "city": "Gent",
        "country": "BE",
        "url": "",
        "email": f"info@{number}.example",
        "corporationTypeKey": {"id": 8},
        "languageCode": "nl",
        "@module": True,
        "@bank_module": True,
        "@dms": True,
        "@lists_refused": False,
        "@disabled": False,
    }
    books = state.books(number)
    for code, description, kind, percentage, account in chart.VAT_CODES:
        books.vat_codes[code] = {
            "code": code,
            "description": description,
            "type": kind,
            "basePercentage": Decimal(percentage),
            "defaultSellBookingAccountNr": account,
        }
    for key, row in enumerate(_RELATIONS, start=1):
        books.put(books.relations, str(key), _relation(key, *row))
    if iban:
        bank_account = {"journalKey": "F1", "iban": iban, "bic": "GKCCBEBB", "balance": opening}
        books.bank_accounts["F1"] = bank_account
    for year_id, year in (years or _OPEN_YEARS).items():
        add_bookyear(books, year_id, year, months=months, closed=years is None and year == min(_OPEN_YEARS.values()))
    return books


def add_bookyear(books: Books, year_id: int, year: int, *, months: int = 3, closed: bool = False) -> None:
    """Open a calendar year with its periods, and the journals and accounts that it does not have."""
    periods = [
        {
            "bookyearPeriod": year * 100 + ordinal,
            "startDate": f"{year}-{first:02d}-01",
            "endDate": f"{year}-{first + months - 1:02d}-{monthrange(year, first + months - 1)[1]}",
        }
        for ordinal, first in enumerate(range(1, 13, months), start=1)
    ]
    books.bookyears[str(year_id)] = {
        "bookyearKey": {"id": year_id},
        "bookyearDescription": str(year),
        "startDate": f"{year}-01-01",
        "endDate": f"{year}-12-31",
        "closed": closed,
        "periods": periods,
    }
    for key, name, insertion_type in chart.JOURNALS:
        if f"{year_id}/{key}" not in books.journals:
            add_journal(books, year_id, key, name, insertion_type=insertion_type)
    for account in chart.ACCOUNTS:
        if f"{year_id}/{account.number}" not in books.accounts:
            _add_account(books, year_id, account)


def add_journal(
    books: Books, year_id: int, key: str, name: str, *, insertion_type: int = 1, hidden: bool = False
) -> None:
    """Add a journal; hidden, until it is synchronised (43)."""
    record = {
        "bookyearKey": {"id": year_id},
        "journalKey": key,
        "name": name,
        "closed": False,
        "currencyCode": "EUR",
        "lastBookedDocumentNr": 0,
        "protectedPeriod": 0,
        "closedPeriod": 0,
        "insertionType": insertion_type,
        "customFieldList": [],
        "customFieldLineList": [],
        "@hidden": hidden,
        "@held_by": "",
    }
    books.put(books.journals, f"{year_id}/{key}", record)


def _add_account(books: Books, year_id: int, account: chart.SeededAccount) -> None:
    record = {
        "accountKey": {"bookyearKey": {"id": year_id}, "id": account.number},
        "description": {
            "description_NL": account.nl,
            "description_FR": account.fr,
            "description_EN": account.en,
        },
        "costCentreType": 0,
        "vatRecupPercentage": Decimal(account.vat_recoverable),
        "fiscProfessionalPercentage": Decimal(account.deductible),
        "fiscRecupPercentage": Decimal(account.deductible),
        "@header": account.number < 100_000,
    }
    codes = {"purchaseVatCode": account.purchase_vat, "salesVatCode": account.sales_vat}
    record |= {name: code for name, code in codes.items() if code is not None}
    books.put(books.accounts, f"{year_id}/{account.number}", record)


def _relation(
    key: int,
    name: str,
    vat_number: str,
    street: str,
    postal_code: str,
    city: str,
    country: str,
    vat_type: int,
    client: bool,
    supplier: bool,
) -> Record:
    return {
        **BLANK,
        "relationIdentificationServiceData": {"relationKey": {"id": key}, "externalRelationId": 0},
        "name": name,
        "vatNr": vat_number,
        "streetAndNr": street,
        "postalCode": postal_code,
        "city": city,
        "country": country,
        "vatType": vat_type,
        "client": client,
        "supplier": supplier,
        "expirationDays": 30,
        "corporationType": 8 if vat_number else 0,
    }
