"""What Belgian documents share: parties by enterprise number, structured references, the receipts of a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from koppel_ubl.errors import WriteError
from koppel_ubl.identifiers import format_structured_reference, normalise_enterprise_number, parse_structured_reference
from koppel_ubl.model import (
    Address,
    Contact,
    Identifier,
    Invoice,
    Item,
    Line,
    Party,
    PaymentMeans,
    Price,
    VatCategory,
)

ENTERPRISE_SCHEME = "0208"
"""The Crossroads Bank for Enterprises, in the list of electronic addresses (EAS) as in that of registrations (ICD)."""
_CREDIT_TRANSFER = "30"


def party(
    name: str,
    enterprise_number: str,
    address: Address,
    *,
    is_vat_registered: bool = True,
    contact: Contact | None = None,
) -> Party:
    """Return a Belgian business: its number is its electronic address, its registration and, with ``BE``, its VAT number.

    Raises:
        WriteError: that is no enterprise number, or its check digits fail.
    """
    number = normalise_enterprise_number(enterprise_number)
    if number is None:
        raise WriteError("enterprise_number", f"{enterprise_number!r} is no enterprise number.", "enterprise_number")
    identifier = Identifier(number, ENTERPRISE_SCHEME)
    return Party(
        name=name,
        endpoint=identifier,
        registration=identifier,
        vat_number=f"BE{number}" if is_vat_registered else None,
        address=address,
        contact=contact,
    )


def credit_transfer(iban: str, structured_reference: str | None = None, *, bic: str | None = None) -> PaymentMeans:
    """Return the way to pay into an account, with the reference as banks read it: ``+++123/4567/89002+++``.

    Raises:
        WriteError: the check digits of the reference fail.
    """
    references: tuple[str, ...] = ()
    if structured_reference is not None:
        digits = parse_structured_reference(structured_reference)
        if digits is None:
            raise WriteError("structured_reference", f"{structured_reference!r} is none.", "structured_reference")
        references = (format_structured_reference(digits),)
    return PaymentMeans(code=_CREDIT_TRANSFER, references=references, account=iban.replace(" ", ""), bic=bic)


def daily_receipts(
    number: str, day: date, seller: Party, takings: Iterable[tuple[VatCategory, Decimal]], *, buyer_name: str
) -> Invoice:
    """Return the draft of the invoice that carries a day's receipts into the books (R130, R140).

    Its customer is nobody in particular, so it is built with ``including_vat_prices`` and the profile ``en16931``; it is meant
    for bookkeeping, not for the network.

    Args:
        number: of the invoice.
        day: on which the customers paid.
        seller: whose receipts they are.
        takings: for each VAT category and rate, what customers paid, VAT included.
        buyer_name: the customer under which the books keep receipts, such as ``Dagontvangsten``.
    """
    country = seller.address.country if seller.address else None
    return Invoice(
        number=number,
        issue_date=day,
        due_date=day,
        seller=seller,
        buyer=Party(name=buyer_name, address=Address(country=country)),
        lines=tuple(
            Line(
                quantity=Decimal(1) if amount >= 0 else Decimal(-1),
                price=Price(net=abs(amount)),
                item=Item(name=f"{buyer_name} {day:%d.%m.%Y}"),
                vat=vat,
            )
            for vat, amount in takings
        ),
    )
