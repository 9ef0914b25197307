"""A Belgian accountant's office at Exact: two client companies it works in, one it may not enter, one it did not grant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from koppel_sandbox.tills import DRAWER_IBAN

from .accounts import padded
from .state import App, Division, State, User

CLIENT_ID = "koppel-sandbox"
CLIENT_SECRET = "koppel-sandbox-secret"  # noqa: S105 - the sandbox's own, known to everybody
WEBHOOK_SECRET = "koppel-sandbox-webhook-secret"  # noqa: S105
BAKERY, STUDIO, NO_RIGHTS, NOT_GRANTED, TILLS = 3090901, 3090902, 3090903, 3090904, 3090905
_BORN = datetime(2024, 1, 1, tzinfo=UTC)
Line = tuple[str, str, dict[str, object]]
"""A table, the key in it, and what stands there."""

JOURNALS = (
    ("700", "Verkopen", 20),
    ("710", "Creditnota's verkoop", 21),
    ("720", "Dagontvangsten", 20),
    ("730", "Dagontvangsten Brussel", 20),
    ("600", "Aankopen", 22),
    ("610", "Creditnota's aankoop", 23),
    ("550", "KBC", 12),
    ("570", "Kas", 10),
    ("900", "Diverse posten", 90),
)
BANK_JOURNAL = 12
BANK_ACCOUNT = "BE68539007547034"
"""Of the bank journal of a company."""
LEDGER_ACCOUNTS = (
    ("240000", "Meubilair en kantoormaterieel", 30),
    ("241000", "Rollend materieel", 30),
    ("400000", "Handelsdebiteuren", 20),
    ("411000", "Terug te vorderen btw", 24),
    ("440000", "Leveranciers", 22),
    ("451000", "Verschuldigde btw", 24),
    ("451100", "Btw verlegd", 24),
    ("499000", "Wachtrekening", 90),
    ("550000", "KBC zichtrekening", 12),
    ("570000", "Kas", 10),
    ("600000", "Aankopen grondstoffen", 111),
    ("601000", "Aankopen hulpstoffen", 111),
    ("604000", "Aankopen handelsgoederen", 111),
    ("610000", "Huur", 121),
    ("611000", "Onderhoud en herstellingen", 121),
    ("612000", "Elektriciteit", 121),
    ("612100", "Gas en water", 121),
    ("612300", "Telefoon en internet", 121),
    ("612500", "Kantoorbenodigdheden", 121),
    ("613000", "Verzekeringen", 121),
    ("613200", "Erelonen boekhouder", 121),
    ("613500", "Software en licenties", 121),
    ("614000", "Reclame", 121),
    ("615000", "Brandstof", 121),
    ("615500", "Reis- en verblijfkosten", 121),
    ("616000", "Verpakking en vervoer", 121),
    ("620000", "Bezoldigingen", 121),
    ("640000", "Bedrijfsbelastingen", 121),
    ("650000", "Kosten van schulden", 121),
    ("657000", "Betalingsverschillen", 121),
    ("700000", "Omzet", 110),
    ("700100", "Omzet brood en gebak", 110),
    ("700200", "Omzet diensten", 110),
    ("701000", "Omzet dagontvangsten", 110),
    ("702000", "Omzet verlegd", 110),
    ("703000", "Omzet intracommunautair", 110),
    ("704000", "Omzet export", 110),
    ("708000", "Kortingen", 110),
    ("740000", "Diverse opbrengsten", 110),
    ("756000", "Afrondingsverschillen", 110),
    ("604900", "Aankopen geblokkeerd", 111),
)
VAT_CODES = (
    # code, description, percentage, type, transaction type, charged, EU sales listing
    ("0", "Verkoop 0%", "0", "E", "S", False, "N"),
    ("6", "Verkoop 6%", "0.06", "E", "S", False, "N"),
    ("12", "Verkoop 12%", "0.12", "E", "S", False, "N"),
    ("21", "Verkoop 21%", "0.21", "E", "S", False, "N"),
    ("MC", "Verkoop medecontractant", "0", "B", "S", True, "N"),
    ("ICL", "Intracommunautaire levering goederen", "0", "B", "S", False, "L"),
    ("ICD", "Intracommunautaire diensten", "0", "B", "S", False, "S"),
    ("ICT", "Driehoeksverkeer", "0", "B", "S", False, "T"),
    ("EXP", "Uitvoer", "0", "B", "S", False, "N"),
    ("VRY", "Vrijgesteld verkoop", "0", "N", "S", False, "N"),
    ("I21", "Verkoop 21% inclusief", "0.21", "I", "S", False, "N"),
    ("P0", "Aankoop 0%", "0", "E", "P", False, "N"),
    ("P6", "Aankoop 6%", "0.06", "E", "P", False, "N"),
    ("P12", "Aankoop 12%", "0.12", "E", "P", False, "N"),
    ("P21", "Aankoop 21%", "0.21", "E", "P", False, "N"),
    ("PMC", "Aankoop medecontractant", "0.21", "E", "P", True, "N"),
    ("PIC", "Intracommunautaire verwerving", "0.21", "E", "P", True, "L"),
    ("PID", "Intracommunautaire diensten ontvangen", "0.21", "E", "P", True, "S"),
    ("PIN", "Invoer met verlegging", "0.21", "E", "P", True, "N"),
    ("PVR", "Vrijgesteld aankoop", "0", "N", "P", False, "N"),
)
PAYMENT_CONDITIONS = (
    ("00", "Contant", 0),
    ("08", "8 dagen", 8),
    ("15", "15 dagen", 15),
    ("30", "30 dagen", 30),
    ("60", "60 dagen", 60),
)
DOCUMENT_TYPES = ((10, "Verkoopfactuur"), (20, "Aankoopfactuur"), (55, "Diverse"), (130, "Bankafschrift"))
RELATIONS = (
    # code, name, VAT number, status, supplier, blocked
    ("1", "Brasserie Het Anker BV", "BE0440966354", "C", False, False),
    ("2", "Maalderij De Molen NV", "BE0831797467", "A", True, False),
    ("3", "Geblokkeerde Klant BV", "BE1234567894", "C", False, True),
    ("4", "Prospect Zonder Orders BV", "BE0000000097", "P", False, False),
)


def seeded() -> State:
    """Return a sandbox as it is at the start."""
    state = State()
    state.apps[CLIENT_ID] = App(
        CLIENT_ID, CLIENT_SECRET, WEBHOOK_SECRET, ["https://koppel.example/connector-exact/oauth/callback"]
    )
    for code, name, number in (
        (BAKERY, "Bakkerij Demo BV", "BE0793904121"),
        (STUDIO, "Studio Noord BV", "BE0836836222"),
        (TILLS, "Bakkerij Korenbloem BV", "BE0709876583"),
        (NO_RIGHTS, "Garage Zonder Rechten BV", "BE0440966354"),
        (NOT_GRANTED, "Advies Niet Gegund BV", "BE0831797467"),
    ):
        state.divisions[code] = division(code, name, number)
    user = User(
        guid("user an.peeters"),
        "an.peeters",
        "An Peeters",
        "nl-BE",
        divisions=set(state.divisions),
        granted={BAKERY, STUDIO, TILLS, NO_RIGHTS},
        current_division=BAKERY,
    )
    user.denied = {
        (NO_RIGHTS, resource, method)
        for resource in (
            "salesentry/SalesEntries",
            "purchaseentry/PurchaseEntries",
            "documents/Documents",
            "crm/Accounts",
            "financial/GLAccounts",
        )
        for method in ("GET", "POST")
    }
    state.users[user.id] = user
    return state


def division(code: int, name: str, vat_number: str) -> Division:
    """Return a company with the master data a Belgian one has."""
    made = Division(code, name, vat_number, years={2024, 2025, 2026, 2027})
    made.closed = {(journal, 2024, period) for journal, _, _ in JOURNALS for period in range(1, 13)}
    for table, key, record in (*_books(code), *_vat_codes(code), *_conditions(code), *_counterparties(code)):
        made.put(table, key, {"ID": key, **record, "Created": _BORN, "Modified": _BORN})
    for kind, description in DOCUMENT_TYPES:
        made.put("DocumentTypes", str(kind), _document_type(kind, description))
    return made


def _books(code: int) -> Iterator[Line]:
    for journal, description, kind in JOURNALS:
        yield (
            "Journals",
            guid(f"{code} journal {journal}"),
            {
                "Code": journal,
                "Description": description,
                "Type": kind,
                "Currency": "EUR",
                "AllowVariableCurrency": True,
                "AllowVariableExchangeRate": True,
                "AllowVAT": True,
                "IsBlocked": False,
                **({"BankAccountIBAN": _bank_account(code)} if kind == BANK_JOURNAL else {}),
            },
        )
    for account, description, kind in LEDGER_ACCOUNTS:
        yield (
            "GLAccounts",
            guid(f"{code} account {account}"),
            {
                "Code": account,
                "Description": description,
                "Type": kind,
                "IsBlocked": account == "604900",
                "UseCostcenter": 0,
                "UseCostunit": 0,
                "BalanceType": "W" if account[0] in "67" else "B",
                "BalanceSide": "C" if account[0] == "7" else "D",
            },
        )


def _bank_account(code: int) -> str:
    return DRAWER_IBAN if code == TILLS else BANK_ACCOUNT


def _vat_codes(code: int) -> Iterator[Line]:
    for vat, description, percentage, vat_type, transaction, charged, listing in VAT_CODES:
        yield (
            "VATCodes",
            guid(f"{code} vat {vat}"),
            {
                "Code": vat.ljust(3),
                "Description": description,
                "Percentage": Decimal(percentage),
                "Type": vat_type,
                "VATTransactionType": transaction,
                "Charged": charged,
                "EUSalesListing": listing,
                "IsBlocked": False,
                "IntraStat": listing == "L",
                "Country": "BE ",
            },
        )


def _conditions(code: int) -> Iterator[Line]:
    for condition, description, days in PAYMENT_CONDITIONS:
        yield (
            "PaymentConditions",
            guid(f"{code} condition {condition}"),
            {
                "Code": condition,
                "Description": description,
                "PaymentDays": days,
                "PaymentEndOfMonths": 0,
                "PaymentMethod": "K",
            },
        )


def _counterparties(code: int) -> Iterator[Line]:
    for number, relation, vat_id, status, supplier, blocked in RELATIONS:
        yield (
            "Accounts",
            guid(f"{code} relation {number}"),
            {
                "Code": padded(number),
                "Name": relation,
                "VATNumber": vat_id,
                "ChamberOfCommerce": vat_id[2:],
                "Status": status,
                "IsSupplier": supplier,
                "Blocked": blocked,
                "Country": "BE ",
                "Type": "A",
                "IsSales": status == "C",
                "IsPurchase": supplier,
                "PaymentConditionSales": "30",
                "PaymentConditionPurchase": "30",
            },
        )
    for box, scan in (("postbus", False), ("scan", True)):
        yield (
            "Mailboxes",
            guid(f"{code} mailbox {box}"),
            {
                "Mailbox": f"{code}.{box}@exactonline.example",
                "Description": box,
                "ForDivision": code,
                "Type": 1,
                "IsScanServiceMailbox": scan,
            },
        )


def _document_type(kind: int, description: str) -> dict[str, object]:
    return {
        "ID": kind,
        "Description": description,
        "DocumentIsCreatable": True,
        "DocumentIsUpdatable": True,
        "DocumentIsDeletable": True,
        "DocumentIsViewable": True,
    }


def guid(name: str) -> str:
    """Return the GUID of something seeded: the same in every sandbox."""
    return str(uuid5(NAMESPACE_URL, f"koppel sandbox exact {name}"))
