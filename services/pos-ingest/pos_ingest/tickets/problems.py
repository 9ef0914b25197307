"""What of tickets waits for a person, in three languages (P6)."""

from collections.abc import Iterator
from datetime import date
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem, ProblemCatalogue, ProblemKind
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement

from .cash_movements import Refusal
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
        ProblemKind(
            "cash_movement_unclear",
            "entrepreneur",
            nl="Kassa {register} meldt op {day} {amount} EUR in of uit de lade (ticket {receipt}), en niet waarvoor. Zeg van deze"
            " beweging of het van of naar de bank, privé, van een klant of voor een leverancier was, of stel in het kasboek in"
            " wat zulke bewegingen zijn.",
            fr="La caisse {register} signale le {day} {amount} EUR dans ou hors du tiroir (ticket {receipt}), sans dire pourquoi."
            " Dites de ce mouvement s'il venait de la banque ou y allait, s'il était privé, d'un client ou pour un fournisseur,"
            " ou réglez dans le livre de caisse ce que sont de tels mouvements.",
            en="Register {register} reports {amount} EUR into or out of the drawer on {day} (ticket {receipt}), and not what for."
            " Say of this movement whether it was from or to the bank, private, from a customer or for a supplier, or set in the"
            " cash book what such movements are.",
        ),
        ProblemKind(
            "cash_movement_below_zero",
            "entrepreneur",
            nl="Kassa {register} meldt op {day} {amount} EUR uit de lade (ticket {receipt}), en volgens het kasboek zit er maar"
            " {balance} EUR in. Bezorg de tickets die ontbreken, vul in wat er in de lade kwam, of tel ze.",
            fr="La caisse {register} signale le {day} {amount} EUR hors du tiroir (ticket {receipt}), et selon le livre de caisse"
            " il n'y a que {balance} EUR. Fournissez les tickets manquants, inscrivez ce qui y est entré, ou comptez le tiroir.",
            en="Register {register} reports {amount} EUR out of the drawer on {day} (ticket {receipt}), and by the cash book it"
            " holds {balance} EUR only. Hand in the missing tickets, enter what came into the drawer, or count it.",
        ),
        ProblemKind(
            "cash_movement_without_book",
            "accountant",
            nl="Kassa {register} meldt op {day} {amount} EUR in of uit de lade (ticket {receipt}), en haar ontvangstenboek heeft"
            " geen kasboek meer. Koppel het ontvangstenboek aan een kasboek.",
            fr="La caisse {register} signale le {day} {amount} EUR dans ou hors du tiroir (ticket {receipt}), et son livre des"
            " recettes n'a plus de livre de caisse. Liez le livre des recettes à un livre de caisse.",
            en="Register {register} reports {amount} EUR into or out of the drawer on {day} (ticket {receipt}), and its receipt"
            " book has no cash book any more. Link the receipt book to a cash book.",
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
_MOVEMENTS = Statement("""
    SELECT m.*, t.register, t.receipt, c.balance
    FROM cash_movement m JOIN ticket t ON t.id = m.ticket_id JOIN receipt_book b ON b.id = m.book_id
        LEFT JOIN cash_book c ON c.id = b.cash_book_id
    WHERE t.dossier_id = :dossier_id AND m.entered_at IS NULL AND m.refusal IS NOT NULL ORDER BY m.moved_on, m.id LIMIT :limit
""")
_OF_REFUSAL: Final = {
    Refusal.UNCLEAR: "cash_movement_unclear",
    Refusal.BELOW_ZERO: "cash_movement_below_zero",
    Refusal.NO_CASH_BOOK: "cash_movement_without_book",
}


class TicketProblem(ProblemData):
    """Something that waits for a person, with what is needed to solve it."""

    date: date
    register_id: str | None = None
    receipt_book_id: UUID | None = None
    cash_movement_id: UUID | None = None
    differences: list[Difference] = Field([])


class TicketProblems(BaseModel):
    """Everything of a dossier's tickets that waits for a person."""

    items: list[TicketProblem]
    next: None = None


async def open_problems(connection: AsyncConnection, dossier_id: UUID) -> TicketProblems:
    """Return what waits, at most ``PROBLEMS_MAX`` of each kind."""
    asked = {"dossier_id": dossier_id, "limit": PROBLEMS_MAX}
    items = [_differing(row) for row in await _DIFFERING.all(connection, asked)]
    items += [_unfinished(row) for row in await _UNFINISHED.all(connection, asked)]
    items += [_refused(row) for row in await _REFUSED.all(connection, asked)]
    items += [_moved(row) for row in await _MOVEMENTS.all(connection, asked)]
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


def _moved(row: Record) -> TicketProblem:
    said = {"register": row.register, "receipt": row.receipt, "day": row.moved_on, "amount": abs(row.amount)}
    problem = Problem(_OF_REFUSAL[Refusal(row.refusal)], **said, balance=row.balance)
    of = {"register_id": row.register, "receipt_book_id": row.book_id, "cash_movement_id": row.id}
    return TicketProblem(**_rendered(problem), date=row.moved_on, **of)


def _rendered(problem: Problem) -> dict[str, object]:
    return dict(_fields(CATALOGUE.render(problem)))


def _fields(rendered: ProblemData) -> Iterator[tuple[str, object]]:
    for name in type(rendered).model_fields:
        yield name, getattr(rendered, name)
