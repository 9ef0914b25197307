"""The story and the promises leave no connector out: each that leads to books has a sandbox with a driver."""

from collections.abc import Iterable

from koppel_mesh.service import Service, installed_services
from koppel_sandbox import Sandbox, installed_sandboxes

WITHOUT_BOOKS = {"billmail"}
"""Connectors to what keeps no books that a driver could read: the promises count their mails (``every_target.py``)."""


def undriven(services: Iterable[Service], sandboxes: Iterable[Sandbox]) -> set[str]:
    """Return the connectors that the tests of the whole mesh would not run on."""
    driven = {sandbox.driver("http://127.0.0.1:1").connector for sandbox in sandboxes if sandbox.driver}
    return {service.name for service in services if service.kind == "connector"} - driven - WITHOUT_BOOKS


def test_every_connector_is_driven() -> None:
    assert undriven(installed_services().values(), installed_sandboxes().values()) == set()


def test_the_rule_can_fail() -> None:
    services = installed_services().values()
    connectors = {service.name for service in services if service.kind == "connector"}
    assert undriven(services, []) == connectors - WITHOUT_BOOKS != set()
    assert connectors >= WITHOUT_BOOKS, "the list names what is gone"
