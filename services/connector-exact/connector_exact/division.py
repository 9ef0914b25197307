"""One division of Exact Online as OData: its paths, and lists that may be refused in one of their forms.

A GET without rights answers 200 with an empty list (§3.3), so whoever draws a conclusion from "nothing found" asks
``Exact.may`` first. Pages have 60 rows, in ``sync/`` 1 000 (§2).
"""

from datetime import date

from koppel_connector import ActionRequired, Problem, Rejected, Vendor, odata
from koppel_connector.odata import Row


class Division(odata.Resources):
    """One division through one open connection."""

    def __init__(self, vendor: Vendor, division: int | None = None) -> None:
        super().__init__(vendor)
        own = getattr(vendor.settings, "division", None)
        self.division = division or own
        self.is_counted = self.division == own
        """Exact counts calls per division: what another division is asked is not taken from our minute."""

    def path_of(self, resource: str) -> str:
        """Return the path of a resource, such as ``salesentry/SalesEntries``; raise where no division is chosen yet."""
        if not self.division:
            raise ActionRequired(Problem("settings_missing", missing="division"))
        return f"/api/v1/{self.division}/{resource}"

    async def all_synced(self, sync: str, plain: str, fields: str) -> list[Row]:
        """Return every row of a ``sync/`` resource; where licence or scope refuses it, of the plain one."""
        try:
            return await self.all_of(sync, {"$select": fields, "$filter": f"Timestamp gt {odata.int64(1)}"})
        except (ActionRequired, Rejected):
            # A filter that is always true: crm/Accounts demands one (§4.4).
            always = f"Modified ge {odata.moment(date(1990, 1, 1))}"
            return await self.all_of(plain, {"$select": fields, "$filter": always})
