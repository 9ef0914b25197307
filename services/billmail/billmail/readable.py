"""A page that people can read for a document that has none: an office without e-invoicing works with the PDF (R005)."""

from dataclasses import replace
from datetime import date

import koppel_coda
import koppel_readable
import koppel_ubl
from koppel_coda import Statement
from koppel_connector import Problem, Rejected
from koppel_readable import Column, Details, Language, Table

from .attaching import Contents
from .profiles import Attachments
from .texts import texts

EPOCH = date(1970, 1, 1)
"""Of the page of a statement that has no day at all."""


def with_readable_pdf(contents: Contents, style: Attachments, language: str) -> Contents:
    """Return the files of a document with a PDF made of its UBL where it has a UBL and no PDF. Takes up to seconds.

    The UBL is inside that PDF only where it does not go along by itself: twice in one mail, it may become two invoices
    (billmail §7).

    Raises:
        Rejected: the UBL cannot be read.
    """
    if contents.ubl is None or contents.pdf is not None:
        return contents
    try:
        document = koppel_ubl.read(contents.ubl)
    except koppel_ubl.ReadError as error:
        raise Rejected(Problem("ubl_unreadable", str(error)[:300])) from error
    original = contents.ubl if style == "pdf" else None
    return replace(contents, pdf=koppel_readable.readable_pdf(document, language=page_language(language), ubl=original))


def as_statement_pdf(contents: Contents, language: str) -> Contents:
    """Return the PDF of a statement alone: its own, else one made of the CODA.

    Raises:
        Rejected: the CODA cannot be read.
    """
    if contents.pdf is not None or contents.coda is None:
        return Contents(pdf=contents.pdf)
    try:
        statements = koppel_coda.read(contents.coda)
    except koppel_coda.ReadError as error:
        raise Rejected(Problem("coda_unreadable", str(error)[:300])) from error
    last = statements[-1]
    days = [each.on for each in (last.new_balance, last.old_balance) if each is not None and each.on is not None]
    details = Details(
        title=texts(language).statement.title,
        issuer=last.holder_name or last.account.iban or last.account.number,
        dated_on=max([*days, *(each.entry_on for each in last.movements)], default=EPOCH),
        tables=tuple(_statement_table(each, language) for each in statements),
    )
    return Contents(pdf=koppel_readable.details_pdf(details, language=page_language(language)))


def page_language(language: str) -> Language:
    """Return the language of a page; English where it has none of ours."""
    return "nl" if language == "nl" else "fr" if language == "fr" else "en"


def _statement_table(statement: Statement, language: str) -> Table:
    """Return the movements of a statement between its two balances."""
    words, opening = texts(language).statement, statement.old_balance
    rows = [
        (
            each.entry_on,
            each.counterparty.name if each.counterparty else "",
            each.communication if isinstance(each.communication, str) else " ".join(each.communication.raw.split()),
            each.amount,
        )
        for each in statement.movements
    ]
    columns = (
        Column(title=texts(language).date, kind="date"),
        Column(title=texts(language).party),
        Column(title=words.communication),
        Column(title=words.amount, kind="amount"),
    )
    account = " ".join(filter(None, (statement.account.iban or statement.account.number, statement.account.currency)))
    return Table(
        title=account,
        columns=columns,
        rows=((opening.on, words.opening, "", opening.amount), *rows),
        totals=(None, words.closing, "", statement.closing),
    )
