"""One division of Exact Online as a REST API: its paths, single objects, lists of many pages, and objects that are created.

Every path goes through ``Vendor.call``. A GET without rights answers 200 with an empty list (§3.3), so whoever draws a
conclusion from "nothing found" asks ``Exact.may`` first.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from koppel_connector import ActionRequired, Call, Problem, Rejected, Vendor, VendorAnswer
from koppel_connector.contract import OutcomeUnknown, RetryLater

from . import odata
from .odata import Row

PAGES_MAX: Final = 1_000
_RETURN_IT: Final = {"Prefer": "return=representation"}


class Division:
    """One division through one open connection."""

    def __init__(self, vendor: Vendor, division: int | None = None) -> None:
        self.vendor = vendor
        own = getattr(vendor.settings, "division", None)
        self.division = division or own
        self._counted = self.division == own
        """Exact counts calls per division: what another division is asked is not taken from our minute."""

    def path_of(self, resource: str) -> str:
        """Return the path of a resource, such as ``salesentry/SalesEntries``; raise where no division is chosen yet."""
        if not self.division:
            raise ActionRequired(Problem("settings_missing", missing="division"))
        return f"/api/v1/{self.division}/{resource}"

    async def get(self, resource: str, params: Mapping[str, str], path: str | None = None) -> VendorAnswer:
        """Ask a resource; ``path`` where the question is not the resource itself but something below it."""
        asked = path or self.path_of(resource)
        return await self.vendor.call(Call(resource, "GET", asked, params=params, acts=False, is_counted=self._counted))

    async def create(self, resource: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create one object and return the properties in the answer, its id among them.

        Raises:
            OutcomeUnknown: it was created, and neither the body nor ``Location`` holds its id; only a search can find it.
        """
        answer = await self.post(resource, body)
        row = odata.entity(answer.json()) if answer.content else {}
        if (created := odata.created_id(row, answer.headers.get("location"), key)) is None:
            raise OutcomeUnknown(f"{resource}: HTTP {answer.status} without {key}")
        return {name: value for name, value in row.items() if value is not None} | {key: created}

    async def post(self, resource: str, body: Mapping[str, Any]) -> VendorAnswer:
        """Create an object; the answer holds it as stored."""
        return await self.vendor.call(
            Call(resource, "POST", self.path_of(resource), json=body, headers=_RETURN_IT, acts=True)
        )

    async def all_synced(self, sync: str, plain: str, fields: str) -> list[Row]:
        """Return every row of a ``sync/`` resource; where licence or scope refuses it, of the plain one."""
        try:
            return await self.all_of(sync, {"$select": fields, "$filter": f"Timestamp gt {odata.int64(1)}"})
        except (ActionRequired, Rejected):
            # A filter that is always true: crm/Accounts demands one (§4.4).
            always = f"Modified ge {odata.moment(date(1990, 1, 1))}"
            return await self.all_of(plain, {"$select": fields, "$filter": always})

    async def all_of(self, resource: str, params: Mapping[str, str], path: str | None = None) -> list[Row]:
        """Return every row, following ``__next`` as it stands; pages have 60 rows, in ``sync/`` 1 000 (§2)."""
        answer = await self.get(resource, params, path)
        found: list[Row] = []
        for _ in range(PAGES_MAX):
            body = answer.json()
            found += odata.rows(body)
            following = odata.next_page(body, self.vendor.application.base_url)
            if following is None:
                return found
            answer = await self.get(resource, {}, following)
        raise RetryLater(None, Problem("vendor_unavailable", f"{resource}: more than {PAGES_MAX} pages"))
