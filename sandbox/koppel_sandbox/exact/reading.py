"""GET: lists with ``$filter``, ``$select``, ``$expand``, ``$orderby``, ``$top``, ``$inlinecount`` and opaque pages; by key."""

import base64
import operator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response

from .call import Call
from .odata.filter import Filter, FilterError
from .odata.replies import Refusal, atom, reply, shown
from .resources import Resource
from .state import Division, Record

_MANDATORY = (
    "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a $filter parameter with one of"
    " the following fields in the url:"
)


def answer(call: Call, resource: Resource, *, allowed: bool) -> Response:
    """Answer a GET. Without the right to read it is an empty list, not a refusal (point 15)."""
    accept = call.request.headers.get("accept", "")
    if "application/xml" in accept and "json" not in accept:
        raise Refusal(415, "Unsupported media type requested.")
    if call.key is not None:
        return _single(call, resource, allowed)
    rows = _filtered(call, resource) if allowed else []
    if "json" not in accept:
        return atom(resource.path, min(len(rows), resource.page_size))
    if call.collection == "$count":
        return PlainTextResponse(str(len(rows)))
    return _page(call, resource, rows)


def records(call: Call, resource: Resource) -> list[Record]:
    """Return every record of a resource, those a fault hides left out."""
    if resource.table.startswith("@"):
        return _COMPUTED[resource.table](call)
    if resource.table.endswith("EntryLines"):
        # Lines live inside their entry; asked for by themselves they say which one it is.
        return [
            line | {"EntryID": entry["EntryID"]}
            for entry in _visible(call, "Entries")
            for line in entry.get(resource.table) or []
        ]
    party = "Customer" if "salesentry" in resource.path else "Supplier" if "purchaseentry" in resource.path else ""
    return [row for row in _visible(call, resource.table) if resource.table != "Entries" or party in row]


def _visible(call: Call, table: str) -> list[Record]:
    """Return the records of a table that searches show by now."""
    division, now = call.division, call.state.clock.epoch()
    return [row for key, row in division.tables[table].items() if division.hidden_until.get(key, 0.0) <= now]


def _filtered(call: Call, resource: Resource) -> list[Record]:
    source = call.query.get("$filter")
    if resource.select_needed and not call.query.get("$select") and call.query.get("$top") != "1":
        raise Refusal(400, "Please add a $select or a $top=1 statement to the query string.")
    if source is None:
        if resource.filter_one_of:
            raise Refusal(400, _MANDATORY + ",".join(resource.filter_one_of))
        return records(call, resource)
    try:
        compiled = Filter(source)
    except FilterError as error:
        raise Refusal(400, f"This $filter parameter is not supported for this resource: {error}") from None
    unknown = sorted(compiled.fields - resource.fields.keys())
    if resource.only_timestamp:
        unknown = sorted(compiled.fields - {"Timestamp"})
    if unknown:
        raise Refusal(400, f"Filtering on these fields is not supported: {','.join(unknown)}")
    if resource.filter_one_of and not compiled.fields & set(resource.filter_one_of):
        raise Refusal(400, _MANDATORY + ",".join(resource.filter_one_of))
    rows = [row for row in records(call, resource) if compiled(row)]
    return sorted(rows, key=lambda row: int(row["Timestamp"])) if resource.only_timestamp else rows


def _page(call: Call, resource: Resource, rows: list[Record]) -> Response:
    query = call.query
    fields, line_fields = _selected(call, resource)
    rows = _ordered(resource, rows, query.get("$orderby", ""))
    start = _decode_skip(query.get("$skiptoken")) + _number(query.get("$skip"), "$skip")
    top = _number(query["$top"], "$top") if "$top" in query else len(rows)
    size = min(resource.page_size, max(top - _decode_skip(query.get("$skiptoken")), 0))
    page = rows[start : start + size]
    body: dict[str, Any] = {"results": [_out(call, resource, row, fields, line_fields) for row in page]}
    if query.get("$inlinecount") == "allpages":
        body["__count"] = str(len(rows))
    if start + size < min(len(rows), top) and size:
        following = {**query, "$skiptoken": _encode_skip(start + size)}
        following.pop("$skip", None)
        body["__next"] = call.uri(resource.path) + "?" + urlencode(following)
    return reply(body)


