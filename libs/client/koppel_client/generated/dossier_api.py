# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class DossierApi:
    """The calls of dossier-api."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/dossier-api"

    def create_dossier(self, body: models.NewDossier, *, idempotency_key: str | None = None) -> models.DossierBody:
        """Make a dossier. Its enterprise number need not be unique in the office."""
        answer: models.DossierBody = self._koppel.call(
            "POST", f"{self._base}/v1/dossiers", body=body, idempotency_key=idempotency_key
        )
        return answer

    def list_dossiers(
        self, *, pending: bool | None = None, q: str | None = None, limit: int | None = None, after: str | None = None
    ) -> models.PageDossierBody:
        """List dossiers, oldest first; ``pending`` keeps those with papers in quick entry or documents ready to export."""
        answer: models.PageDossierBody = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers", query={"pending": pending, "q": q, "limit": limit, "after": after}
        )
        return answer

    def iterate_dossiers(self, *, pending: bool | None = None, q: str | None = None) -> Iterator[models.DossierBody]:
        """Go through all pages of ``list_dossiers``."""
        return self._koppel.items(f"{self._base}/v1/dossiers", {"pending": pending, "q": q})

    def get_dossier(self, dossier_id: str) -> models.DossierDetail:
        """Return a dossier with its connections and how many problems are open."""
        answer: models.DossierDetail = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}"
        )
        return answer

    def change_dossier(self, dossier_id: str, body: models.DossierPatch) -> models.DossierBody:
        """Change some of a dossier. Its enterprise number stays once documents were filed under it."""
        answer: models.DossierBody = self._koppel.call(
            "PATCH", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}", body=body
        )
        return answer

    def hand_in_document(
        self,
        dossier_id: str,
        body: bytes,
        *,
        direction: Literal["sale", "purchase"] | None = None,
        media_type: str,
        idempotency_key: str | None = None,
    ) -> models.Document:
        """Take a document in: UBL, PDF, or both as multipart. The same bytes again answer 200 with the document they made."""
        answer: models.Document = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/documents",
            query={"direction": direction},
            body=body,
            media_type=media_type,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_documents(
        self,
        *,
        dossier_id: str | None = None,
        state: models.DocumentState | None = None,
        kind: models.DocumentKind | None = None,
        from_: str | None = None,
        to: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageDocumentSummary:
        """List documents: latest arrival first, or, within a period, latest issue date first."""
        answer: models.PageDocumentSummary = self._koppel.call(
            "GET",
            f"{self._base}/v1/documents",
            query={
                "dossier_id": dossier_id,
                "state": state,
                "kind": kind,
                "from": from_,
                "to": to,
                "limit": limit,
                "after": after,
            },
        )
        return answer

    def iterate_documents(
        self,
        *,
        dossier_id: str | None = None,
        state: models.DocumentState | None = None,
        kind: models.DocumentKind | None = None,
        from_: str | None = None,
        to: str | None = None,
    ) -> Iterator[models.DocumentSummary]:
        """Go through all pages of ``list_documents``."""
        return self._koppel.items(
            f"{self._base}/v1/documents",
            {"dossier_id": dossier_id, "state": state, "kind": kind, "from": from_, "to": to},
        )

    def get_document(self, document_id: str) -> models.Document:
        """Return a document and where it went."""
        answer: models.Document = self._koppel.call("GET", f"{self._base}/v1/documents/{quote(document_id, safe='')}")
        return answer

    def change_document(self, document_id: str, body: models.DocumentPatch) -> models.Document:
        """Set journal and ledger accounts, or supply what a bare PDF says (quick entry), which moves it on."""
        answer: models.Document = self._koppel.call(
            "PATCH", f"{self._base}/v1/documents/{quote(document_id, safe='')}", body=body
        )
        return answer

    def approve_document(self, document_id: str) -> models.Document:
        """Let a document go that waits for approval."""
        answer: models.Document = self._koppel.call(
            "POST", f"{self._base}/v1/documents/{quote(document_id, safe='')}/approve"
        )
        return answer

    def answer_document(self, document_id: str, body: models.QuestionAnswer) -> models.Document:
        """Answer a question about a document that is held; the answer is kept with who gave it."""
        answer: models.Document = self._koppel.call(
            "POST", f"{self._base}/v1/documents/{quote(document_id, safe='')}/answers", body=body
        )
        return answer

    def get_content(self, document_id: str, role: str) -> bytes:
        """Return one file of a document as it came; its ETag is its SHA-256."""
        answer: bytes = self._koppel.call(
            "GET", f"{self._base}/v1/documents/{quote(document_id, safe='')}/content/{quote(role, safe='')}"
        )
        return answer

    def put_relations(self, dossier_id: str, body: models.RelationsBulk) -> models.BulkResult:
        """Add or replace relations by code. Documents filed before keep the relation they were filed with."""
        answer: models.BulkResult = self._koppel.call(
            "PUT", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/relations", body=body
        )
        return answer

    def list_relations(
        self,
        dossier_id: str,
        *,
        code: str | None = None,
        name: str | None = None,
        number: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageRelationBody:
        """List the relations of a dossier, or those with a code, a name or a number."""
        answer: models.PageRelationBody = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/relations",
            query={"code": code, "name": name, "number": number, "limit": limit, "after": after},
        )
        return answer

    def iterate_relations(
        self, dossier_id: str, *, code: str | None = None, name: str | None = None, number: str | None = None
    ) -> Iterator[models.RelationBody]:
        """Go through all pages of ``list_relations``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/relations",
            {"code": code, "name": name, "number": number},
        )

    def change_relation(self, dossier_id: str, relation_id: str, body: models.RelationPatch) -> models.RelationBody:
        """Choose the journal or ledger account of a relation. It is for documents that are filed from now on."""
        answer: models.RelationBody = self._koppel.call(
            "PATCH",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/relations/{quote(relation_id, safe='')}",
            body=body,
        )
        return answer

    def put_ledger_accounts(self, dossier_id: str, body: models.LedgerAccountsBulk) -> models.BulkResult:
        """Add or replace ledger accounts by code."""
        answer: models.BulkResult = self._koppel.call(
            "PUT", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/ledger-accounts", body=body
        )
        return answer

    def list_ledger_accounts(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageLedgerAccountBody:
        """List the ledger accounts of a dossier."""
        answer: models.PageLedgerAccountBody = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/ledger-accounts",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_ledger_accounts(self, dossier_id: str) -> Iterator[models.LedgerAccountBody]:
        """Go through all pages of ``list_ledger_accounts``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/ledger-accounts", {})

    def list_problems(
        self,
        *,
        dossier_id: str | None = None,
        document_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageProblemItem:
        """List open problems, newest first."""
        answer: models.PageProblemItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/problems",
            query={"dossier_id": dossier_id, "document_id": document_id, "limit": limit, "after": after},
        )
        return answer

    def iterate_problems(
        self, *, dossier_id: str | None = None, document_id: str | None = None
    ) -> Iterator[models.ProblemItem]:
        """Go through all pages of ``list_problems``."""
        return self._koppel.items(f"{self._base}/v1/problems", {"dossier_id": dossier_id, "document_id": document_id})

    def retry_problem(self, problem_id: str) -> models.ProblemItem:
        """Ask the connector to try again now. The problem closes when that succeeds, not before."""
        answer: models.ProblemItem = self._koppel.call(
            "POST", f"{self._base}/v1/problems/{quote(problem_id, safe='')}/retry"
        )
        return answer

    def export_firm_data(self, firm_id: str) -> bytes:
        """Stream everything that this service holds of a firm: a line for each row, ``{"table": …, "row": {…}}``, without secrets.

        The last line is ``{"end": true, "rows": …}``; without it the stream broke off.
        """
        answer: bytes = self._koppel.call("GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data")
        return answer

    def delete_firm_data(self, firm_id: str, *, confirm: str | None = None) -> models.DeletedData:
        """Delete what this service holds of a firm that leaves, but for what a duty keeps.

        It works for some seconds; the service goes on by itself until ``complete``, and this call may be repeated meanwhile.
        """
        answer: models.DeletedData = self._koppel.call(
            "DELETE", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data", query={"confirm": confirm}
        )
        return answer

    def show_firm_holdings(self, firm_id: str) -> models.FirmHoldings:
        """Say what this service holds of a firm: how many rows of each table, and how many stay until when, and why."""
        answer: models.FirmHoldings = self._koppel.call(
            "GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/holdings"
        )
        return answer
