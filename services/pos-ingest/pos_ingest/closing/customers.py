"""Under whom a book's receipts are kept (R125, R128, R129)."""

from koppel_bookkeeping import Party
from koppel_connector.contract import Problem
from koppel_mesh.prepared_sql import Record
from koppel_mesh.service import Context
from pos_ingest import customers

from .hand_in import CannotPrepare
from .invoice import Customer


async def customer_of(context: Context, period: Record) -> Customer:
    """Return the customer of a period's invoice, which is a relation of the dossier from now on.

    Raises:
        CannotPrepare: several relations could be meant.
        InternalCallError: dossier-api does not answer.
    """
    wanted = Party(name=period.customer_name or period.book_name, code=period.customer_code or "")
    try:
        found = await customers.customer_of(context, period.dossier_id, wanted)
    except customers.AmbiguousCustomer as error:
        raise CannotPrepare(Problem("customer_ambiguous", customers=error.count, name=error.asked)) from error
    return Customer(found.name, found.code)
