"""Accounts of a dossier: their chains, balances, statements and lines."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, literal, select, tuple_

from connector_coda.tables import account, line, payment_key, statement
from koppel_bookkeeping.document import Amount, Total
from koppel_mesh.http.paging import Page, PageParams, PageRequest, cursor_id, invalid_cursor, uuid_cursor
from koppel_mesh.http.problems import not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement

from .visibility import Currency, Reader, account_of, insist_on_dossier

router = APIRouter(prefix="/v1", tags=["accounts"])
GAPS_MAX = 1000

_GAPS = Statement("""
    SELECT s.account_id, s.id, s.number, s.closes_on, s.opening, s.missing, b.id AS after_id, b.number AS after_number,
        b.closes_on AS after_on, b.closing
    FROM statement s JOIN statement b ON b.id = s.before_id
    WHERE s.account_id = ANY(CAST(:accounts AS uuid[])) AND s.released_at IS NULL AND s.standing = 'gap'
    ORDER BY s.account_id, s.turn LIMIT :gaps
""")
_WAITING = Statement("""
    SELECT a.id FROM account a WHERE a.id = ANY(CAST(:accounts AS uuid[])) AND EXISTS (
        SELECT FROM statement s JOIN document d ON d.id = s.document_id
        WHERE s.account_id = a.id AND s.released_at IS NULL AND s.turn IS NOT NULL AND d.asked_at IS NOT NULL)
