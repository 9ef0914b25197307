"""The conformance suite sees mistakes: each is put into a connector, and the scenario made for it must fail, and say why.

That the same scenarios pass without a mistake is ``test_adding_a_connector.py``.
"""

# mypy: disable-error-code="import-not-found"

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from koppel_connector.service import connector_service
from koppel_connector.testing import ConnectorConformance, Fault, open_testbed

from .mutants import CAUGHT_BY  # isort: skip
from connector_griffel.connector import GriffelConnector  # isort: skip
from connector_griffel.settings import GriffelServiceSettings  # isort: skip
from connector_griffel_tests.harness import GriffelHarness  # isort: skip


@pytest.mark.parametrize("mutant", CAUGHT_BY, ids=lambda mutant: mutant.__name__)
async def test_a_mistake_is_seen(mutant: type[GriffelConnector], make_database: Callable[..., str]) -> None:
    scenario, message = CAUGHT_BY[mutant]
    with pytest.raises(AssertionError, match=re.escape(message)):
        await run(scenario, mutant(), make_database)


async def run(scenario: str, connector: GriffelConnector, make_database: Callable[..., str]) -> None:
    """Run one scenario of the suite, as pytest would; ``name[fault]`` for one with a parameter."""
    name, _, fault = scenario.rstrip("]").partition("[")
    service = connector_service(connector, settings=GriffelServiceSettings)
    test = getattr(ConnectorConformance(), name)
    wanted = inspect.signature(test).parameters
    async with GriffelHarness.running() as harness:
        given: dict[str, Any] = {
            "service": service,
            "harness": harness,
            "vendor_settings": {"griffel_base_url": harness.gate.url},
            "make_database": make_database,
            "fault": Fault(fault) if fault else None,
        }
        try:
            if "testbed" not in wanted:
                await test(**{each: given[each] for each in wanted})
                return
            async with open_testbed(service, make_database(service), **given["vendor_settings"]) as testbed:
                await harness.connect(testbed)
                await test(**{each: {**given, "testbed": testbed}[each] for each in wanted})
        except pytest.skip.Exception as skipped:
            raise RuntimeError(f"{scenario} was skipped: {skipped}") from skipped
