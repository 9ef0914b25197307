"""What of tickets waits for a person, in three languages (P6)."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem, ProblemCatalogue, ProblemKind
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement

from .z_totals import Difference, counted_of, differences, report_of

PROBLEMS_MAX = 500
CATALOGUE = ProblemCatalogue(
    (
        ProblemKind(
            "z_totals_differ",
            "entrepreneur",
            nl="De kassa {register} telde op {day} anders dan haar tickets ({differences}). Bezorg de tickets die ontbreken of"
            " een nieuw Z-rapport, of aanvaard de tickets met een reden.",
            fr="La caisse {register} a compté autrement que ses tickets le {day} ({differences}). Fournissez les tickets"
            " manquants ou un nouveau rapport Z, ou acceptez les tickets avec une raison.",
            en="Register {register} counted otherwise than its tickets on {day} ({differences}). Hand in the missing tickets or"
            " a new Z report, or accept the tickets with a reason.",
        ),
        ProblemKind(
            "tickets_not_entered",
            "accountant",
            nl="De tickets tot en met {day} staan nog niet in ontvangstenboek {book}: {message} Pas het boek aan en sluit de dag"
            " opnieuw af.",
            fr="Les tickets jusqu'au {day} ne sont pas encore dans le livre des recettes {book} : {message} Adaptez le livre et"
            " clôturez de nouveau le jour.",
            en="The tickets up to {day} are not in receipt book {book} yet: {message} Change the book and finish the day again.",
        ),
        ProblemKind(
            "ticket_invoice_refused",
            "entrepreneur",
            nl="Van ticket {receipt} van kassa {register} kan geen factuur gemaakt worden: {message} Verbeter de gegevens van de"
            " klant en bezorg het ticket opnieuw, of maak een factuurboek met een nummerformaat.",
            fr="Le ticket {receipt} de la caisse {register} ne peut pas devenir une facture : {message} Corrigez les données du"
            " client et fournissez de nouveau le ticket, ou créez un livre de factures avec un format de numéro.",
            en="No invoice can be made of ticket {receipt} of register {register}: {message} Correct the data of the customer"
            " and hand the ticket in again, or make an invoice book with a number format.",
        ),
    )
)

_DIFFERING = Statement("""
    SELECT * FROM z_total WHERE dossier_id = :dossier_id AND state = 'differs' ORDER BY sold_on, register LIMIT :limit
""")
_UNFINISHED = Statement("""
    SELECT u.*, b.name FROM unfinished_day u JOIN receipt_book b ON b.id = u.book_id WHERE u.dossier_id = :dossier_id
    ORDER BY u.day LIMIT :limit
""")
_REFUSED = Statement("""
    SELECT i.refusal ->> 'message' AS message, t.register, t.receipt, t.sold_on, t.book_id
    FROM ticket_invoice i JOIN ticket t ON t.id = i.ticket_id
    WHERE t.dossier_id = :dossier_id AND i.refusal IS NOT NULL ORDER BY t.sold_on, t.id LIMIT :limit
""")


class TicketProblem(ProblemData):
    """Something that waits for a person, with what is needed to solve it."""

    date: date
    register_id: str | None = None
    receipt_book_id: UUID | None = None
    differences: list[Difference] = Field([])


class TicketProblems(BaseModel):
    """Everything of a dossier's tickets that waits for a person."""

    items: list[TicketProblem]


async def open_problems(connection: AsyncConnection, dossier_id: UUID) -> TicketProblems:
    """Return what waits, at most ``PROBLEMS_MAX`` of each kind."""
    asked = {"dossier_id": dossier_id, "limit": PROBLEMS_MAX}
    items = [_differing(row) for row in await _DIFFERING.all(connection, asked)]
    items += [_unfinished(row) for row in await _UNFINISHED.all(connection, asked)]
    items += [_refused(row) for row in await _REFUSED.all(connection, asked)]
    return TicketProblems(items=items)


def _differing(row: Record) -> TicketProblem:
    found = list(differences(report_of(row), counted_of(row)))
    named = "; ".join(f"{each.what}: {each.till} / {each.of_tickets}" for each in found[:5])
    problem = Problem("z_totals_differ", register=row.register, day=row.sold_on, differences=named)
    return TicketProblem(**_rendered(problem), date=row.sold_on, register_id=row.register, differences=found)


def _unfinished(row: Record) -> TicketProblem:
    problem = Problem("tickets_not_entered", row.rule, day=row.day, book=row.name, message=row.message)
    return TicketProblem(**_rendered(problem), date=row.day, receipt_book_id=row.book_id)


def _refused(row: Record) -> TicketProblem:
    problem = Problem("ticket_invoice_refused", register=row.register, receipt=row.receipt, message=row.message)
    return TicketProblem(**_rendered(problem), date=row.sold_on, register_id=row.register, receipt_book_id=row.book_id)


def _rendered(problem: Problem) -> dict[str, object]:
    return dict(_fields(CATALOGUE.render(problem)))


def _fields(rendered: ProblemData) -> Iterator[tuple[str, object]]:
    for name in type(rendered).model_fields:
        yield name, getattr(rendered, name)
