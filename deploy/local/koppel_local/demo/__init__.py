"""The demo firm: two dossiers connected to the sandbox's Exact Online, and documents of our own sent through."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from koppel_local import sending
from koppel_local.api import Api, ApiError
from koppel_local.sending import Sending

DOCUMENTS = Path(__file__).parent / "documents"
CLIENT, SECRET = "demo", "demo-secret"
CONNECT_WITHIN_S = 20.0
BOOK_WITHIN_S = 60.0


@dataclass(frozen=True)
class DemoDossier:
    """A dossier of the demo firm, the division it is connected to, and the folder of its documents."""

    name: str
    enterprise_number: str
    division: int
    documents: str


DOSSIERS = (
    DemoDossier("Bakkerij Demo BV", "0793904121", 3090901, "bakkerij"),
    DemoDossier("Studio Noord BV", "0836836222", 3090902, "studio"),
)


def run(url: str, tell: Callable[[], None]) -> list[Sending]:
    """Set the demo firm up and send its documents; harmless when that was done before.

    Args:
        url: where Koppel answers.
        tell: called while waiting; what it raises ends the demo.

    Raises:
        ApiError: something of it was refused.
    """
    api = Api(url, CLIENT, SECRET)
    sendings: list[Sending] = []
    for demo in DOSSIERS:
        dossier_id = _dossier(api, demo)
        _connect(api, dossier_id, demo, tell)
        own = [sending.hand_in(api, dossier_id, file, None) for file in sending.files_in([DOCUMENTS / demo.documents])]
        sending.export(api, dossier_id, own)
        sendings += own
    sending.follow(api, sendings, BOOK_WITHIN_S, tell)
    return sendings


def _dossier(api: Api, demo: DemoDossier) -> str:
    for known in api.items("/dossier-api/v1/dossiers"):
        if known["enterprise_number"] == demo.enterprise_number:
            return str(known["id"])
    body = {"name": demo.name, "enterprise_number": demo.enterprise_number, "language": "nl"}
    return str(api.call("POST", "/dossier-api/v1/dossiers", json=body)["id"])


def _connect(api: Api, dossier_id: str, demo: DemoDossier, tell: Callable[[], None]) -> None:
    for known in api.items("/connector-exact/v1/connections", dossier_id=dossier_id):
        if known["state"] == "disconnected":
            continue
        # A connection of an earlier run serves again while its login does; the sandbox may have been emptied since.
        checked = api.call("POST", f"/connector-exact/v1/connections/{known['id']}/check")
        if all(step["ok"] for step in checked["steps"] if step["name"] == "login") and known["health"]["imported_at"]:
            return
        api.call("DELETE", f"/connector-exact/v1/connections/{known['id']}")
    body = {"dossier_id": dossier_id, "settings": _settings(demo)}
    connection = api.call("POST", "/connector-exact/v1/connections", json=body)
    if connection.get("authorize_url"):
        answer = httpx2.get(connection["authorize_url"], follow_redirects=True, timeout=30, trust_env=False)
        if answer.status_code != 200:
            raise ApiError(f"Exact's consent page answered {answer.status_code}.")
    _until_imported(api, str(connection["id"]), tell)


def _until_imported(api: Api, connection_id: str, tell: Callable[[], None]) -> None:
    end = time.monotonic() + CONNECT_WITHIN_S
    while True:
        connection = api.call("GET", f"/connector-exact/v1/connections/{connection_id}")
        if connection["state"] == "connected" and connection["health"]["imported_at"]:
            return
        if time.monotonic() > end:
            raise ApiError(f"The connection to Exact is {connection['state']}: {connection['health']}")
        tell()
        time.sleep(sending.POLL_INTERVAL_S)


def _settings(demo: DemoDossier) -> dict[str, Any]:
    return {
        "division": demo.division,
        "journals": {
            "sale": "700",
            "sale_credit": "710",
            "purchase": "600",
            "purchase_credit": "610",
            "receipts": "720",
        },
        "default_ledger_account": {"sale": "700000", "purchase": "604000"},
        "vat_codes": {
            "sale": {"S:21": "21", "S:12": "12", "S:6": "6", "Z": "0", "E": "VRY", "AE": "MC", "K": "ICL", "G": "EXP"},
            # Dutch VAT has no code in Belgian books: one document must show what a problem looks like.
            "purchase": {"S:21": "P21", "S:12": "P12", "S:6": "P6", "AE": "PMC", "K": "PIC", "E": "PVR"},
        },
    }
