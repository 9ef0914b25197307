"""The smallest connector there is, for the kit's own tests: one call books, one looks up, one reads back."""

import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from koppel_bookkeeping import CannotBook, Reason
from koppel_connector import (
    ActionRequired,
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
    Problem,
    ProblemCatalogue,
    ProblemKind,
    Profile,
    Purpose,
    Sent,
    Target,
    Vanished,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    AddressProbe,
    ConnectionReported,
    DeliveryBounced,
    EntryChanged,
    ErrorBudget,
    HeaderNames,
    MasterDataChanged,
    NotBooked,
    Notice,
    NoticeEffect,
    OAuthProfile,
    ReadBack,
    RemoteCompany,
    RemoteDossier,
    RetryNow,
    TokenError,
    Verified,
    Window,
)
from koppel_connector.service import connector_service
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.messages import DocumentKind

ME = Call("me", "GET", "/me", acts=False)


class PaperServiceSettings(ConnectorSettings):
    paper_base_url: str = "http://127.0.0.1:9"
    paper_notice_secret: SecretStr = SecretStr("paper-notices")


class PaperSettings(BaseModel):
    journal: Annotated[str, Field(json_schema_extra={"chooses_from": "journal"})] | None = None
    pin: SecretStr | None = None


class PaperConnector(Connector[PaperSettings, dict[str, Any], PaperServiceSettings]):
    profile = Profile(
        name="connector-paper",
        title="Paper",
        targets=dict.fromkeys(
            (
                DocumentKind.SALES_INVOICE,
                DocumentKind.SALES_CREDIT_NOTE,
                DocumentKind.PURCHASE_INVOICE,
                DocumentKind.PURCHASE_CREDIT_NOTE,
            ),
            Target(settle_s=0.2),
        ),
        auth=OAuthProfile(
            authorize_path="/authorize",
            token_path="/token",
            errors=(
                TokenError("spent", description="old refresh token"),
                TokenError("too_early", error="access_denied"),
            ),
        ),
        windows=(Window("minute", 10_000, 60, HeaderNames("X-Limit", "X-Remaining", "X-Reset")),),
        error_budget=ErrorBudget(5, 3600, reserve=2),
        master_data_problems=frozenset({"account_unknown"}),
        problems=ProblemCatalogue(
            [
                ProblemKind("account_unknown", "accountant", nl="Onbekend.", fr="Inconnu.", en="Unknown.", blocks=True),
                ProblemKind(
                    "drawer_broken",
                    "accountant",
                    nl="Kapot: {drawer}.",
                    fr="Cassé : {drawer}.",
                    en="Broken: {drawer}.",
                    degrades=True,
                    outlasts_acceptance=True,
                ),
            ]
        ),
        deadline_s=1.0,
    )
    settings_model = PaperSettings

    def application(self, service_settings: PaperServiceSettings, settings: PaperSettings) -> Application:
        return Application(service_settings.paper_base_url, "koppel", SecretStr("paper-secret"))

    def missing_settings(self, settings: PaperSettings, purpose: Purpose) -> list[str]:
        return [] if settings.journal or purpose != "send" else ["journal"]

    async def prepare(self, context: DeliveryContext[PaperSettings]) -> dict[str, Any]:
        document = context.document
        assert document.total is not None and document.counterparty is not None
        if document.accounting_cost in set(Reason):
            raise CannotBook(document.accounting_cost, "line 1")
        if (account := document.ledger_account) and not context.vendor.master_data.get("ledger_account", account):
            raise ActionRequired(Problem("account_unknown", account))
        return {
            "reference": context.remote_ref,
            "journal": context.vendor.settings.journal,
            "kind": context.delivery.kind,
            "total": str(document.total.amount),
            "currency": document.total.currency,
            "vat": str(sum(group.tax for group in document.vat)),
            "lines": [{"net": str(group.base), "rate": str(group.rate)} for group in document.vat],
            "customer": document.counterparty.enterprise_number,
            "reject": document.reference,
            "traces": [trace.remote_ref for trace in context.traces],
        }

    async def send(self, context: DeliveryContext[PaperSettings], prepared: dict[str, Any]) -> Sent:
        await context.save(total=prepared["total"])
        answer = await context.vendor.call(Call("entries", "POST", "/entries", json=prepared, acts=True))
        return Sent(answer.json()["id"])

    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        assert context.first_sent_at is not None, "whoever searches knows since when"
        search = Call("entries", "GET", "/entries", params={"reference": context.remote_ref}, acts=False)
        answer = await context.vendor.call(search)
        found = answer.json()
        return Found(found[0]["id"], count=len(found)) if found else NotFound()

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        ids = ",".join(str(context.delivery.remote_id) for context in contexts)
        books = (await vendor.call(Call("books", "GET", "/books", params={"ids": ids}, acts=False))).json()
        return {context.delivery.id: self._seen(context, books.get(context.delivery.remote_id)) for context in contexts}

    def _seen(self, context: DeliveryContext, entry: Any) -> ReadBack:
        if entry is None:
            return Vanished()
        if entry["number"] is None:
            return NotBooked()
        if "total" in context.progress and Decimal(entry["total"]) != Decimal(context.progress["total"]):
            problem = Problem("totals_differ", booked=entry["total"], expected=context.progress["total"])
            return Differs(problem, entry["number"])
        return Booked(entry["number"])

    def verify(
        self, notice: Notice, service_settings: PaperServiceSettings, settings: PaperSettings | None
    ) -> Verified | AddressProbe | None:
        secret = service_settings.paper_notice_secret if settings is None else settings.pin
        if secret is None:
            return None
        mac = hmac.new(secret.get_secret_value().encode(), notice.content, "sha256").hexdigest()
        if not hmac.compare_digest(mac, notice.headers.get("x-paper-signature", "")):
            return None
        return Verified(str(json.loads(notice.content)["id"]))

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        given = json.loads(notice.content)
        match given["event"]:
            case "entry":
                return [EntryChanged(given["reference"])]
            case "bounce":
                problem = Problem("rejected_by_vendor", given["reason"])
                named = given.get("reference"), given.get("entry"), given.get("company")
                repeated = Problem("drawer_broken") if "place" in given else None
                return [DeliveryBounced(problem, *named, place=given.get("place"), repeated=repeated)]
            case "broken":
                return [ConnectionReported(Problem("drawer_broken"))]
            case "accounts":
                return [MasterDataChanged(given.get("company"))]
        raise ValueError(given["event"])

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        if answer.status == 423:
            return RetryNow(Problem("rejected_by_vendor", "number taken"))
        return super().classify(answer)

    async def connected_user(self, vendor: Vendor) -> str | None:
        return str((await vendor.call(ME)).json()["name"])

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        await vendor.call(ME)
        return [RemoteDossier("1", "Bakkerij De Korenaar", reachable=True)]

    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        told = (await vendor.call(Call("company", "GET", "/company", acts=False))).json()
        return RemoteCompany(told["name"], tuple(filter(None, [told["number"]])))

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        lines = (await vendor.call(Call("accounts", "GET", "/accounts", acts=False))).json()
        accounts = tuple(MasterRecord("ledger_account", line["code"], line["id"], line["name"]) for line in lines)
        return MasterData(ledger_accounts=accounts)

    async def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        await vendor.call(ME)
        yield CheckStep("login", ok=True)


SERVICE = connector_service(PaperConnector(), settings=PaperServiceSettings)
