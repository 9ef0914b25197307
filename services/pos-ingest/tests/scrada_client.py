"""A till vendor's client of Scrada's API."""

from typing import Any

import httpx2

from .conftest import Till


class Vendor:
    """A till vendor's client of one company."""

    def __init__(self, till: Till) -> None:
        answer = till.call("POST", "/scrada-keys", json={"name": "Kassa"})
        assert answer.status_code == 201, answer.text
        self.key = answer.json()
        self.till = till
        self.headers = {"x-api-key": self.key["api_key"], "x-password": self.key["password"]}

    def call(self, method: str, path: str, company: str | None = None, **asked: Any) -> httpx2.Response:
        self.till.sql("DELETE FROM scrada_window")
        return self.call_again(method, path, company, **asked)

    def call_again(self, method: str, path: str, company: str | None = None, **asked: Any) -> httpx2.Response:
        """Call without leaving the limits aside."""
        headers = self.headers | asked.pop("headers", {})
        address = f"/scrada/v1/company/{company or self.key['company_id']}{path}"
        return self.till.run(self.till.http.request(method, address, headers=headers, **asked))

    def error(self, method: str, path: str, status: int, **asked: Any) -> dict[str, Any]:
        """Return the body of an error, which is of Scrada's shape all the way down."""
        answer = self.call(method, path, **asked)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        is_scradas(found)
        return found


def is_scradas(body: dict[str, Any]) -> None:
    assert sorted(body) == ["defaultFormat", "errorCode", "errorType", "innerErrors", "parameters"]
    assert isinstance(body["errorCode"], int) and isinstance(body["errorType"], int) and body["defaultFormat"]
    body["defaultFormat"].format(*body["parameters"])
    for inner in body["innerErrors"]:
        is_scradas(inner)
