"""The mail sandbox, running, emptied for each test, and billmail on it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from billmail.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed
from koppel_sandbox.mail.testing import MailSandbox


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[MailSandbox]:
    with MailSandbox() as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: MailSandbox) -> MailSandbox:
    """Give the sandbox without mails, rules and switches."""
    running_sandbox.control("reset")
    return running_sandbox


@pytest.fixture
def mail_settings(sandbox: MailSandbox) -> dict[str, Any]:
    """Give settings of the service that lead to the sandbox."""
    return {name.removeprefix("KOPPEL_").lower(): value for name, value in sandbox.environment().items()}


@pytest.fixture
async def testbed(mail_settings: dict[str, Any], make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), **mail_settings) as running:
        yield running
