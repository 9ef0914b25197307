"""Relations: customers and suppliers in one record (octopus §2.4)."""

import re
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from koppel_sandbox.tables import Record, wire

from .call import DossierCall, answer
from .errors import Refusal
from .feeds import changed, some
from .masters import refuse_lists
from .state import Books

BELGIAN_VAT_PAYER = 1
VAT_TYPES = frozenset({0, 1, 4, 6, 7, 8, 9, 10})
_TEXTS = [
    "name",
    "firstName",
    "contactPerson",
    "streetAndNr",
    "postalCode",
    "city",
    "telephone",
    "mobile",
    "fax",
    "email",
    "url",
    "vatNr",
    "currencyCode",
    "ibanAccountNr",
    "bicCode",
    "bankAccountNr",
    "remarks",
    "searchField1",
    "searchField2",
    "profession",
    "deliveryStreetAndNr",
    "deliveryPostalCode",
    "deliveryCity",
    "sddMandateType",
    "sddSeqtype",
]
_FLAGS = ("client", "supplier", "active", "sddActive")
_NUMBERS = [
    "vatType",
    "corporationType",
    "defaultBookingAccountClient",
    "defaultBookingAccountSupplier",
    "expirationDays",
    "expirationType",
    "factLanguage",
    "supplierPaymentMethod",
]
_OPTIONAL_TEXTS = ("country", "deliveryCountry")
"""Two letters, or absent."""
BLANK: Record = {
    **dict.fromkeys(_TEXTS, ""),
    **dict.fromkeys(_FLAGS, False),
    **dict.fromkeys(_NUMBERS, 0),
    "active": True,
    "currencyCode": "EUR",
    "financialDiscount": 0,
}


def relations(call: DossierCall) -> Response:
    """``GET …/relations``: all, or those that one filter leaves (20, 21)."""
    refuse_lists(call)
    every = call.books.relations.values()
    if (key := call.whole_number("relationId")) is not None:
        return some([one for one in every if _keys(one)["relationKey"]["id"] == key], -16)
    if (external := call.whole_number("extRelationId")) is not None:
        return some([one for one in every if _keys(one)["externalRelationId"] == external], -16)
    if (name := call.query("name")) is not None:
        return some([one for one in every if one["name"].casefold() == name.casefold()], -16)
    if (number := call.query("vatNr")) is not None:
        spelled = str if call.switches.strict_vat_filter else _compact
        return some([one for one in every if spelled(one["vatNr"]) == spelled(number)], -16)
    return some(every, -16)


def modified(call: DossierCall) -> Response:
    """``GET …/relations/modified``."""
    return some(changed(call, call.books.relations), -16)


def put(call: DossierCall) -> Response:
    """``PUT …/relations``: 201 with the record when it is new, 204 when it was there (22)."""
    body = call.body()
    keys = body.get("relationIdentificationServiceData") or {}
    if not isinstance(keys, dict):
        raise call.bad_parameter("relationIdentificationServiceData")
    stored = find(call.books, keys)
    given = _checked(call, body)
    partly = stored is not None and not call.switches.sparse_put_blanks
    record = {**BLANK, **(stored if stored is not None and partly else {}), **given}
    _check_whole(call, record)
    number = new_key(call.books) if stored is None else _keys(stored)["relationKey"]["id"]
    external = _whole(keys.get("externalRelationId")) or (_keys(stored)["externalRelationId"] if stored else 0)
    record["relationIdentificationServiceData"] = {"relationKey": {"id": number}, "externalRelationId": external}
    call.books.put(call.books.relations, str(number), record)
    return _made(call, record) if stored is None else Response(status_code=204)


def _made(call: DossierCall, record: Record) -> Response:
    """Answer with as much of a new relation as the switch says."""
    keys = _keys(record)
    match call.switches.new_relation_answer:
        case "numbers":
            return answer(keys, 201)
        case "key":
            return answer(keys["relationKey"], 201)
        case "number":
            return answer(keys["relationKey"]["id"], 201)
        case "nothing":
            return Response(status_code=201)
    return answer(wire(record), 201)


def find(books: Books, keys: Record) -> Record | None:
    """Return the relation of ``relationIdentificationServiceData``: by its key, else by its external number."""
    key = keys.get("relationKey")
    number = _whole(key.get("id")) if isinstance(key, dict) else 0
    if number and (found := books.relations.get(str(number))) is not None:
        return found
    external = _whole(keys.get("externalRelationId"))
    every = books.relations.values() if external else ()
    return next((one for one in every if _keys(one)["externalRelationId"] == external), None)


def new_key(books: Books) -> int:
    """Return the next relation number."""
    return max((int(key) for key in books.relations), default=0) + 1


def _checked(call: DossierCall, body: Record) -> Record:
    """Return the fields of a relation that Octopus knows; others, and other casings of them, are lost (octopus §2.4)."""
    kinds: dict[str, type] = dict.fromkeys((*_TEXTS, *_OPTIONAL_TEXTS), str)
    kinds |= dict.fromkeys(_FLAGS, bool) | dict.fromkeys(_NUMBERS, int)
    found: Record = {}
    for name, kind in kinds.items():
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise call.bad_parameter(name)
        found[name] = value
    if isinstance(discount := body.get("financialDiscount"), int | Decimal) and not isinstance(discount, bool):
        found["financialDiscount"] = discount
    return found


def _check_whole(call: DossierCall, record: Record) -> None:
    """Refuse a relation of which a field is missing or wrong (23)."""
    if not record["name"].strip():
        raise _refusal(call, "name")
    for name in _OPTIONAL_TEXTS:
        if name in record and not re.fullmatch("[A-Za-z]{2}", record[name]):
            raise _refusal(call, name)
    if record["vatType"] not in VAT_TYPES or (call.switches.vat_type_mandatory and record["vatType"] == 0):
        raise _refusal(call, "vatType")
    if (
        call.switches.vat_numbers_checked
        and record["vatType"] == BELGIAN_VAT_PAYER
        and not _is_belgian(record["vatNr"])
    ):
        raise _refusal(call, "vatNr")


def _refusal(call: DossierCall, field: str) -> Refusal:
    return Refusal(call.switches.bad_relation_status, -7, field)


def _keys(relation: Record) -> Any:
    return relation["relationIdentificationServiceData"]


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _compact(number: str) -> str:
    return re.sub("[^A-Z0-9]", "", number.upper())


def _is_belgian(number: str) -> bool:
    """Return whether these are ten digits whose last two are 97 less the rest modulo 97."""
    digits = _compact(number).removeprefix("BE").rjust(10, "0")
    return bool(re.fullmatch(r"[01]\d{9}", digits)) and 97 - int(digits[:8]) % 97 == int(digits[8:])
