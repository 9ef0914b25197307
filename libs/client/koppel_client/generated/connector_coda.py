# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class ConnectorCoda:
    """The calls of connector-coda."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/connector-coda"

    def list_accounts(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageAccountItem:
        """List the accounts of a dossier with what is missing in their chains."""
        answer: models.PageAccountItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_accounts(self, dossier_id: str) -> Iterator[models.AccountItem]:
        """Go through all pages of ``list_accounts``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts", {})

    def list_balances(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageBalanceItem:
        """List what is on the accounts of a dossier."""
        answer: models.PageBalanceItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/balances",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_balances(self, dossier_id: str) -> Iterator[models.BalanceItem]:
        """Go through all pages of ``list_balances``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/balances", {})

    def list_statements(
        self,
        dossier_id: str,
        iban: str,
        *,
        currency: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageStatementItem:
        """List the statements of an account, the latest first."""
        answer: models.PageStatementItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/statements",
            query={"currency": currency, "limit": limit, "after": after},
        )
        return answer

    def iterate_statements(
        self, dossier_id: str, iban: str, *, currency: str | None = None
    ) -> Iterator[models.StatementItem]:
        """Go through all pages of ``list_statements``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/statements",
            {"currency": currency},
        )

    def list_lines(
        self,
        dossier_id: str,
        iban: str,
        statement_id: str,
        *,
        currency: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageLineItem:
        """List the lines of a statement, in its order."""
        answer: models.PageLineItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/statements/{quote(statement_id, safe='')}/lines",
            query={"currency": currency, "limit": limit, "after": after},
        )
        return answer

    def iterate_lines(
        self, dossier_id: str, iban: str, statement_id: str, *, currency: str | None = None
    ) -> Iterator[models.LineItem]:
        """Go through all pages of ``list_lines``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/statements/{quote(statement_id, safe='')}/lines",
            {"currency": currency},
        )

    def accept_gap(
        self,
        dossier_id: str,
        iban: str,
        body: models.GapToAccept,
        *,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.AcceptedGap:
        """Let the statements after a gap go without what is missing."""
        answer: models.AcceptedGap = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/accept-gap",
            query={"currency": currency},
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def confirm_account(
        self,
        dossier_id: str,
        iban: str,
        body: models.ConnectorCodaDecision,
        *,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Belonging:
        """Say that an account belongs to the dossier, where its statements do not."""
        answer: models.Belonging = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/confirm",
            query={"currency": currency},
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def withdraw_account(
        self,
        dossier_id: str,
        iban: str,
        body: models.ConnectorCodaDecision,
        *,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Withdrawal:
        """Say that an account does not belong to the dossier: what has not gone does not go, and another dossier may have it."""
        answer: models.Withdrawal = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/accounts/{quote(iban, safe='')}/withdraw",
            query={"currency": currency},
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def let_go(
        self, document_id: str, body: models.ConnectorCodaDecision, *, idempotency_key: str | None = None
    ) -> models.LetGo:
        """Let a document go in spite of its problem. A gap is accepted at its account, an account confirmed."""
        answer: models.LetGo = self._koppel.call(
            "POST",
            f"{self._base}/v1/documents/{quote(document_id, safe='')}/release",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def retry(self, delivery_id: str) -> models.Retried:
        """Look again whether a statement that was stopped can go; ``problems/{id}/retry`` of dossier-api asks this."""
        answer: models.Retried = self._koppel.call(
            "POST", f"{self._base}/v1/deliveries/{quote(delivery_id, safe='')}/retry"
        )
        return answer

    def post_statements(
        self, dossier_id: str, body: bytes, *, media_type: str, idempotency_key: str | None = None
    ) -> Any | bytes:
        """Take a CODA file in. It is checked first: accounts that are not the dossier's and sums that are wrong are refused.

        What is right is filed as a document of the dossier, which is what comes back.
        """
        answer: Any | bytes = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/statements",
            body=body,
            media_type=media_type,
            idempotency_key=idempotency_key,
        )
        return answer

    def set_payment_keys(
        self, dossier_id: str, body: models.PaymentKeys, *, idempotency_key: str | None = None
    ) -> models.PagePaymentKeyItem:
        """Set the keys of a dossier. They count for every line that is there, and for those that will come."""
        answer: models.PagePaymentKeyItem = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/payment-keys",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_payment_keys(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PagePaymentKeyItem:
        """List the keys of a dossier."""
        answer: models.PagePaymentKeyItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/payment-keys",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_payment_keys(self, dossier_id: str) -> Iterator[models.PaymentKeyItem]:
        """Go through all pages of ``list_payment_keys``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/payment-keys", {})

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
