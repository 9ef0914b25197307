"""POST, PUT and DELETE: values converted as the service does, then the checks of each kind of record, then stored."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from . import accounts, bank, documents, entries, mailbox, webhooks
from .call import Call
from .odata.replies import Refusal, reply, shown
from .resources import Resource
from .state import Record
from .texts import say

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_AN_OBJECT = "Error processing request stream. The request should be a valid top-level resource object."
_CONVERT = (
    "Error processing request stream. Error encountered in converting the value from request payload"
    " for property '{}' to type '{}'."
)
_NET_TYPES = {"G": "Guid", "S": "String", "I": "Int32", "D": "Double", "B": "Boolean", "T": "DateTime"}
BODY_MAX_BYTES = 38_000_000

Check = Callable[[Call, Resource, Record], Any]
_ON_POST: dict[str, Check] = {
    "Accounts": accounts.on_post,
    "Entries": entries.on_post,
    "SalesEntryLines": entries.on_line_post,
    "PurchaseEntryLines": entries.on_line_post,
    "Documents": documents.on_post,
    "DocumentAttachments": documents.on_attach,
    "BankEntries": bank.on_post,
    "MailMessagesSent": mailbox.on_send,
    "MailMessageAttachments": mailbox.on_attach,
    "@webhooks": webhooks.on_subscribe,
}
_ON_PUT: dict[str, Callable[[Call, Resource, Record, Record], Any]] = {
    "Accounts": accounts.on_put,
    "Entries": entries.on_put,
}
_ON_DELETE: dict[str, Callable[[Call, Resource, Record], Any]] = {
    "Entries": entries.on_delete,
    "SalesEntryLines": entries.on_line_delete,
    "PurchaseEntryLines": entries.on_line_delete,
    "BankEntries": bank.on_delete,
}


async def answer(call: Call, resource: Resource) -> Response:
    """Answer a write: 201 with Location and the record for POST, 204 for PUT and DELETE (points 26, 27)."""
    if call.request.method == "POST":
        return await _post(call, resource)
    stored = _stored(call, resource)
    if call.request.method == "DELETE":
        handle = _ON_DELETE.get(resource.table)
        if handle is not None:
            handle(call, resource, stored)
        elif resource.table == "@webhooks":
            del call.state.webhooks[stored["ID"]]
        else:
            call.division.remove(resource.table, str(stored[resource.key]))
        webhooks.notify(call, resource, str(stored[resource.key]), "Delete")
    else:
        changes = _converted(call, resource, await _body(call))
        if (check := _ON_PUT.get(resource.table)) is not None:
            check(call, resource, stored, changes)
        stored.update(changes, Modified=call.state.clock.now())
        call.division.put(resource.table, str(stored[resource.key]), stored)
        webhooks.notify(call, resource, str(stored[resource.key]), "Update")
    return Response(status_code=204)


async def _post(call: Call, resource: Resource) -> Response:
    if call.key is not None:
        raise Refusal(400, _NOT_AN_OBJECT)
    record = _converted(call, resource, await _body(call))
    missing = [
        say(f"Mandatory: {name}", call.language) for name in resource.mandatory if record.get(name) in (None, "")
    ]
    if missing:
        raise Refusal(500, *missing)
    now = call.state.clock.now()
    record = {**record, "Created": now, "Modified": now}
    if call.state.switches.own_ids_kept == "all" or resource.table == "Entries":
        record.setdefault(resource.key, str(uuid4()))
    else:
        record[resource.key] = str(uuid4())
    if str(record[resource.key]) in call.division.tables[resource.table]:
        raise Refusal(500, say("Data already exists", call.language))
    handle = _ON_POST.get(resource.table)
    answerable = handle(call, resource, record) if handle is not None else None
    record = answerable if isinstance(answerable, dict) else record
    key = str(record[resource.key])
    if resource.table != "@webhooks" and not resource.table.endswith("EntryLines"):
        call.division.put(resource.table, key, record)
    call.touched = key
    if call.state.switches.search_lag_s:
        call.division.hidden_until[key] = call.state.clock.epoch() + call.state.switches.search_lag_s
    webhooks.notify(call, resource, key, "Update")
    uri = call.uri(f"{resource.path}(guid'{key}')")
    fields = list(resource.fields)
    if "return=representation" not in call.request.headers.get("prefer", ""):
        # Without Prefer nearly everything comes back null but the key (point 26).
        record = {resource.key: key}
    out = shown(record, fields, uri, f"Exact.Web.Api.Models.{resource.type_name}")
    out.pop("Attachment", None)
    if resource.lines:
        out[resource.lines] = {"__deferred": {"uri": f"{uri}/{resource.lines}"}}
    return reply(out, 201, {"Location": uri})


async def _body(call: Call) -> Record:
    raw = await call.request.body()
    if len(raw) > BODY_MAX_BYTES:
        raise Refusal(413, "Request too large")
    try:
        body = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, _NOT_AN_OBJECT)
    return body


def _stored(call: Call, resource: Resource) -> Record:
    if call.key is None:
        raise Refusal(400, "The key is missing.")
    if resource.table == "@webhooks":
        found = call.state.webhooks.get(call.key)
    elif resource.table.endswith("EntryLines"):
        found = entries.find_line(call, resource, call.key)
    else:
        found = call.division.tables[resource.table].get(call.key)
    if found is None:
        raise Refusal(404, "Not found")
    return found


def _converted(call: Call, resource: Resource, body: Record) -> Record:
    record: Record = {}
    for name, value in body.items():
        if name == resource.lines:
            lines = value.get("results") if isinstance(value, dict) else value
            if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
                raise Refusal(400, _NOT_AN_OBJECT)
            record[name] = [_record(call, line, resource.line_fields, frozenset()) for line in lines]
    return record | _record(call, body, resource.fields, resource.read_only)


def _record(call: Call, body: Record, fields: dict[str, str], read_only: frozenset[str]) -> Record:
    record: Record = {}
    for name, value in body.items():
        kind = fields.get(name)
        if kind is None:
            if call.state.switches.unknown_properties == "refuse" and not name.endswith("Lines"):
                raise Refusal(400, f"Error processing request stream. The property name '{name}' is not valid.")
            continue
        if name in read_only:
            continue
        record[name] = None if value is None else _value(name, kind, value)
    return record


def _value(name: str, kind: str, value: Any) -> Any:  # noqa: C901 - one line a type
    try:
        match kind:
            case "G":
                if _GUID.fullmatch(value):
                    return value.lower()
            case "S" if name == "Attachment":
                return base64.b64decode(value, validate=True)
            case "S":
                if isinstance(value, str):
                    return value
            case "I":
                if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31:
                    return value
            case "B":
                if isinstance(value, bool):
                    return value
            case "D":
                if not isinstance(value, bool) and (number := Decimal(str(value))).is_finite():
                    return number
            case "T":
                return _day(value)
    except (TypeError, ValueError, InvalidOperation, binascii.Error):
        pass
    net = "Byte[]" if name == "Attachment" else _NET_TYPES[kind]
    raise Refusal(400, _CONVERT.format(name, net))


def _day(value: str) -> date | datetime:
    if found := re.fullmatch(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/", value):
        return datetime.fromtimestamp(int(found[1]) / 1000, UTC).date()
    return datetime.fromisoformat(value).date()
