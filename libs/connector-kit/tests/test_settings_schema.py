"""What a form for the settings of a connection is made from."""

from typing import Annotated

import httpx2
from pydantic import BaseModel, Field, SecretStr

from koppel_connector.routes.settings_schema import settings_schema
from koppel_connector.testing import Testbed

Journal = Annotated[str, Field(json_schema_extra={"chooses_from": "journal"})]
VatCode = Annotated[str, Field(json_schema_extra={"chooses_from": "vat_code"})]


class Journals(BaseModel):
    sale: Journal | None = None
    purchase: Journal


class Settings(BaseModel):
    journals: Journals = Journals(purchase="600")
    others: list[Journals] = []
    vat_codes: dict[str, VatCode] = {}
    password: SecretStr | None = None


def test_a_field_says_what_it_chooses_from_however_deep_it_stands() -> None:
    fields = settings_schema(Settings)["properties"]
    for journals in (fields["journals"], fields["others"]["items"]):
        assert [journals["properties"][name]["chooses_from"] for name in ("sale", "purchase")] == ["journal"] * 2
    assert fields["vat_codes"]["additionalProperties"]["chooses_from"] == "vat_code"
    assert "$ref" not in str(settings_schema(Settings))


def test_a_secret_is_write_only() -> None:
    assert settings_schema(Settings)["properties"]["password"]["writeOnly"] is True


async def test_the_schema_is_published(testbed: Testbed, client: httpx2.AsyncClient) -> None:
    async with testbed.caller(None) as nobody:
        assert (await nobody.get("/v1/settings-schema")).status_code == 401
    fields = (await client.get("/v1/settings-schema")).json()["properties"]
    assert fields["journal"]["chooses_from"] == "journal"
    assert fields["pin"]["writeOnly"] is True


async def test_the_openapi_document_says_what_the_settings_are(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    body = document["paths"]["/v1/connections"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]["settings"]["properties"]) == {"journal", "pin"}
