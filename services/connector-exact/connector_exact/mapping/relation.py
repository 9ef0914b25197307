"""The counterparty in Exact: recognised by VAT number, enterprise number, name, then code — or described anew."""

import re
from collections.abc import Iterable
from typing import Any, Final

from connector_exact import odata
from connector_exact.masters import Relation, Side, name_key, number_key
from koppel_connector.contract.connector import MasterDataStore

from .booking import Party

NAME_LENGTH_MAX: Final = 50


def digits(number: str) -> str:
    """Return an enterprise or VAT number bare: letters and digits only, capitals."""
    return re.sub(r"[^0-9A-Za-z]", "", number).upper()


def search_terms(party: Party) -> list[str]:
    """Return the filter terms that together find every relation ``recognise`` could choose, the surest first."""
    terms = [f"VATNumber eq {odata.text(spelling)}" for spelling in _vat_spellings(party)]
    terms.append(f"Name eq {odata.text(party.name[:NAME_LENGTH_MAX])}")
    if party.enterprise_number:
        terms.append(f"ChamberOfCommerce eq {odata.text(digits(party.enterprise_number))}")
    if party.code:
        terms.append(f"trim(Code) eq {odata.text(party.code)}")
    return terms


def _vat_spellings(party: Party) -> list[str]:
    vat = digits(party.vat_number)
    if not vat:
        return []
    bare = vat[2:]
    spellings = [vat, bare]
    if vat.startswith("BE") and len(bare) == 10:
        dotted = f"{bare[:4]}.{bare[4:7]}.{bare[7:]}"
        spellings += [f"BE {dotted}", f"BE{dotted}", f"BE {bare}"]
    return spellings


def candidates(party: Party, book: MasterDataStore) -> list[Relation]:
    """Return the imported relations that could be this party, by the keys they are kept under."""
    numbers = {number_key(party.vat_number), number_key(party.enterprise_number)} - {""}
    lines = [
        line
        for number in numbers
        for key in ("vat_key", "enterprise_key")
        for line in book.find(Relation.kind, key, number)
    ]
    for key in _name_keys(party):
        lines += book.find(Relation.kind, "name_key", key)
    if party.code and (line := book.get(Relation.kind, party.code)) is not None:
        lines.append(line)
    return [Relation.of(line) for line in {line.remote_id: line for line in lines}.values()]


def recognise(party: Party, relations: Iterable[Relation], side: Side) -> Relation | None:
    """Return the relation that is this party; of several one that is not blocked, has the role, then the lowest code."""
    names = _name_keys(party)
    ranked = [(rank, relation) for relation in relations if (rank := _rank(party, relation)) is not None]
    if not ranked:
        return None
    return min(
        ranked,
        key=lambda pair: (
            pair[0],
            pair[1].blocked,
            not has_role(pair[1], side),
            name_key(pair[1].name) not in names,
            pair[1].code,
        ),
    )[1]


def _rank(party: Party, relation: Relation) -> int | None:
    """How a relation was recognised; None when it is somebody else. Another VAT number is always somebody else."""
    ours, theirs = number_key(party.vat_number), number_key(relation.vat_number)
    if ours and theirs:
        return 0 if ours == theirs else None
    enterprise, registered = number_key(party.enterprise_number), number_key(relation.enterprise_number)
    if {ours, enterprise} & {theirs, registered} - {""}:
        return 1
    if enterprise and registered:
        return None
    if name_key(relation.name) in _name_keys(party):
        return 2
    return 3 if party.code and party.code == relation.code else None


def _name_keys(party: Party) -> list[str]:
    """Return the keys of a party's name: in full, and as much of it as ``creation`` could write in Exact."""
    return list(dict.fromkeys(name_key(name) for name in (party.name, party.name[:NAME_LENGTH_MAX])))


def has_role(relation: Relation, side: Side) -> bool:
    """Whether the relation may stand on an entry of this side (§3.4)."""
    return relation.is_customer if side == "sale" else relation.is_supplier


def creation(party: Party, side: Side) -> dict[str, Any]:
    """Return the body that makes the relation, with the role the entry will demand."""
    body = {
        "Name": party.name[:NAME_LENGTH_MAX],
        "VATNumber": digits(party.vat_number),
        "ChamberOfCommerce": digits(party.enterprise_number),
        "AddressLine1": party.street[:100],
        "Postcode": party.postcode[:20],
        "City": party.city[:100],
        "Country": party.country,
        "Email": party.email[:250],
        "Phone": party.phone[:50],
    }
    return {name: value for name, value in body.items() if value} | role(side)


def role(side: Side) -> dict[str, Any]:
    """Return only what a relation lacks to play its role; a PUT that also carries Code fails (§3.4)."""
    return {"Status": "C"} if side == "sale" else {"IsSupplier": True}
