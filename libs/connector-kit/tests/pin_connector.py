"""The paper connector for a vendor without OAuth: a pin opens a session."""

from collections.abc import Mapping
from dataclasses import replace

from koppel_connector import Call, Purpose, Vendor
from koppel_connector.contract import PasswordProfile
from koppel_connector.service import connector_service

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings


class PinConnector(PaperConnector):
    profile = replace(PaperConnector.profile, auth=PasswordProfile(session_valid_s=540.0))

    def missing_settings(self, settings: PaperSettings, purpose: Purpose) -> list[str]:
        if purpose == "login":
            return [] if settings.pin else ["pin"]
        return super().missing_settings(settings, purpose)

    async def log_in(self, vendor: Vendor) -> Mapping[str, str]:
        given = {"pin": vendor.settings.pin.get_secret_value()}
        answer = await vendor.call(Call("login", "POST", "/login", json=given, acts=False, logs_in=True))
        return {"Authorization": f"Bearer {answer.json()['session']}"}


SERVICE = connector_service(PinConnector(), settings=PaperServiceSettings)
