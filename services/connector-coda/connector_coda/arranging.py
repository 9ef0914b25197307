"""The loop that arranges the chains of a dossier: whose accounts they are, which statement follows which, what is in the way.

One transaction for a dossier, under the lock of its row: two processes arrange one after the other, and one that dies leaves
the dossier to
be arranged again. Only what has not gone is looked at, after the last statement that has: an account with ten years of statements
costs what came since.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem
from koppel_mesh.messages import DocumentState
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import owners, sequences, waiting
from .chain import ASIDE, Known, Link, Place, Standing, arrange, place_before_last
from .explaining import explain, unasked_before
from .handlers import RELEASE
from .outgoing import set_problems

UNASKED_TOLD_AFTER_S = 60.0
"""A statement waits so long for one that nobody asked to go before people are told."""

_DIRTY = Statement("""
    SELECT id, firm_id, name, enterprise_number FROM dossier WHERE arranging ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
""")
_ARRANGED = Statement("""
    UPDATE dossier SET arranging = false, releasing_at = least(coalesce(releasing_at, 'infinity'), clock_timestamp()) WHERE id
    = :id
""")
_STATEMENTS = Statement("""
    SELECT s.id, s.document_id, s.account_id, s.number, s.opened_on, s.opening, s.closes_on, s.closing, s.movements, s.is_partial,
        s.faults, s.standing, s.turn, s.before_id, s.missing, d.state AS document_state, d.let_go_at, d.let_go_problem,
        d.asked_at,
        coalesce(d.asked_at < clock_timestamp() - CAST(:wait_s AS float8) * interval '1 second', false) AS waits_long
    FROM account a JOIN statement s ON s.account_id = a.id JOIN document d ON d.id = s.document_id
    WHERE a.dossier_id = :id AND s.released_at IS NULL ORDER BY s.id
""")
_LINK = "s.id, s.number, s.opened_on, s.opening, s.closes_on, s.closing, s.movements, s.turn"
_GONE = "s.account_id = :account AND s.released_at IS NOT NULL AND s.standing = 'linked'"
_LAST = Statement(f"SELECT {_LINK} FROM statement s WHERE {_GONE} ORDER BY s.turn DESC LIMIT 1")
_FIRST = Statement("""
    SELECT number FROM statement WHERE account_id = :account AND standing IN ('linked', 'gap') ORDER BY turn LIMIT 1
""")
_SAME_DAY = Statement(f"SELECT {_LINK} FROM statement s WHERE {_GONE} AND s.closes_on = :closes_on ORDER BY s.turn")
_BEFORE = Statement(
    f"SELECT {_LINK} FROM statement s WHERE {_GONE} AND s.closes_on <= :closes_on ORDER BY s.closes_on DESC, s.turn DESC LIMIT 1"
)
_AFTER = Statement(f"SELECT {_LINK} FROM statement s WHERE {_GONE} AND s.turn > :turn ORDER BY s.turn LIMIT 1")
_ACCEPTED = Statement("""
    SELECT g.account_id, g.before_id, g.after_id FROM accepted_gap g JOIN account a ON a.id = g.account_id WHERE a.dossier_id =
    :id
""")
_ELSEWHERE = Statement("""
    SELECT s.number, s.closes_on FROM account a JOIN statement s ON s.account_id = a.id
    WHERE a.dossier_id = :dossier AND a.bank = :bank AND a.id <> :account AND s.number > 0
        AND s.closes_on BETWEEN CAST(:first AS date) AND CAST(:last AS date)
""")
_PLACE = Statement("""
    UPDATE statement SET standing = :standing, turn = :turn, before_id = :before_id, missing = CAST(:missing AS integer[])
    WHERE id = :id
""")
_SUMMARY = Statement("""
    UPDATE account SET state = :state, first_number = :first_number, last_number = :last_number, last_on = :last_on, balance =
    :balance
    WHERE id = :id
