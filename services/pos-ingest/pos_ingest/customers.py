"""The customer of a book's invoices: a relation of the dossier, found by code, else by number or name, else made (R128, R129).

Who is who is decided by ``koppel_bookkeeping.parties``, as everywhere. Where the dossier has several customers that it could
be, a person says which, by its code.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import name_key, number_key, recognise
from koppel_mesh.service import Context

SOURCE: Final = "pos-ingest"
"""Whose list the relations are that we make."""
# What of a relation dossier-api takes and finds; the texts of a UBL have no limit.
NAME_LENGTH_MAX: Final = 200
CODE_LENGTH_MAX: Final = 60
NUMBER_LENGTH_MAX: Final = 40


class AmbiguousCustomer(Exception):
    """Several customers of the dossier could be meant.

    Attributes:
        asked: the code or name they share.
        count: how many there are.
    """

    def __init__(self, asked: str, count: int) -> None:
        super().__init__(f"{count} customers of the dossier are {asked}")
        self.asked = asked
        self.count = count


@dataclass(frozen=True)
class Relation:
    """A relation as dossier-api lists it."""

    source: str
    code: str
    name: str
    vat_number: str
    enterprise_number: str
    is_customer: bool
    blocked: bool = False
    """Only the vendor knows, and the connector asks it."""

    @classmethod
    def of(cls, item: dict[str, Any]) -> "Relation":
        """Return the relation that an item of the list is."""
        texts = {name: item[name] or "" for name in ("source", "code", "name", "vat_number", "enterprise_number")}
        return cls(is_customer=bool(item["is_customer"]), blocked=False, **texts)

    def has_role(self, side: Side) -> bool:
        """Return whether it may stand on an invoice of this side."""
        return side == "sale" and self.is_customer

    def is_numbered(self, code: str) -> bool:
        """Return whether it has this code."""
        return code == self.code


async def customer_of(context: Context, dossier_id: UUID, wanted: Party) -> Party:
    """Return the customer that is wanted, under the name and code by which the dossier has it.

    A code decides alone; it is made with that code where the dossier has no such relation. Without a code it is recognised by
    its numbers, else by its name, and made where it is nobody known; one that nothing names is not. May be repeated.

    Args:
        context: of the service.
        dossier_id: of a dossier that the caller may see.
        wanted: who it is; of its texts counts what dossier-api can hold.

    Raises:
        AmbiguousCustomer: a person has to say which.
        InternalCallError: dossier-api does not answer.
    """
    listed = f"/dossier-api/v1/dossiers/{dossier_id}/relations"
    wanted = _holdable(wanted)
    if wanted.code:
        found = _by_code(wanted, await _list(context, listed, code=wanted.code))
    else:
        numbers = {key for key in (number_key(wanted.enterprise_number), number_key(wanted.vat_number)) if key}
        by_number = [await _list(context, listed, number=number) for number in sorted(numbers)]
        named = await _list(context, listed, name=wanted.name) if wanted.name else []
        found = _by_name(wanted, [*(one for some in by_number for one in some), *named])
    if found is None and not (wanted.code or wanted.name or wanted.numbers):
        return wanted
    if found is None:
        made = replace(wanted, code=wanted.code or _code_of(wanted))
        await context.mesh.put_json(listed, {"source": SOURCE, "items": [_item(made)]})
        return made
    return replace(wanted, name=found.name, code=found.code)


def _holdable(wanted: Party) -> Party:
    """Return a party with the name as dossier-api keeps it, and without a code or a number that no relation can have.

    A code that is cut could be another customer's.
    """
    name = "".join(each if each.isprintable() else " " for each in wanted.name).strip()[:NAME_LENGTH_MAX].strip()
    code = wanted.code.strip()
    code = code if len(code) <= CODE_LENGTH_MAX and code.isprintable() else ""
    vat_number = wanted.vat_number if len(number_key(wanted.vat_number)) <= NUMBER_LENGTH_MAX else ""
    return replace(wanted, name=name, code=code, vat_number=vat_number)


def _by_code(wanted: Party, relations: list[Relation]) -> Relation | None:
    """Return the relation with that code. Two packages may give one code to two customers: then the name must tell."""
    if len({name_key(one.name) for one in relations}) > 1:
        same_name = [one for one in relations if name_key(one.name) == name_key(wanted.name)]
        if not same_name:
            raise AmbiguousCustomer(wanted.code, len(relations))
        return recognise(wanted, same_name, "sale") or same_name[0]
    return relations[0] if relations else None


def _by_name(wanted: Party, relations: list[Relation]) -> Relation | None:
    found = recognise(wanted, relations, "sale")
    if found is None or wanted.numbers:
        return found
    same = {one.code for one in relations if one.source == found.source and one.is_customer == found.is_customer}
    if len(same) > 1:
        raise AmbiguousCustomer(wanted.name, len(same))
    return found


def _code_of(wanted: Party) -> str:
    """Return the code of a relation that we make: its number, else its name in capitals; the same for the same customer."""
    number = number_key(wanted.enterprise_number) or number_key(wanted.vat_number)
    return (number or name_key(wanted.name).upper() or wanted.name)[:CODE_LENGTH_MAX].strip()


async def _list(context: Context, path: str, **wanted: str) -> list[Relation]:
    found: Iterable[dict[str, Any]] = (await context.mesh.get_json(path, params={**wanted, "limit": "200"}))["items"]
    return [Relation.of(item) for item in found]


def _item(party: Party) -> dict[str, Any]:
    known = {
        "code": party.code,
        "name": party.name,
        "enterprise_number": party.enterprise_number,
        "vat_number": party.vat_number,
        "email": party.email,
    }
    return {"is_customer": True, **{name: value for name, value in known.items() if value}}
