"""The paper connector as offices use it: a login shared by many connections, or a consent; and a session of a dossier on top."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from koppel_connector import (
    Application,
    Call,
    ConnectorError,
    Problem,
    ProblemCatalogue,
    ProblemKind,
    Purpose,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    Auth,
    OAuthProfile,
    PasswordProfile,
    ReauthorisationRequired,
    SessionOver,
    classify_by_status,
)
from koppel_connector.service import connector_service

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings

PROBLEMS = ProblemCatalogue(
    (
        ProblemKind(
            "wrong_password",
            "accountant",
            nl="{vendor} aanvaardt het wachtwoord van {user} niet. Geef het opnieuw in.",
            fr="{vendor} n'accepte pas le mot de passe de {user}. Saisissez-le à nouveau.",
            en="{vendor} does not accept the password of {user}. Enter it again.",
            blocks=True,
        ),
    )
)


class OfficeSettings(PaperSettings):
    user: str | None = None
    dossier: str | None = None


class OfficeServiceSettings(PaperServiceSettings):
    login_base_url: str = "http://127.0.0.1:9"


class OfficeConnector(PaperConnector):
    profile = replace(
        PaperConnector.profile,
        auth=OAuthProfile(
            authorize_path="/authorize",
            token_path="/token",
            server="login",
            client_auth="public",
            uses_pkce=True,
            header="Token",
            scheme="",
        ),
        other_auth=(PasswordProfile(session_valid_s=540.0),),
        dossier_session_valid_s=540.0,
        problems=PROBLEMS,
    )
    settings_model = OfficeSettings

    def application(self, service_settings: Any, settings: Any) -> Application:
        servers = {"login": service_settings.login_base_url}
        return Application(service_settings.paper_base_url, "koppel", servers=servers)

    def auth(self, settings: Any) -> Auth:
        return self.profile.other_auth[0] if settings.user else self.profile.auth

    def login_key(self, settings: Any) -> str | None:
        return str(settings.user) if settings.user else None

    def missing_settings(self, settings: PaperSettings, purpose: Purpose) -> list[str]:
        if purpose == "login":
            assert isinstance(settings, OfficeSettings)
            return ["pin"] if settings.user and settings.pin is None else []
        needed = ("journal", "dossier") if purpose == "send" else ("dossier",)
        return [name for name in needed if getattr(settings, name) is None]

    async def log_in(self, vendor: Vendor) -> Mapping[str, str]:
        pin = vendor.settings.pin.get_secret_value()
        given = {"user": vendor.settings.user, "pin": pin}
        login = Call("login", "POST", "/login", server="login", json=given, acts=False, logs_in=True)
        try:
            answer = await vendor.call(login)
        except ReauthorisationRequired as refused:
            raise ReauthorisationRequired(Problem("wrong_password", user=vendor.settings.user)) from refused
        return {"Token": answer.json()["session"]}

    async def open_dossier(self, vendor: Vendor) -> Mapping[str, str]:
        if vendor.settings.dossier is None:
            return {}
        chosen = {"dossier": vendor.settings.dossier}
        answer = await vendor.call(Call("dossier", "POST", "/dossiers", params=chosen, acts=False, opens_dossier=True))
        return {"Dossier-Token": answer.json()["session"]}

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        if answer.status == 400 and "session is over" in answer.text:
            return SessionOver()
        return classify_by_status(answer)


SERVICE = connector_service(OfficeConnector(), settings=OfficeServiceSettings)