""")
_COUNTING = frozenset(
    {DocumentState.FILED, DocumentState.AWAITING_APPROVAL, DocumentState.EXPORTED, DocumentState.BOOKED}
)


@dataclass
class Chain:
    """One account while it is arranged."""

    account: Record
    last: Record | None
    rows: list[Record]
    places: dict[UUID, Place] = field(default_factory=dict)


async def arrange_dossier(context: Context) -> bool:
    """Arrange the chains of one dossier that something happened to; True while there may be more."""
    async with context.database.transaction() as tx:
        dossier = await _DIRTY.one_or_none(tx)
        if dossier is None:
            return False
        await arrange_chains(tx, dossier)
    context.wake(RELEASE)
    return True


async def arrange_chains(tx: AsyncConnection, dossier: Record) -> None:
    """Arrange the chains of a dossier whose row ``tx`` has locked."""
    accounts = await owners.settle(tx, dossier)
    rows: dict[UUID, list[Record]] = defaultdict(list)
    for row in await _STATEMENTS.all(tx, {"id": dossier.id, "wait_s": UNASKED_TOLD_AFTER_S}):
        rows[row.account_id].append(row)
    accepted = await _accepted(tx, dossier.id)
    chains = [await _arranged(tx, account, rows[key], accepted[key]) for key, account in accounts.items()]
    await _keep(tx, chains)
    await sequences.join(tx, dossier.id)
    await _explain(tx, chains)
    await _ARRANGED.run(tx, {"id": dossier.id})


async def _accepted(tx: AsyncConnection, dossier_id: UUID) -> Mapping[UUID, set[tuple[UUID, UUID]]]:
    found: dict[UUID, set[tuple[UUID, UUID]]] = defaultdict(set)
    for row in await _ACCEPTED.all(tx, {"id": dossier_id}):
        found[row.account_id].add((row.before_id, row.after_id))
    return found


async def _arranged(
    tx: AsyncConnection, account: Record, rows: list[Record], accepted: set[tuple[UUID, UUID]]
) -> Chain:
    last = await _LAST.one_or_none(tx, {"account": account.id})
    chain = Chain(account, last, rows)
    counting = [row for row in rows if _counts(row, account)]
    if not counting:
        return chain
    links = {row.id: link_of(row) for row in counting}
    end = link_of(last) if last else None
    early = [link for link in links.values() if end is not None and link.order < end.order]
    for link in early:
        chain.places[link.id] = await _early(tx, account.id, link, end)
        del links[link.id]
    looked_at = [*([end] if end else []), *links.values()]
    known = Known(accepted, await _elsewhere(tx, account, looked_at), account.skips_numbers)
    chain.places |= {place.link.id: place for place in arrange(links.values(), known, end)}
    return chain


def _counts(row: Record, account: Record) -> bool:
    return account.owned_by is not None and not row.is_partial and row.document_state in _COUNTING


async def _early(tx: AsyncConnection, account_id: UUID, link: Link, end: Link | None) -> Place:
    """Return the place of a statement before the last that went."""
    asked = {"account": account_id, "closes_on": link.closes_on}
    for row in await _SAME_DAY.all(tx, asked):
        if (other := link_of(row)).identity == link.identity:
            return Place(link, Standing.DUPLICATE, other)
    before = await _BEFORE.one_or_none(tx, asked)
    after = await _AFTER.one_or_none(tx, {"account": account_id, "turn": before.turn if before else -1})
    following = link_of(after) if after else end
    assert following is not None, "there is a last one, and this is before it"
    return place_before_last(link, link_of(before) if before else None, following)


async def _elsewhere(tx: AsyncConnection, account: Record, links: Sequence[Link]) -> dict[int, list[date]]:
    """Return the days of the other accounts' numbers, from the first of these statements to the last."""
    days = [link.closes_on for link in links]
    found: dict[int, list[date]] = defaultdict(list)
    if len(days) > 1 and account.bank:
        asked = {"dossier": account.dossier_id, "bank": account.bank, "account": account.id}
        for row in await _ELSEWHERE.all(tx, {**asked, "first": min(days), "last": max(days)}):
            found[row.number].append(row.closes_on)
    return found