def _ordered(resource: Resource, rows: list[Record], orders: str) -> list[Record]:
    for order in reversed([each for each in orders.split(",") if each.strip()]):
        name, _, direction = order.strip().partition(" ")
        if name not in resource.fields or direction not in {"", "asc", "desc"}:
            raise Refusal(400, f"Invalid $orderby: {order.strip()}")
        known = [row for row in rows if row.get(name) is not None]
        unknown = [row for row in rows if row.get(name) is None]
        ranked = sorted(known, key=operator.itemgetter(name), reverse=direction == "desc")
        rows = ranked + unknown if direction == "desc" else unknown + ranked
    return rows


def _single(call: Call, resource: Resource, allowed: bool) -> Response:
    row = next((one for one in records(call, resource) if str(one.get(resource.key, "")).lower() == call.key), None)
    if row is None or not allowed:
        raise Refusal(404, "Not found")
    if call.collection and call.collection == resource.lines:
        return reply(
            {"results": [_line_out(call, resource, line, list(resource.line_fields)) for line in row[resource.lines]]}
        )
    fields, line_fields = _selected(call, resource)
    return reply(_out(call, resource, row, fields, line_fields))


def _selected(call: Call, resource: Resource) -> tuple[list[str], list[str]]:
    select = call.query.get("$select", "").replace(" ", "")
    names = [name for name in select.split(",") if name and name != "*"]
    own = [name for name in names if "/" not in name and name != resource.lines] or list(resource.fields)
    lines = [name.partition("/")[2] for name in names if name.startswith(f"{resource.lines}/")] or list(
        resource.line_fields
    )
    unknown = [name for name in own if name not in resource.fields] + [
        n for n in lines if n not in resource.line_fields
    ]
    if unknown:
        raise Refusal(400, f"The request URI is not valid: could not find a property named '{unknown[0]}'.")
    return own, lines


def _out(call: Call, resource: Resource, row: Record, fields: list[str], line_fields: list[str]) -> Record:
    key = row[resource.key]
    quoted = f"guid'{key}'" if resource.fields.get(resource.key) == "G" else str(key)
    uri = call.uri(f"{resource.path}({quoted})")
    out = shown(row, fields, uri, f"Exact.Web.Api.Models.{resource.type_name}")
    if resource.lines:
        if resource.lines in call.query.get("$expand", "").split(","):
            out[resource.lines] = {
                "results": [_line_out(call, resource, line, line_fields) for line in row[resource.lines]]
            }
        elif resource.lines in call.query.get("$select", "").split(",") or "$select" not in call.query:
            out[resource.lines] = {"__deferred": {"uri": f"{uri}/{resource.lines}"}}
    return out


def _line_out(call: Call, resource: Resource, line: Record, fields: list[str]) -> Record:
    path = f"{resource.path.partition('/')[0]}/{resource.lines}(guid'{line['ID']}')"
    return shown(line, fields, call.uri(path), f"Exact.Web.Api.Models.{resource.lines}")


def _number(text: str | None, name: str) -> int:
    if text is None:
        return 0
    if not text.isdecimal():
        raise Refusal(400, f"Incorrect value for {name}")
    return int(text[:9])


def _encode_skip(at: int) -> str:
    # Opaque on purpose: whoever builds one himself gets it wrong.
    return base64.urlsafe_b64encode(f"at:{at}".encode()).decode()


def _decode_skip(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("at:"))
    except ValueError:
        raise Refusal(400, "Invalid $skiptoken") from None


# ---------------------------------------------------------------------------------------------- what is derived, not kept


def _divisions(call: Call) -> list[Record]:
    reachable = [
        division
        for division in call.state.divisions.values()
        if division.code in call.user.granted & call.user.divisions
    ]
    return [_division_record(call, division) for division in reachable]


