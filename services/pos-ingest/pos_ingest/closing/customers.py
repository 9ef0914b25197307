"""Under whom a book's receipts are kept (R125, R128, R129)."""

from koppel_mesh.prepared_sql import Record

from .invoice import Customer


def customer_of(period: Record) -> Customer:
    """Return the customer of a period's invoice: the code and the name of its book, else the book's own name.

    dossier-api and the connectors recognise it by its name, then by its code, and make it where it is not there.
    """
    return Customer(period.customer_name or period.book_name, period.customer_code)
