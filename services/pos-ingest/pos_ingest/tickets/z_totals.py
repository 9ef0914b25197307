"""A till's own totals of a day (its Z report) beside those of its tickets: a difference is a problem with both figures."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record, Statement
from koppel_receipts import OUTSIDE_SCOPE, totals_key, written
from pos_ingest.fields import Amount, Method, Percent, Reference, Whole
from pos_ingest.json_columns import loaded

# A batch of tickets holds the lock shared, a report holds it alone: neither misses what the other is just keeping.
_HOLD = Statement("SELECT pg_advisory_xact_lock_shared(hashtextextended('z totals ' || :dossier_id, 0))")
_HOLD_ALONE = Statement("SELECT pg_advisory_xact_lock(hashtextextended('z totals ' || :dossier_id, 0))")
_OF = "FROM ticket WHERE dossier_id = :dossier_id AND register = :register AND sold_on = :sold_on"
_AMOUNTS = Statement(f"""
    SELECT a ->> 0 AS category, a ->> 1 AS rate, sum(CAST(a ->> 4 AS numeric)) AS amount
    {_OF.replace("WHERE", "CROSS JOIN jsonb_array_elements(takings -> 'amounts') AS a WHERE")} GROUP BY 1, 2
""")
_PAYMENTS = Statement(f"""
    SELECT p ->> 0 AS method, sum(CAST(p ->> 1 AS numeric)) AS amount
    {_OF.replace("WHERE", "CROSS JOIN jsonb_array_elements(takings -> 'payments') AS p WHERE")} GROUP BY 1
""")
_COUNT = Statement(f"SELECT count(*) AS number {_OF}")
_GIVEN = Statement("""
    SELECT z.* FROM z_total z JOIN unnest(CAST(:registers AS text[]), CAST(:days AS date[])) AS asked (register, sold_on)
        ON z.register = asked.register AND z.sold_on = asked.sold_on
    WHERE z.dossier_id = :dossier_id ORDER BY z.register, z.sold_on FOR NO KEY UPDATE OF z
""")
_KEEP = Statement("""
    INSERT INTO z_total AS known (dossier_id, register, sold_on, firm_id, given, counted, state)
    VALUES (:dossier_id, :register, :sold_on, :firm_id, CAST(:given AS jsonb), CAST(:counted AS jsonb), :state)
    ON CONFLICT (dossier_id, register, sold_on) DO UPDATE SET given = excluded.given, counted = excluded.counted,
        state = excluded.state, accepted_by = NULL, reason = NULL, given_at = clock_timestamp()
    RETURNING *
""")
_COMPARED = Statement("""
    UPDATE z_total SET counted = CAST(:counted AS jsonb), state = :state,
        accepted_by = CASE WHEN :state = 'accepted' THEN accepted_by END,
        reason = CASE WHEN :state = 'accepted' THEN reason END
    WHERE dossier_id = :dossier_id AND register = :register AND sold_on = :sold_on
""")
_ACCEPT = Statement("""
    UPDATE z_total SET state = 'accepted', accepted_by = :by, reason = :reason
    WHERE dossier_id = :dossier_id AND register = :register AND sold_on = :sold_on AND state <> 'equal' RETURNING *
""")


class VatTotal(BaseModel):
    """The takings of a day at one VAT rate, as the till has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    vat_category: str = Field("S", pattern="^(S|Z|E|AE|K|G|O)$")
    vat_rate: Percent = Decimal(0)
    amount: Amount = Field(description="Including VAT")


class MethodTotal(BaseModel):
    """What was paid by one method, as the till has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: Method
    amount: Amount


class ZReport(BaseModel):
    """A till's own totals of a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: Reference | None = Field(None, description="Of the report")
    tickets: Whole | None = Field(None, ge=0, le=1_000_000, description="How many there were")
    vat_totals: list[VatTotal] = Field(max_length=50)
    payments: list[MethodTotal] | None = Field(None, max_length=50)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the tickets of a register add up to on a day, those that became an invoice among them."""

    tickets: int
    vat: Mapping[str, Decimal]
    """By ``totals_key``, such as ``S:21``."""
    payments: Mapping[str, Decimal]

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept and shown."""
        return {
            "tickets": self.tickets,
            "vat_totals": {key: written(amount) for key, amount in sorted(self.vat.items())},
            "payments": {name: written(amount) for name, amount in sorted(self.payments.items())},
        }


class Difference(BaseModel):
    """Where the two differ."""

    what: str = Field(description="tickets, a rate such as S:21, or a payment method")
    till: str
    of_tickets: str


