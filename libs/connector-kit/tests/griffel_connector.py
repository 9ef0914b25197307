"""The connector to Griffel, an invented vendor: what docs/adding-a-connector.md builds."""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, SecretStr

from koppel_connector import (
    Application,
    Booked,
    Call,
    CannotTell,
    CheckStep,
    Connector,
    ConnectorError,
    DeliveryContext,
    Differs,
    Found,
    MasterData,
    MasterRecord,
    NotFound,
    PasswordProfile,
    Problem,
    Profile,
    ReadBack,
    RetryNow,
    Sent,
    Vanished,
    Vendor,
    VendorAnswer,
    classify_by_status,
)
from koppel_connector.service import connector_service
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.messages import DocumentKind

PROFILE = Profile(
    name="connector-griffel",
    title="Griffel",
    kinds=frozenset(
        {
            DocumentKind.SALES_INVOICE,
            DocumentKind.SALES_CREDIT_NOTE,
            DocumentKind.PURCHASE_INVOICE,
            DocumentKind.PURCHASE_CREDIT_NOTE,
        }
    ),
    auth=PasswordProfile(session_valid_s=900.0),
    settle_s=10.0,
    deadline_s=10.0,
)


class GriffelServiceSettings(ConnectorSettings):
    griffel_base_url: str = "https://api.griffel.example"


class GriffelSettings(BaseModel):
    user: str | None = None
    password: SecretStr | None = None
    sale_journal: str | None = None
    purchase_journal: str | None = None

    def journal(self, kind: DocumentKind) -> str | None:
        return self.sale_journal if kind.value.startswith("sales") else self.purchase_journal


class GriffelConnector(Connector):
    profile = PROFILE
    settings_model = GriffelSettings

    # ── the connection ──

    def application(self, service_settings: Any, settings: Any) -> Application:
        return Application(service_settings.griffel_base_url)

    def limit_scope(self, settings: GriffelSettings) -> str | None:
        return settings.user

    def missing_settings(self, settings: GriffelSettings) -> list[str]:
        return [name for name in GriffelSettings.model_fields if getattr(settings, name) is None]

    async def log_in(self, vendor: Vendor) -> Mapping[str, str]:
        given = {"user": vendor.settings.user, "password": vendor.settings.password.get_secret_value()}
        answer = await vendor.call(Call("login", "POST", "/api/login", json=given, acts=False, logs_in=True))
        return {"X-Session": answer.json()["session"]}

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        rows = await search(vendor, "journals")
        return MasterData(journals=tuple(MasterRecord("journal", row["code"], row["id"], row["name"]) for row in rows))

    async def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        await search(vendor, "journals")
        yield CheckStep("login", ok=True)

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        match answer.status, error_of(answer):
            case 404, "NO_RESULT":
                return None
            case 409, "NUMBER_TAKEN":
                return RetryNow(Problem("vendor_unavailable", "the number was taken"))
        return classify_by_status(answer)

    # ── one document ──

    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        document, kind = context.document, context.delivery.kind
        sign = -1 if "credit" in kind else 1
        lines = [(Decimal(line["net"]), Decimal(line["vat_rate"])) for line in document["lines"]]
        return {
            "reference": context.remote_ref,
            "journal": context.vendor.settings.journal(kind),
            "currency": document["currency"],
            "document": document["number"],
            "total": str(sign * Decimal(document["total"]["amount"])),
            "lines": [
                {"net": str(sign * net), "rate": str(rate), "vat": str(sign * vat)}
                for (net, rate), vat in zip(lines, spread_vat(lines, document["vat"]), strict=True)
            ],
        }

    async def send(self, context: DeliveryContext, prepared: dict[str, Any]) -> Sent:
        vendor = context.vendor
        relation = await self.relation(context)
        files = [await self.store(context, file["role"]) for file in context.document["content"]]
        await context.save(total=prepared["total"])
        number = await self.next_number(vendor, prepared["journal"])
        body = {**prepared, "relation": relation, "files": files, "number": number}
        entry = (await vendor.call(Call("entry", "POST", "/api/entries", json=body, acts=True))).json()
        return Sent(entry["id"], str(entry["number"]))

    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        found = await search(context.vendor, "entries", reference=context.remote_ref)
        return Found(found[0]["id"], str(found[0]["number"]), count=len(found)) if found else NotFound()

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        return {context.delivery.id: await self.compared(vendor, context) for context in contexts}

    async def compared(self, vendor: Vendor, context: DeliveryContext) -> ReadBack:
        found = await search(vendor, "entries", reference=context.remote_ref)
        if not found:
            return Vanished()
        number, booked, expected = str(found[0]["number"]), found[0]["total"], context.progress["total"]
        if Decimal(booked) != Decimal(expected):
            return Differs(Problem("totals_differ", booked=booked, expected=expected), number)
        return Booked(number)

    async def relation(self, context: DeliveryContext) -> str:
        """Return the relation's id: found by its number, else made under an id that follows from it."""
        party = context.document["counterparty"]
        if found := await search(context.vendor, "relations", enterprise_number=party["enterprise_number"]):
            return str(found[0]["id"])
        path = f"/api/relations/{uuid5(context.vendor.connection.dossier_id, party['enterprise_number'])}"
        await context.vendor.call(Call("relation", "PUT", path, json=party, acts=True))
        return path.rpartition("/")[2]

    async def store(self, context: DeliveryContext, role: str) -> str:
        """Store a file under an id of ours, so that the same twice is one; return the id."""
        identifier = str(uuid5(context.remote_uuid, role))
        path, content = f"/api/files/{identifier}/{role}", await context.content(role)
        await context.vendor.call(Call("file", "PUT", path, content=content, acts=True))
        return identifier

    async def next_number(self, vendor: Vendor, code: str) -> int:
        journals = await search(vendor, "journals")
        return next(int(journal["next_number"]) for journal in journals if journal["code"] == code)


async def search(vendor: Vendor, what: str, **like: str) -> list[dict[str, Any]]:
    """Return what a search finds; Griffel answers an empty one with 404."""
    answer = await vendor.call(Call(what, "GET", f"/api/{what}", params=like, acts=False))
    return answer.json() if answer.status == 200 else []


def error_of(answer: VendorAnswer) -> str | None:
    """Return Griffel's own code of a refusal."""
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return None


def spread_vat(lines: Sequence[tuple[Decimal, Decimal]], groups: Sequence[Mapping[str, str]]) -> list[Decimal]:
    """Return each line's VAT: the VAT of its rate spread in proportion, the last line of a rate takes the rest."""
    taxes = [Decimal(0)] * len(lines)
    for group in groups:
        mine = [index for index, (_, rate) in enumerate(lines) if rate == Decimal(group["rate"])]
        rest, base = Decimal(group["tax"]), Decimal(group["base"])
        for index in mine:
            share = (Decimal(group["tax"]) * lines[index][0] / base).quantize(Decimal("0.01"))
            taxes[index] = rest if index == mine[-1] else share
            rest -= taxes[index]
    return taxes


SERVICE = connector_service(GriffelConnector(), settings=GriffelServiceSettings)
