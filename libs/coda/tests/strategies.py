"""Anything CODA can hold, for hypothesis: the whole model, with balances that follow."""

from dataclasses import fields
from datetime import date, time
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from koppel_coda import (
    Account,
    Balance,
    Counterparty,
    Header,
    Information,
    Movement,
    Statement,
    Structure,
    TransactionCode,
    checkdigits,
    scalars,
)
from koppel_coda.communications import IN_INFORMATION, IN_MOVEMENTS, OtherStructured, Structured

ASCII = "".join(map(chr, range(0x20, 0x7F)))
DAYS = st.dates(date(1980, 1, 1), date(2079, 12, 31))
DIGITS = "0123456789"


def texts(length: int, *, least: int = 0, alphabet: str = ASCII) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=length).map(str.rstrip).filter(lambda text: len(text) >= least)


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


def decimals(whole: int, fraction: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, 10 ** (whole + fraction) - 1).map(lambda number: Decimal(number).scaleb(-fraction))


AMOUNTS = st.integers(-(10**13), 10**13).map(lambda number: Decimal(number).scaleb(-3))


def parts(part: scalars.Part) -> st.SearchStrategy[Any]:
    """Return values of one part of a structured communication."""
    sample = part.format
    kinds: list[tuple[Any, st.SearchStrategy[Any]]] = [
        (scalars.AMOUNT, decimals(12, 3)),
        (scalars.RATE, decimals(4, 8)),
        (scalars.DATE, DAYS),
        (scalars.OPEN_DATE, DAYS | st.just(scalars.NO_END)),
        (scalars.LONG_DATE, st.dates(date(1, 1, 1))),
        (scalars.TIME, st.times().map(lambda at: time(at.hour, at.minute))),
    ]
    for known, values in kinds:
        if part is known:
            return st.none() | values
    if sample is str:
        return texts(part.length)
    numbers = st.integers(0, 10**part.length - 1)
    return st.none() | (
        numbers
        if part.parse("1" * part.length) == int("1" * part.length)
        else numbers.map(lambda one: part.parse(f"{one:0{part.length}d}"))
    )


def typed(kinds: dict[str, type[Structured]]) -> st.SearchStrategy[Structured]:
    def of(cls: type[Structured]) -> st.SearchStrategy[Structured]:
        by_name = {name: part for name, _, part in cls._parts}
        names = [one.name for one in fields(cls) if one.name in by_name]
        return st.builds(cls, **{name: parts(by_name[name]) for name in names})

    return st.sampled_from(list(kinds.values())).flatmap(of)


def others(kinds: dict[str, type[Structured]], room: int) -> st.SearchStrategy[Structured]:
    kind = digits(3).filter(lambda one: one not in kinds)
    return st.builds(OtherStructured, kind=kind, text=texts(room))


def communications(kinds: dict[str, type[Structured]], room: int) -> st.SearchStrategy[str | Structured]:
    return texts(room) | typed(kinds) | others(kinds, room - 3)


CODES = digits(7).map(TransactionCode.of)
CURRENCIES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
BBANS = st.integers(0, 10**10 - 1).map(lambda number: f"{number:010d}{number % 97 or 97:02d}")
OWN = (
    st.builds(
        Account, BBANS.map(checkdigits.iban_of), CURRENCIES, st.just(Structure.IBAN), extension=texts(3).map(str.strip)
    )
    | st.builds(
        Account,
        BBANS,
        CURRENCIES,
        st.just(Structure.BBAN),
        st.sampled_from(["", "0", "2"]),
        st.sampled_from(["", "BE"]),
    )
    | st.builds(Account, st.just("FR7630006000011234567890189"), CURRENCIES, st.just(Structure.FOREIGN_IBAN))
    | st.builds(Account, texts(34, least=1, alphabet=DIGITS + "/-"), CURRENCIES, st.just(Structure.FOREIGN))
)
THEIRS = (
    st.builds(Account, BBANS.map(checkdigits.iban_of), CURRENCIES | st.just(""), st.just(Structure.IBAN))
    | st.builds(Account, BBANS, CURRENCIES | st.just(""), st.just(Structure.BBAN)).filter(
        lambda one: one.number.strip("0") != ""
    )
    | st.builds(Account, st.just("NL91ABNA0417164300"), CURRENCIES | st.just(""), st.just(Structure.FOREIGN_IBAN))
    | st.builds(Account, st.from_regex(r"[1-9][0-9]{12,30}", fullmatch=True), CURRENCIES, st.just(Structure.FOREIGN))
)
COUNTERPARTIES = st.builds(Counterparty, texts(35), st.none() | THEIRS, texts(11)).filter(
    lambda one: one != Counterparty()
)


def codes(types: str) -> st.SearchStrategy[TransactionCode]:
    return st.builds(lambda kind, rest: TransactionCode.of(kind + rest), st.sampled_from(types), digits(7))


def movements(types: str, details: st.SearchStrategy[tuple[Movement, ...]]) -> st.SearchStrategy[Movement]:
    information = st.builds(Information, communications(IN_INFORMATION, 268), codes(DIGITS), texts(21))
    common = {
        "amount": AMOUNTS,
        "code": codes(types),
        "entry_on": DAYS,
        "value_on": DAYS,
        "communication": communications(IN_MOVEMENTS, 149),
        "counterparty": st.none() | COUNTERPARTIES,
        "bank_reference": texts(21),
        "customer_reference": texts(35),
        "paper_number": st.integers(0, 999),
        "globalisation": st.integers(0, 9),
        "information": st.lists(information, max_size=3).map(tuple),
        "details": details,
    }
    purposes = {
        "r_transaction": st.sampled_from(["", *"12345"]),
        "reason": texts(4),
        "category_purpose": texts(4),
        "purpose": texts(4),
    }
    trade = texts(16, least=1).filter(lambda text: text[:3].strip() != "")
    return st.builds(Movement, **common, **purposes) | st.builds(Movement, **common, trade_reference=trade)


NONE: st.SearchStrategy[tuple[Movement, ...]] = st.just(())
NINES = st.lists(movements("9", NONE), max_size=2).map(tuple)
DETAILS = st.lists(movements("0568", NONE) | movements("7", NINES), max_size=3).map(tuple)
HEADS = st.lists(movements("0", NONE) | movements("0123", DETAILS), max_size=4).map(tuple)
YES_OR_NO: st.SearchStrategy[bool] = st.booleans()
HEADERS = st.builds(
    Header,
    created_on=DAYS,
    bank_number=digits(3),
    addressee=texts(26),
    bic=texts(11),
    company_number=st.just("") | digits(10).filter(lambda text: text.strip("0") != ""),
    file_reference=texts(10),
    duplicate=st.booleans(),
    separate_application=st.just("00000") | st.just("00001"),
    transaction_reference=texts(16),
    related_reference=texts(16),
)


@st.composite
def statements(draw: Any) -> Statement:
    heads = draw(HEADS)
    old = Balance(draw(AMOUNTS), draw(DAYS), draw(st.integers(0, 999)))
    free = draw(st.lists(texts(200, least=1), max_size=3).map(tuple))
    new = Balance(old.amount + sum((one.amount for one in heads), Decimal(0)), draw(DAYS), draw(st.integers(0, 999)))
    return Statement(
        draw(HEADERS),
        draw(OWN),
        old,
        new if heads or free or draw(YES_OR_NO) else None,
        heads,
        draw(texts(26)),
        draw(texts(35)),
        draw(st.integers(0, 999)),
        free,
    )