def differences(given: ZReport, counted: Counted) -> Iterator[Difference]:
    """Give where a report and the tickets differ. Pure.

    A report that says nothing of tips, roundings and deposits (category O), of payments or of the number is not asked for them.
    """
    if given.tickets is not None and given.tickets != counted.tickets:
        yield Difference(what="tickets", till=str(given.tickets), of_tickets=str(counted.tickets))
    said: dict[str, Decimal] = {}
    for total in given.vat_totals:
        key = totals_key(total.vat_category, total.vat_rate)
        said[key] = said.get(key, Decimal(0)) + total.amount
    asked = {key: amount for key, amount in counted.vat.items() if key != OUTSIDE_SCOPE or OUTSIDE_SCOPE in said}
    yield from _differing(said, asked)
    if given.payments is not None:
        paid: dict[str, Decimal] = {}
        for each in given.payments:
            paid[each.method] = paid.get(each.method, Decimal(0)) + each.amount
        yield from _differing(paid, counted.payments)


def _differing(said: Mapping[str, Decimal], counted: Mapping[str, Decimal]) -> Iterator[Difference]:
    for key in sorted({*said, *counted}):
        ours, theirs = counted.get(key, Decimal(0)), said.get(key, Decimal(0))
        if ours != theirs:
            yield Difference(what=key, till=written(theirs), of_tickets=written(ours))


async def hold(tx: AsyncConnection, dossier_id: UUID) -> None:
    """Keep reports of the dossier waiting until ``tx``, which keeps tickets, has ended."""
    await _HOLD.run(tx, {"dossier_id": str(dossier_id)})


async def keep(tx: AsyncConnection, dossier: Record, register: str, day: date, report: ZReport) -> Record:
    """Keep a report in place of an earlier one of that register and day, compared with the tickets; return its row."""
    await _HOLD_ALONE.run(tx, {"dossier_id": str(dossier.id)})
    place = {"dossier_id": dossier.id, "register": register, "sold_on": day}
    counted = await _counted(tx, place)
    state = "differs" if any(differences(report, counted)) else "equal"
    given = report.model_dump_json(exclude_none=True)
    values = {"firm_id": dossier.firm_id, "given": given, "counted": json.dumps(counted.to_json()), "state": state}
    return await _KEEP.one(tx, {**place, **values})


async def compare(tx: AsyncConnection, dossier_id: UUID, days: Iterable[tuple[str, date]]) -> None:
    """Compare the reports of these registers and days, where there are any, with the tickets again.

    What a person accepted stays accepted, unless the tickets say the same as the till now.
    """
    asked = sorted(set(days))
    values = {"dossier_id": dossier_id, "registers": [each[0] for each in asked], "days": [each[1] for each in asked]}
    for row in await _GIVEN.all(tx, values):
        place = {"dossier_id": dossier_id, "register": row.register, "sold_on": row.sold_on}
        counted = await _counted(tx, place)
        differs = any(differences(report_of(row), counted))
        state = ("accepted" if row.state == "accepted" else "differs") if differs else "equal"
        await _COMPARED.run(tx, {**place, "counted": json.dumps(counted.to_json()), "state": state})


async def accept(tx: AsyncConnection, dossier_id: UUID, register: str, day: date, *, by: str, reason: str) -> Record:
    """Note that a person takes the tickets' figures for right; return the row.

    Raises:
        HttpProblem: 409 where there is no difference to accept.
    """
    place = {"dossier_id": dossier_id, "register": register, "sold_on": day}
    row = await _ACCEPT.one_or_none(tx, {**place, "by": by, "reason": reason})
    if row is None:
        message = "There is no report of that register and day that differs from its tickets."
        errors = [FieldError(field="date", rule="nothing_differs", message=message)]
        raise HttpProblem(409, "nothing_differs", message, errors=errors)
    return row


def report_of(row: Record) -> ZReport:
    """Return what the till said."""
    return ZReport.model_validate(loaded(row.given))


def counted_of(row: Record) -> Counted:
    """Return what the tickets said when they were last compared."""
    kept = loaded(row.counted)
    vat, payments = (
        {key: Decimal(amount) for key, amount in kept[name].items()} for name in ("vat_totals", "payments")
    )
    return Counted(kept["tickets"], vat, payments)


async def _counted(tx: AsyncConnection, place: Mapping[str, Any]) -> Counted:
    number = await _COUNT.one(tx, place)
    vat: dict[str, Decimal] = {}
    for row in await _AMOUNTS.all(tx, place):
        key = totals_key(row.category, Decimal(row.rate))
        vat[key] = vat.get(key, Decimal(0)) + row.amount
    payments = {row.method: row.amount for row in await _PAYMENTS.all(tx, place)}
    return Counted(number.number, vat, payments)
