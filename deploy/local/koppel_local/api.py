"""Koppel as the command line calls it: the client of partners, whose errors end a command with a sentence."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from koppel_client import Koppel, KoppelError, RefusedError

from .user_errors import UserError


class ApiError(UserError):
    """Koppel refused, or could not be reached; the message is for a person."""


class Api(Koppel):
    """One caller of one Koppel.

    Raises:
        ApiError: a call, or the token, was refused, or nothing answered.
    """

    def __init__(self, url: str, client_id: str, client_secret: str, firm_id: str | None = None) -> None:
        issuer = os.environ.get("KOPPEL_OIDC_ISSUER")
        super().__init__(url, client_id, client_secret, firm_id=firm_id, issuer=issuer)
        self.sign_in()

    def sign_in(self) -> None:
        """Fetch a token."""
        try:
            super().sign_in()
        except KoppelError as error:
            raise ApiError(str(error)) from error

    def call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, **arguments: Any) -> Any:
        """Make a call, as ``Koppel.call`` does."""
        try:
            return super().call(method, path, query=query, **arguments)
        except KoppelError as error:
            raise ApiError(str(error)) from error

    @contextmanager
    def lines(self, path: str) -> Iterator[Iterator[str]]:
        """Open the lines of a streamed answer, of which only some are in memory at a time."""
        try:
            for is_last in (False, True):
                with self._http.stream(
                    "GET", self.address_of(path), headers={"Authorization": self.authorization}
                ) as answer:
                    if answer.status_code == 401 and not is_last:
                        self.sign_in()
                        continue
                    if answer.status_code >= 400:
                        answer.read()
                        raise RefusedError(answer)
                    yield answer.iter_lines()
                    return
        except (KoppelError, httpx2.HTTPError) as error:
            raise ApiError(str(error) or type(error).__name__) from error

    def page(self, path: str) -> httpx2.Response | None:
        """Return a page whatever its status, None when nothing answers."""
        try:
            return self._http.get(self.address_of(path))
        except httpx2.HTTPError:
            return None

    def status_of(self, path: str) -> int | None:
        """Return the HTTP status of a page, None when nothing answers."""
        found = self.page(path)
        return found.status_code if found is not None else None