""")


class Gap(BaseModel):
    """What is missing between two statements of an account."""

    after: int | None
    """Number of the statement before; None where the bank gives none."""
    before: int | None
    missing: list[int]
    """The numbers that are missing, where numbers tell."""
    after_statement_id: UUID
    before_statement_id: UUID
    after_on: date
    before_on: date
    closing: Amount
    """Balance at the end of the statement before."""
    opening: Amount


class AccountItem(BaseModel):
    """An account and its chain."""

    iban: str
    currency: str
    kind: Literal["bank", "cash"]
    first_sequence: int | None
    last_sequence: int | None
    last_date: date | None
    balance: Total | None
    gaps: list[Gap]
    state: Literal["continuous", "gap", "overlap", "waiting"]
    """``waiting``: nothing is missing, but statements wait for earlier ones to go, or the account belongs to no dossier yet."""
    sequence_key: str
    belongs_by: str | None
    """How the account came to belong to the dossier; None while its statements are refused."""
    refusal: ProblemData | None


class BalanceItem(BaseModel):
    """What is on an account, by its last statement."""

    iban: str
    currency: str
    kind: Literal["bank", "cash"]
    balance: Total
    date: date
    sequence: int | None


class StatementItem(BaseModel):
    """One statement."""

    id: UUID
    document_id: UUID
    sequence: int | None
    opened_on: date | None
    opening: Amount
    closed_on: date
    closing: Amount
    lines: int
    standing: str | None
    """Its place in the chain; None for what stands in none: partial, or of a document that is held or dropped."""
    released_at: datetime | None


class LineItem(BaseModel):
    """One line of a statement."""

    place: int
    amount: Amount
    entry_date: date
    value_date: date
    message: str
    counterparty_name: str | None
    counterparty_account: str | None
    mark: str | None
    """What the line of a cash book is (R133)."""
    processed: bool
    """Its message begins with a payment key of the dossier (R134)."""


@router.get("/dossiers/{dossier_id}/accounts")
async def list_accounts(
    dossier_id: UUID, context: CurrentContext, caller: Reader, page: PageParams
) -> Page[AccountItem]:
    """List the accounts of a dossier with what is missing in their chains."""
    await insist_on_dossier(context, caller, dossier_id)
    query = select(account).where(account.c.dossier_id == dossier_id).order_by(account.c.id).limit(page.rows)
    if (after := uuid_cursor(page)) is not None:
        query = query.where(account.c.id > after)
    async with context.database.reading() as reading:
        rows = (await reading.execute(query)).all()
        ids = [row.id for row in rows]
        waiting = {row.id for row in await _WAITING.all(reading, {"accounts": ids})}
        gaps: dict[UUID, list[Gap]] = defaultdict(list)
        for row in await _GAPS.all(reading, {"accounts": ids, "gaps": GAPS_MAX}):
            gaps[row.account_id].append(_gap(row))
    return page.of(rows, lambda row: _account(row, gaps[row.id], waits=row.id in waiting))


@router.get("/dossiers/{dossier_id}/balances")
async def list_balances(
    dossier_id: UUID, context: CurrentContext, caller: Reader, page: PageParams
) -> Page[BalanceItem]:
    """List what is on the accounts of a dossier."""
    await insist_on_dossier(context, caller, dossier_id)
    query = select(account).where(account.c.dossier_id == dossier_id, account.c.balance.is_not(None))
    if (after := uuid_cursor(page)) is not None:
        query = query.where(account.c.id > after)
    async with context.database.reading() as reading:
        rows = (await reading.execute(query.order_by(account.c.id).limit(page.rows))).all()
    return page.of(rows, _balance)


@router.get("/dossiers/{dossier_id}/accounts/{iban}/statements")
async def list_statements(
    dossier_id: UUID,
    iban: str,
    context: CurrentContext,
    caller: Reader,
    page: PageParams,
    currency: Currency = None,
) -> Page[StatementItem]:
    """List the statements of an account, the latest first."""
    await insist_on_dossier(context, caller, dossier_id)
    order = tuple_(statement.c.closes_on, statement.c.number, statement.c.id)
    async with context.database.reading() as reading:
        found = await account_of(reading, dossier_id, iban, currency)
        query = select(statement).where(statement.c.account_id == found.id)
        if page.after:
            query = query.where(order < tuple_(*map(literal, _statement_cursor(page))))
        columns = (statement.c.closes_on.desc(), statement.c.number.desc(), statement.c.id.desc())
        rows = (await reading.execute(query.order_by(*columns).limit(page.rows))).all()
    return page.of(rows, _statement, lambda row: [row.closes_on.isoformat(), str(row.number), str(row.id)])


@router.get("/dossiers/{dossier_id}/accounts/{iban}/statements/{statement_id}/lines")
async def list_lines(
    dossier_id: UUID,
    iban: str,
    statement_id: UUID,
    context: CurrentContext,
    caller: Reader,
    page: PageParams,
    currency: Currency = None,
) -> Page[LineItem]:
    """List the lines of a statement, in its order."""
    await insist_on_dossier(context, caller, dossier_id)
    keys = select(payment_key.c.key).where(
        payment_key.c.dossier_id == dossier_id, func.starts_with(line.c.message, payment_key.c.key)
    )
    async with context.database.reading() as reading:
        found = await account_of(reading, dossier_id, iban, currency)
        mine = select(statement.c.id).where(statement.c.id == statement_id, statement.c.account_id == found.id)
        if (await reading.execute(mine)).first() is None:
            raise not_found("statement")
        query = select(line, keys.exists().label("processed")).where(line.c.statement_id == statement_id)
        if page.after:
            query = query.where(line.c.place > _place_cursor(page))
        rows = (await reading.execute(query.order_by(line.c.place).limit(page.rows))).all()
    return page.of(rows, _line, lambda row: [str(row.place)])


def _place_cursor(page: PageRequest) -> int:
    try:
        (place,) = page.after or []
        return min(int(place), 2**31 - 1)
    except ValueError as error:
        raise invalid_cursor() from error


def _statement_cursor(page: PageRequest) -> tuple[date, int, UUID]:
    try:
        closes_on, number, key = page.after or []
        return date.fromisoformat(closes_on), min(int(number), 2**31 - 1), cursor_id(key)
    except ValueError as error:
        raise invalid_cursor() from error


def _number(number: int | None) -> int | None:
    return number or None


def _gap(row: Record) -> Gap:
    return Gap(
        after=_number(row.after_number),
        before=_number(row.number),
        missing=list(row.missing),
        after_statement_id=row.after_id,
        before_statement_id=row.id,
        after_on=row.after_on,
        before_on=row.closes_on,
        closing=row.closing,
        opening=row.opening,
    )


def _account(row: Any, gaps: Sequence[Gap], *, waits: bool) -> AccountItem:
    state = "waiting" if row.state == "continuous" and waits else row.state
    return AccountItem(
        iban=row.number,
        currency=row.currency,
        kind=row.kind,
        first_sequence=_number(row.first_number),
        last_sequence=_number(row.last_number),
        last_date=row.last_on,
        balance=Total(amount=row.balance, currency=row.currency) if row.balance is not None else None,
        gaps=list(gaps),
        state=state,
        sequence_key=row.sequence_key,
        belongs_by=row.owned_by,
        refusal=ProblemData.model_validate(row.refusal) if row.refusal else None,
    )


def _balance(row: Any) -> BalanceItem:
    return BalanceItem(
        iban=row.number,
        currency=row.currency,
        kind=row.kind,
        balance=Total(amount=row.balance, currency=row.currency),
        date=row.last_on,
        sequence=_number(row.last_number),
    )


def _statement(row: Any) -> StatementItem:
    return StatementItem(
        id=row.id,
        document_id=row.document_id,
        sequence=_number(row.number),
        opened_on=row.opened_on,
        opening=row.opening,
        closed_on=row.closes_on,
        closing=row.closing,
        lines=row.movements,
        standing=row.standing,
        released_at=row.released_at,
    )


def _line(row: Any) -> LineItem:
    return LineItem(
        place=row.place,
        amount=row.amount,
        entry_date=row.entry_on,
        value_date=row.value_on,
        message=row.message,
        counterparty_name=row.counterparty_name,
        counterparty_account=row.counterparty_account,
        mark=row.mark,
        processed=row.processed,
    )
