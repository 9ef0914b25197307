"""The demo firm: dossiers connected as each sandbox that plays says, documents of our own sent through, and two tills."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from koppel_local import sending
from koppel_local.api import Api, ApiError
from koppel_local.sending import Sending

from . import tills

if TYPE_CHECKING:
    from koppel_client.generated.connector import Connector
    from koppel_sandbox import Demo

DOCUMENTS = Path(__file__).parent / "documents"
ANSWERS = {"13-aankoop-creditnota-met-mintekens.xml": "credit"}
"""What the firm's accountant answers where a document is held."""
CLIENT, SECRET = "demo", "demo-secret"
CONNECT_WITHIN_S = 20.0
BOOK_WITHIN_S = 60.0


@dataclass(frozen=True)
class DemoDossier:
    """A dossier of the demo firm, and the folder of its documents."""

    name: str
    enterprise_number: str
    documents: str | None
    """None: what its tills hand over."""


DOSSIERS = (
    DemoDossier("Bakkerij Demo BV", "0793904121", "bakkerij"),
    DemoDossier("Studio Noord BV", "0836836222", "studio"),
    DemoDossier("Kapsalon Mira BV", "0765432839", "kapsalon"),
    DemoDossier("Bakkerij Korenbloem BV", "0709876583", None),
)


def run(url: str, demos: "Sequence[Demo]", keep_going: Callable[[], None]) -> list[Sending]:
    """Set the demo firm up and send its documents; harmless when that was done before.

    Args:
        url: where Koppel answers.
        demos: how the firm's dossiers are connected to each sandbox.
        keep_going: called while waiting; what it raises ends the demo.

    Raises:
        ApiError: something of it was refused.
    """
    api = Api(url, CLIENT, SECRET)
    sendings: list[Sending] = []
    connections: dict[str, set[str]] = {}

    def watch() -> None:
        keep_going()
        sending.look(api, sendings, connections)

    for dossier in DOSSIERS:
        dossier_id = _dossier(api, dossier)
        for demo in demos:
            if (settings := demo.settings.get(dossier.enterprise_number)) is not None:
                _connect(api.connector(demo.connector), dossier_id, settings, watch)
        if dossier.documents is None:
            own = tills.run(api, dossier_id, watch)
        else:
            files = sending.files_in([DOCUMENTS / dossier.documents])
            own = [sending.hand_in(api, dossier_id, file, None) for file in files]
        for one in own:
            _answer(api, one)
        sending.export(api, dossier_id, own)
        sendings += own
        watch()
    sending.follow(api, sendings, BOOK_WITHIN_S, keep_going)
    return sendings


def _answer(api: Api, one: Sending) -> None:
    """Give the answer that the accountant of the demo firm knows."""
    if one.state != "held" or one.document_id is None or one.path.name not in ANSWERS:
        return
    # Handed in again, the first answer comes back: it may have been answered since.
    one.state = api.dossier_api.get_document(one.document_id)["state"]
    if one.state == "held":
        one.state = sending.answer(api, one.document_id, ANSWERS[one.path.name], "confirmed by the supplier")["state"]
    if one.state != "held":
        one.problem = ""


def _dossier(api: Api, demo: DemoDossier) -> str:
    for known in api.dossier_api.iterate_dossiers():
        if known["enterprise_number"] == demo.enterprise_number:
            return known["id"]
    return api.dossier_api.create_dossier(
        {"name": demo.name, "enterprise_number": demo.enterprise_number, "language": "nl"}
    )["id"]


def _connect(
    connector: "Connector", dossier_id: str, settings: Mapping[str, Any], keep_going: Callable[[], None]
) -> None:
    for known in connector.iterate_connections(dossier_id=dossier_id):
        if known["state"] == "disconnected":
            continue
        # A connection of an earlier run serves again while its login does; the sandbox may have been emptied since.
        checked = connector.check_connection(known["id"])
        if all(step["ok"] for step in checked["steps"] if step["name"] == "login") and known["health"]["imported_at"]:
            return
        connector.remove_connection(known["id"])
    connection = connector.create_connection({"dossier_id": dossier_id, "settings": dict(settings)})
    if address := connection.get("authorize_url"):
        answer = httpx2.get(address, follow_redirects=True, timeout=30, trust_env=False)
        if answer.status_code != 200:
            raise ApiError(f"The consent page of the sandbox answered {answer.status_code}.")
    _until_imported(connector, connection["id"], keep_going)


def _until_imported(connector: "Connector", connection_id: str, keep_going: Callable[[], None]) -> None:
    end = time.monotonic() + CONNECT_WITHIN_S
    while True:
        connection = connector.read_one_connection(connection_id)
        if connection["state"] == "connected" and connection["health"]["imported_at"]:
            return
        if time.monotonic() > end:
            named = f"{connection['connector']} {connection_id}"
            raise ApiError(f"The connection {named} is {connection['state']}: {connection['health']}")
        keep_going()
        time.sleep(sending.POLL_INTERVAL_S)
