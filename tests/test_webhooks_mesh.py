"""A partner of the whole mesh: it hears of its firm's documents until it may not any more, and of nobody else's."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from koppel_mesh.ids import new_id
from koppel_sandbox import installed_sandboxes

from .firm_client import invoice
from .office import open_office
from .webhook_receiver import Receiver, register

PATIENCE_S = 60.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serving() as server:
        yield server


def activate(client: Any, receiver: Receiver, **more: Any) -> str:
    path = register(client, receiver, **more)
    # The first challenge may have come before the receiver knew its secret.
    until(lambda: client.post(f"{path}/test").json()["state"] == "active")
    return path


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_booked_document_reaches_the_partner_of_its_firm_alone(mesh: Any, receiver: Receiver) -> None:
    sandbox = next(one for one in installed_sandboxes().values() if one.driver)
    with Receiver().serving() as of_another, open_office(mesh, sandbox) as office:
        activate(mesh.client(new_id()), of_another)
        path = activate(office.firm.partner, receiver)
        document = office.take_in(invoice(f"W-{str(new_id())[-8:]}"))
        entry = office.booked(document)
        until(lambda: "delivery.booked" in receiver.types())
        booked = next(event for event in receiver.events.values() if event["type"] == "delivery.booked")
        assert booked["data"]["entry_number"] == entry.entry_number
        of_document = [one for one in receiver.events.values() if one["subject"] == document["id"]]
        assert of_document[0]["type"] == "document.received" and of_document[-1]["type"] == "delivery.booked"
        assert [one["sequence"] for one in of_document] == sorted(one["sequence"] for one in of_document)
        until(lambda: {one["state"] for one in office.firm.get(f"{path}/deliveries")["items"]} == {"delivered"})
        assert {one["type"] for one in of_another.events.values()} <= {"endpoint.test"}


class Firm:
    """A firm that consents to partners and hands documents in."""

    def __init__(self, mesh: Any) -> None:
        self.id = new_id()
        self.client = mesh.client(self.id)
        body = {"name": "Bakkerij", "enterprise_number": "0000000196", "language": "nl"}
        self.dossier = self.client.post("/dossier-api/v1/dossiers", json=body).json()["id"]

    def consents_to(self, partner: str) -> str:
        made = self.client.post("/identity/v1/consents", json={"client_id": partner, "scopes": ["webhooks:write"]})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def hand_in(self) -> str:
        where = f"/dossier-api/v1/dossiers/{self.dossier}/documents"
        content = invoice(f"W-{str(new_id())[-8:]}")
        answer = self.client.post(where, content=content, headers={"content-type": "application/xml"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def test_a_partner_of_several_firms_hears_of_each_for_as_long_as_it_consents(mesh: Any, receiver: Receiver) -> None:
    one, other, stranger = (Firm(mesh) for _ in range(3))
    name, admin = f"partner-{one.id}", mesh.client(None)
    asked = {"client_id": name, "name": "Partner", "kind": "partner", "scopes": ["webhooks:write"]}
    secret = admin.post("/identity/v1/clients", json=asked).json()["client_secret"]
    last = one.consents_to(name)
    consent = other.consents_to(name)
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret, "firm_id": str(one.id)}
    token = admin.post("/identity/oauth/token", data=form).json()["access_token"]
    refuses_what_is_forged_of(token, mesh)

    def heard() -> list[str]:
        return [event["subject"] for event in receiver.events.values() if event["type"] == "document.received"]

    with mesh.anonymous({"authorization": f"Bearer {token}"}) as partner:
        wanted = {"url": receiver.url, "event_types": ["document.received"]}
        firms = [str(firm.id) for firm in (one, other, stranger)]
        refused = partner.post("/webhooks/v1/endpoints", json={**wanted, "firm_ids": firms})
        assert (refused.status_code, refused.json()["code"]) == (422, "firm_has_not_consented")
        path = activate(partner, receiver, event_types=["document.received"], firm_ids=firms[:2])
        expected = {one.hand_in(), other.hand_in()}
        stranger.hand_in()
        until(lambda: set(heard()) == expected)
        assert other.client.delete(f"/identity/v1/consents/{consent}").status_code == 204
        other.hand_in()
        expected.add(one.hand_in())
        until(lambda: len(heard()) == 3)

        def states() -> set[str]:
            return {each["state"] for each in partner.get(f"{path}/deliveries").json()["items"]}

        until(lambda: states() == {"delivered"})  # of what is under way still, a replay sends nothing again
        span = {"from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
        assert partner.post(f"{path}/replay", json=span).json()["count"] >= 2
        until(lambda: states() == {"delivered"})
        assert one.client.delete(f"/identity/v1/consents/{last}").status_code == 204
        until(lambda: partner.get(path).status_code == 401)
    assert set(heard()) == expected and len(heard()) == 3


def refuses_what_is_forged_of(token: str, mesh: Any) -> None:
    """Show the claims of a token under other heads and signatures (``alg: none``)."""
    head, claims, signature = token.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    for forged in (f"{unsigned}.{claims}.", f"{unsigned}.{claims}.{signature}", f"{head}.{claims}."):
        with mesh.anonymous({"authorization": f"Bearer {forged}"}) as nobody:
            assert nobody.get("/webhooks/v1/events").status_code == 401
