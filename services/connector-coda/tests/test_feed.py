"""What a bank feed posts: filed once, refused with the reason, taken from its own firm only."""

from typing import Any

import pytest

import koppel_coda
from connector_coda import statements
from koppel_mesh.ids import new_id

from .conftest import Coda
from .samples import chain, coda, statement

OTHERS = "0403170701"


async def post(service: Coda, data: bytes, **asked: Any) -> Any:
    headers = {"content-type": "text/plain", **asked.pop("headers", {})}
    return await service.call("POST", service.at("/statements"), content=data, headers=headers, **asked)


async def test_a_feed_posts_statements_which_are_filed_as_documents(service: Coda) -> None:
    data = coda(*chain(1))
    first = await post(service, data, headers={"idempotency-key": "feed-1"})
    assert (first.status_code, first.json()["state"]) == (201, "filed")
    assert (await post(service, data, headers={"idempotency-key": "feed-1"})).json() == first.json()
    assert (await post(service, data)).status_code == 200
    assert [content for _, content in service.dossier_api.filed] == [data]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"geen coda", "unreadable_document"),
        (b"", "unreadable_document"),
        (coda(statement(1, 0, 5, holder=OTHERS)), "account_of_other_holder"),
        (coda(statement(1, 0, 5, holder="", name="?")), "account_unknown"),
        (coda(statement(1, 0, 5)).replace(b"0000000000005000", b"0000000000006000", 1), "statement_incorrect"),
    ],
)
async def test_what_a_feed_may_not_post_is_refused_and_not_filed(service: Coda, data: bytes, code: str) -> None:
    answer = await post(service, data)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["errors"]
    assert service.dossier_api.filed == []


async def test_a_file_that_was_taken_gets_its_first_answer_whatever_is_refused_now(
    service: Coda, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, key = coda(*chain(1)), {"idempotency-key": "before-upgrade"}
    first = await post(service, data, headers=key)
    assert first.status_code == 201, first.text

    def refuse(_: bytes) -> None:
        raise koppel_coda.ReadError("stricter", "since an upgrade", 1)

    monkeypatch.setattr(statements, "read", refuse)
    again = await post(service, data, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await post(service, data)).status_code == 422


async def test_what_says_that_it_is_something_else_than_coda_is_refused(service: Coda) -> None:
    data = coda(*chain(1))
    for media_type in ("application/json", "application/pdf", "multipart/form-data; boundary=x"):
        answer = await post(service, data, headers={"content-type": media_type})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), answer.text
    assert service.dossier_api.filed == []
    # The last is what curl writes unasked.
    for media_type in (
        "application/octet-stream",
        "Text/Plain; charset=iso-8859-1",
        "application/x-www-form-urlencoded",
    ):
        assert (await post(service, data, headers={"content-type": media_type})).status_code in (200, 201)


async def test_a_feed_that_finds_dossier_api_away_may_try_again(service: Coda) -> None:
    service.dossier_api.away = True
    asked = {"headers": {"idempotency-key": "feed-2"}}
    assert (await post(service, coda(*chain(1)), **asked)).status_code == 503
    service.dossier_api.away = False
    assert (await post(service, coda(*chain(1)), headers={"idempotency-key": "feed-2"})).status_code == 201


async def test_a_feed_reaches_only_its_own_firm(service: Coda) -> None:
    assert (await post(service, coda(*chain(1)), firm=new_id())).status_code == 404
    assert (await post(service, coda(*chain(1)), scopes="documents:read")).status_code == 403
