# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from . import models

from .connector import Connector


class Billmail(Connector):
    """The calls of billmail."""

    def send_period(
        self, connection_id: str, body: models.NewPeriodMail, *, idempotency_key: str | None = None
    ) -> models.PeriodMail:
        """Send a period's documents to the office, or the notice that everything is in. The same again sends nothing twice."""
        answer: models.PeriodMail = self._koppel.call(
            "POST",
            f"{self._base}/v1/connections/{quote(connection_id, safe='')}/period-mails",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_period_mails(
        self, connection_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PagePeriodMail:
        """List the period mails of a connection, newest first."""
        answer: models.PagePeriodMail = self._koppel.call(
            "GET",
            f"{self._base}/v1/connections/{quote(connection_id, safe='')}/period-mails",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_period_mails(self, connection_id: str) -> Iterator[models.PeriodMail]:
        """Go through all pages of ``list_period_mails``."""
        return self._koppel.items(f"{self._base}/v1/connections/{quote(connection_id, safe='')}/period-mails", {})

    def resolve_period_mail(self, connection_id: str, body: models.Decision) -> models.PeriodMail:
        """Decide on one that waits for a person: the part in doubt arrived, it goes again, or all that is left stays."""
        answer: models.PeriodMail = self._koppel.call(
            "POST", f"{self._base}/v1/connections/{quote(connection_id, safe='')}/resolve-period-mail", body=body
        )
        return answer