def link_of(row: Any) -> Link:
    """Return what of a statement's row counts for its place."""
    return Link(row.id, row.number, row.opened_on, row.opening, row.closes_on, row.closing, row.movements)


async def _keep(tx: AsyncConnection, chains: Sequence[Chain]) -> None:
    changed = [change for chain in chains for change in _changes(chain)]
    if changed:
        await _PLACE.run_many(tx, changed)
    for chain in chains:
        await _SUMMARY.run(tx, {"id": chain.account.id, **await _summary(tx, chain)})


def _changes(chain: Chain) -> Iterable[dict[str, Any]]:
    turns = _turns(chain)
    for row in chain.rows:
        place = chain.places.get(row.id)
        found = {
            "standing": place.standing.value if place else None,
            "turn": turns.get(row.id),
            "before_id": place.before.id if place and place.before else None,
            "missing": list(place.missing) if place else [],
        }
        if any(getattr(row, name) != value for name, value in found.items()):
            yield {"id": row.id, **found}


def _turns(chain: Chain) -> dict[UUID, int]:
    """Return the places in the chain of what has not gone, counted on from the last that has."""
    start = chain.last.turn + 1 if chain.last else 0
    linked = [place.link.id for place in chain.places.values() if place.standing not in ASIDE]
    return {key: start + turn for turn, key in enumerate(linked)}


async def _summary(tx: AsyncConnection, chain: Chain) -> dict[str, Any]:
    standings = {place.standing for place in chain.places.values()}
    linked = [place.link for place in chain.places.values() if place.standing not in ASIDE]
    end = linked[-1] if linked else link_of(chain.last) if chain.last else None
    first = await _FIRST.one_or_none(tx, {"account": chain.account.id})
    return {
        "state": "waiting" if end is None else _state(standings),
        "first_number": first.number if first else None,
        "last_number": end.number if end else None,
        "last_on": end.closes_on if end else None,
        "balance": end.closing if end else None,
    }


def _state(standings: set[Standing]) -> str:
    if Standing.GAP in standings:
        return "gap"
    return "overlap" if Standing.OVERLAP in standings else "continuous"


async def _explain(tx: AsyncConnection, chains: Sequence[Chain]) -> None:
    """Tell for each document what is in its way, or that nothing is any more."""
    of_document: dict[UUID, list[tuple[Any, Record, Place | None]]] = defaultdict(list)
    for chain in chains:
        for row in chain.rows:
            of_document[row.document_id].append((chain.account, row, chain.places.get(row.id)))
    going = {row.document_id for chain in chains for row in chain.rows if row.let_go_problem == "statements_crossed"}
    crossed = waiting.crossed([_documents(chain) for chain in chains], going)
    problems = {key: explain(found, is_crossed=key in crossed) for key, found in of_document.items()}
    for chain in chains:
        for key, problem in _unasked(chain):
            problems[key] = problems[key] or problem
    if problems:
        await set_problems(tx, problems)


def _documents(chain: Chain) -> list[UUID]:
    """Return the documents of what has not gone, in the order of the chain."""
    rows = {row.id: row.document_id for row in chain.rows}
    return [rows[place.link.id] for place in chain.places.values() if place.standing not in ASIDE]


def _unasked(chain: Chain) -> Iterable[tuple[UUID, Problem]]:
    """Return the first document that is to go and waits for one that nobody asked to go, once it waited for long."""
    asked = {row.document_id for row in chain.rows if row.asked_at is not None}
    documents = _documents(chain)
    if (found := waiting.first_behind(documents, asked)) is None:
        return
    behind, unasked = found
    if any(row.document_id == behind and row.waits_long for row in chain.rows):
        places = [place for place in chain.places.values() if place.standing not in ASIDE]
        yield behind, unasked_before(chain.account, places[documents.index(behind)], places[documents.index(unasked)])
