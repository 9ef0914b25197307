"""The sandbox Octopus as it is found by the entry point group ``koppel.sandboxes``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from koppel_sandbox.installed import Demo, Sandbox

from .app import create_app
from .driver import OctopusDriver, connection_settings
from .seed import SOFTWARE_HOUSE, STUDIO, TILLS

_DOLLARS: Final = {"allow_foreign_currency": True, "exchange_rates": {"USD": "0.92234"}}
"""The two rounded VAT totals of the demo's invoice in dollars leave its rate open."""


def environment(address: str) -> dict[str, str]:
    """Return the variables that lead connector-octopus to a sandbox at ``address``."""
    return {
        "KOPPEL_OCTOPUS_BASE_URL": address,
        "KOPPEL_OCTOPUS_SOFTWARE_HOUSE_UUID": SOFTWARE_HOUSE,
        # The sandbox counts nothing unless a switch says so, and nobody at a laptop waits half an hour for a feed.
        "KOPPEL_OCTOPUS_FEED_READS_PER_DAY": "86400",
        "KOPPEL_OCTOPUS_WRITES_PER_DAY": "100000",
    }


@asynccontextmanager
async def _start(address: str, folder: Path | None) -> AsyncIterator[ASGIApp]:
    del address
    yield create_app(data_dir=folder)


SANDBOX: Final = Sandbox(
    name="octopus",
    address_variable="KOPPEL_OCTOPUS_BASE_URL",
    environment=environment,
    start=_start,
    demo=Demo(
        "connector-octopus",
        {
            "0836836222": {**connection_settings(STUDIO), **_DOLLARS},
            "0709876583": {**connection_settings(TILLS), "send_coda": True},
        },
    ),
    driver=OctopusDriver,
)