def _division_record(call: Call, division: Division) -> Record:
    return {
        "Code": division.code,
        "Hid": str(division.code)[-4:],
        "HID": str(division.code)[-4:],
        "Description": division.name,
        "CustomerCode": str(division.code),
        "CustomerName": division.name,
        "Country": "BE ",
        "Currency": "EUR",
        "VATNumber": division.vat_number,
        "ChamberOfCommerceNumber": division.vat_number.removeprefix("BE"),
        "Status": 1,
        "BlockingStatus": 0,
        "Legislation": "3",
        "IsMainDivision": False,
        "IsDossierDivision": True,
        "IsPracticeDivision": False,
        "Current": division.code == call.user.current_division,
        "Main": False,
    }


def _hrm_divisions(call: Call) -> list[Record]:
    # Another scale of Status: 0 normal, 1 archived (exact §3.2).
    return [record | {"Status": 0} for record in _divisions(call)]


def _periods(call: Call) -> list[Record]:
    found = []
    for year in sorted(call.division.years):
        for period in range(1, 13):
            end = (date(year, period, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            found.append(
                {
                    "ID": f"00000000-0000-0000-0000-{year:08d}{period:04d}",
                    "FinYear": year,
                    "FinPeriod": period,
                    "StartDate": date(year, period, 1),
                    "EndDate": end,
                    "Division": call.division.code,
                }
            )
    return found


def _journal_status(call: Call) -> list[Record]:
    return [
        {
            "Journal": journal["Code"],
            "JournalDescription": journal["Description"],
            "JournalType": journal["Type"],
            "Year": year,
            "Period": period,
            "Status": int((journal["Code"], year, period) in call.division.closed),
        }
        for journal in call.division.tables["Journals"].values()
        for year in sorted(call.division.years)
        for period in range(1, 13)
    ]


def _transaction_lines(call: Call) -> list[Record]:
    found = []
    for entry in _visible(call, "Entries"):
        lines = entry.get("SalesEntryLines") or entry.get("PurchaseEntryLines") or []
        party = entry.get("Customer") or entry.get("Supplier")
        head = {
            "EntryID": entry["EntryID"],
            "EntryNumber": entry["EntryNumber"],
            "JournalCode": entry["Journal"],
            "FinancialYear": entry["ReportingYear"],
            "FinancialPeriod": entry["ReportingPeriod"],
            "Status": entry["Status"],
            "YourRef": entry.get("YourRef"),
            "Document": entry.get("Document"),
            "Account": party,
            "Date": entry["EntryDate"],
            "InvoiceNumber": entry["InvoiceNumber"],
            "Timestamp": entry["Timestamp"],
            "Modified": entry["Modified"],
        }
        # Line 0 is the header row: the receivable or payable (exact §2, sync).
        has_header = call.state.switches.header_rows or call.path.startswith("sync/")
        found.append(
            head
            | {
                "ID": entry["EntryID"],
                "LineNumber": 0 if has_header else len(lines) + 1,
                "AmountDC": entry["AmountDC"],
                "AmountFC": entry["AmountFC"],
            }
        )
        found += [
            head
            | {
                "ID": line["ID"],
                "LineNumber": line["LineNumber"],
                "AmountDC": -line["AmountDC"],
                "AmountFC": -line["AmountFC"],
                "GLAccount": line["GLAccount"],
                "VATCode": line.get("VATCode"),
                "Description": line.get("Description"),
            }
            for line in lines
        ]
    return found


def _webhooks(call: Call) -> list[Record]:
    return [hook for hook in call.state.webhooks.values() if hook["Division"] == call.division.code]


_COMPUTED = {
    "@divisions": _divisions,
    "@hrm_divisions": _hrm_divisions,
    "@periods": _periods,
    "@journal_status": _journal_status,
    "@transaction_lines": _transaction_lines,
    "@webhooks": _webhooks,
}
