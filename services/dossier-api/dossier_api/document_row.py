"""What an intake becomes in a dossier: its kind, its state, its row. Refusals are problems.

Nothing is read and nothing written here: what decides is given. Only the id of a new row is made on the spot, and with it a
look at the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from koppel_bookkeeping import SIDES
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.sides import CREDIT_NOTES
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind, DocumentState

from . import kinds
from .duplicates import business_keys
from .intake import Intake
from .machine import Step, after
from .models.entry import ENTRY_FIELDS, NEEDED, DocumentPatch, EnteredLine, EnteredVat, Metadata, totals_problem
from .parsed import ParsedInvoice, ParsedStatements, finding

SALES_SIDE = frozenset(kind for kind, side in SIDES.items() if side == "sale")


@dataclass(frozen=True)
class Owner:
    """What of a dossier decides about its documents."""

    id: UUID
    firm_id: UUID
    enterprise_number: str
    approval_required: bool


def new_row(intake: Intake, owner: Owner) -> dict[str, Any]:
    """Return the row of the document that ``intake`` becomes.

    Raises:
        HttpProblem: 422 when it is not this dossier's, or the metadata contradict the document.
    """
    match intake.parsed:
        case ParsedInvoice() as parsed:
            said = _of_invoice(parsed, intake.metadata, owner)
        case ParsedStatements() as parsed:
            said = _of_statements(parsed, owner)
        case None:
            said = _of_entry(intake.metadata)
    step = Step.COMPLETE if intake.parsed or is_complete(said, intake.metadata) else Step.LACKS_DATA
    state = after(DocumentState.RECEIVED, step, approval_required=owner.approval_required)
    row = {
        "id": new_id(),
        "dossier_id": owner.id,
        "firm_id": owner.firm_id,
        "sha256": bytes.fromhex(intake.sha256),
        "state": state,
        "reference": intake.metadata.reference,
        "journal": intake.metadata.journal,
        "journals": intake.metadata.model_dump(mode="json")["journals"],
        "ledger_account": intake.metadata.ledger_account,
        "forward": intake.metadata.forward,
        "content": [file.row() for file in intake.files],
        "questions": [],
        **said,
    }
    return row | {"business_keys": business_keys(row) if step is Step.COMPLETE else []}


def has_doubtful_sign(row: Mapping[str, Any]) -> bool:
    """Return whether a document is a credit note of less than nothing, which senders write for two opposite things."""
    is_credit_note = DocumentKind(row["kind"]) in CREDIT_NOTES
    return (
        is_credit_note and row.get("total") is not None and row["total"] < 0 and not row["detail"].get("signs_reversed")
    )


def is_complete(row: dict[str, Any], given: DocumentPatch) -> bool:
    """Return whether a document that came as a bare PDF is known well enough to be filed.

    A person has to say that it is ``miscellaneous``; that is also what an unread PDF is called meanwhile.
    """
    kind = DocumentKind(row["kind"])
    if kind is DocumentKind.MISCELLANEOUS and given.kind is None:
        return False
    known = {name for name in ("number", "issue_date", "total") if row.get(name) is not None}
    if (row.get("detail") or {}).get("counterparty"):
        known.add("counterparty")
    return NEEDED[kind] <= known


def _of_invoice(parsed: ParsedInvoice, metadata: Metadata, owner: Owner) -> dict[str, Any]:
    refuse_entry(metadata, allowed=frozenset({"kind"}))
    kind = _kind(parsed, metadata, owner)
    return {
        "kind": kind,
        "number": parsed.number,
        "issue_date": parsed.issue_date,
        "due_date": parsed.due_date,
        "currency": parsed.currency,
        "total": parsed.total,
        "line_accounts": line_accounts({}, metadata.lines, {line.id for line in parsed.lines}),
        "detail": {
            "counterparty": (parsed.buyer if _sells(kind, parsed, metadata, owner) else parsed.seller).model_dump(
                mode="json"
            ),
            "lines": [line.model_dump(mode="json", exclude={"ledger_account"}) for line in parsed.lines],
            "vat": [each.model_dump(mode="json") for each in parsed.vat],
            "accounting_cost": parsed.accounting_cost,
            "self_billed": parsed.self_billed,
        },
        "findings": parsed.findings,
    }


def _of_statements(parsed: ParsedStatements, owner: Owner) -> dict[str, Any]:
    findings = list(parsed.findings)
    if parsed.holder_numbers and owner.enterprise_number not in parsed.holder_numbers:
        # Banks fill in the holder as they please: worth knowing, no reason to refuse what nobody else would book.
        holders = ", ".join(sorted(parsed.holder_numbers)[:5])
        findings.append(
            finding(
                "other_account_holder",
                "warning",
                nl=f"Het uittreksel noemt een andere houder: {holders}.",
                fr=f"L'extrait nomme un autre titulaire : {holders}.",
                en=f"The statement names another holder: {holders}.",
            )
        )
    return {
        "kind": parsed.kind,
        "number": parsed.number,
        "issue_date": parsed.closed_on,
        "currency": parsed.currency,
        "total": parsed.closing,
        "line_accounts": {},
        "detail": {"statements": parsed.statements},
        "findings": findings,
    }


def _sells(kind: DocumentKind, parsed: ParsedInvoice, metadata: Metadata, owner: Owner) -> bool:
    if kind is DocumentKind.MISCELLANEOUS:
        return owner.enterprise_number in parsed.parties.seller_numbers or metadata.direction == "sale"
    return kind in SALES_SIDE


def _kind(parsed: ParsedInvoice, metadata: Metadata, owner: Owner) -> DocumentKind:
    try:
        return kinds.decide(parsed.parties, owner.enterprise_number, metadata.direction, metadata.kind)
    except kinds.NotThisDossier:
        detail = f"{_named(parsed.seller)} invoices {_named(parsed.buyer)}; the dossier is {owner.enterprise_number}."
        raise HttpProblem(
            422, "not_this_dossier", "Neither party is this dossier; say direction=sale or purchase.", detail
        ) from None
    except kinds.KindContradicted as error:
        raise HttpProblem(422, "kind_contradicted", "The document is of another kind.", str(error)) from None


def _named(party: Counterparty) -> str:
    return f"{party.name or '?'} ({party.enterprise_number or party.vat_number or 'no number'})"


def _of_entry(metadata: Metadata) -> dict[str, Any]:
    kind = (
        metadata.kind
        or {
            "sale": DocumentKind.SALES_INVOICE,
            "purchase": DocumentKind.PURCHASE_INVOICE,
            None: DocumentKind.MISCELLANEOUS,
        }[metadata.direction]
    )
    return {"kind": kind, "line_accounts": {}, "findings": [], "detail": {}} | entered({}, metadata)


def entered(row: dict[str, Any], given: DocumentPatch) -> dict[str, Any]:
    """Return the columns that quick entry changes: what ``given`` says over what ``row`` has.

    Raises:
        HttpProblem: 422 when the VAT does not make the total.
    """
    detail = dict(row.get("detail") or {})
    changed: dict[str, Any] = {}
    for name in ("number", "issue_date", "due_date"):
        if name in given.model_fields_set:
            changed[name] = getattr(given, name)
    if given.kind is not None:
        changed["kind"] = given.kind
    if "total" in given.model_fields_set:
        changed["total"] = given.total.amount if given.total else None
        changed["currency"] = given.total.currency if given.total else None
    if "counterparty" in given.model_fields_set:
        detail["counterparty"] = given.counterparty.model_dump(mode="json") if given.counterparty else None
    if "vat" in given.model_fields_set:
        detail["vat"] = [each.model_dump(mode="json") for each in given.vat or []]
    if {"vat", "total"} & given.model_fields_set:
        _insist_on_totals(changed.get("total", row.get("total")), detail.get("vat") or [])
    if any(line.model_fields_set - {"id", "ledger_account"} for line in given.lines):
        detail["lines"] = [line.model_dump(mode="json", exclude={"ledger_account"}) for line in given.lines]
        changed["line_accounts"] = line_accounts({}, given.lines, {line.id for line in given.lines})
    elif given.lines:
        known = {line["id"] for line in detail.get("lines", [])}
        changed["line_accounts"] = line_accounts(row.get("line_accounts") or {}, given.lines, known)
    return changed | {"detail": detail}


def _insist_on_totals(total: Decimal | None, vat: list[dict[str, Any]]) -> None:
    # Either may be entered after the other; what is kept of both must agree.
    if (wrong := totals_problem(total, [EnteredVat.model_validate(each) for each in vat])) is not None:
        raise _invalid("vat", "vat_total", wrong)


def line_accounts(present: dict[str, str], lines: list[EnteredLine], known: set[str]) -> dict[str, str]:
    """Return the accounts set per line, ``lines`` over ``present``; null takes one away.

    Raises:
        HttpProblem: 422 when the document has no such line.
    """
    result = dict(present)
    for line in lines:
        if line.id not in known:
            raise _invalid("lines", "unknown_line", f"the document has no line {line.id[:100]!r}")
        if line.ledger_account is None:
            result.pop(line.id, None)
        else:
            result[line.id] = line.ledger_account
    return result


def refuse_entry(given: DocumentPatch, *, allowed: frozenset[str] = frozenset()) -> None:
    """Raise when ``given`` enters what a structured document tells itself."""
    named = sorted((given.model_fields_set & ENTRY_FIELDS) - allowed)
    contents = [line.id for line in given.lines if line.model_fields_set - {"id", "ledger_account"}]
    if named or contents:
        errors = [FieldError(field=name, rule="told_by_document", message="the document says so") for name in named]
        errors += [
            FieldError(field="lines", rule="told_by_document", message=f"line {line[:100]}") for line in contents[:20]
        ]
        raise HttpProblem(422, "told_by_document", "A structured document tells this itself.", errors=errors)


def _invalid(field: str, rule: str, message: str) -> HttpProblem:
    return HttpProblem(
        422,
        "invalid_request",
        "The request is not what this route takes.",
        errors=[FieldError(field=field, rule=rule, message=message)],
    )
