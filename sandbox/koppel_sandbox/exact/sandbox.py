"""The sandbox Exact Online as it is found by the entry point group ``koppel.sandboxes``."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp

from koppel_sandbox.installed import Demo, Sandbox

from .app import create_app
from .driver import ExactDriver, connection_settings
from .seed import BAKERY, CLIENT_ID, CLIENT_SECRET, TILLS, WEBHOOK_SECRET


def environment(address: str) -> dict[str, str]:
    """Return the variables that lead connector-exact to a sandbox at ``address``."""
    return {
        "KOPPEL_EXACT_BASE_URL": address,
        "KOPPEL_EXACT_CLIENT_ID": CLIENT_ID,
        "KOPPEL_EXACT_CLIENT_SECRET": CLIENT_SECRET,
        "KOPPEL_EXACT_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


@asynccontextmanager
async def _start(address: str, folder: Path | None) -> AsyncIterator[ASGIApp]:
    yield create_app(address, data_dir=folder)


def _demo_settings(division: int) -> Mapping[str, Any]:
    return {
        **connection_settings(division),
        "send_coda": True,
        "default_payment_condition": {"sale": "30", "purchase": "30"},
        # The two rounded VAT totals of the invoice in dollars leave its rate open.
        "exchange_rates": {"USD": "0.92234"},
        "vat_codes": {
            "sale": {"S:21": "21", "S:12": "12", "S:6": "6", "Z": "0", "E": "VRY", "AE": "MC", "K": "ICL", "G": "EXP"},
            # Dutch VAT has no code in Belgian books: one document must show what a problem looks like.
            "purchase": {"S:21": "P21", "S:12": "P12", "S:6": "P6", "AE": "PMC", "K": "PIC", "E": "PVR"},
        },
    }


SANDBOX: Final = Sandbox(
    name="exact",
    address_variable="KOPPEL_EXACT_BASE_URL",
    environment=environment,
    start=_start,
    demo=Demo(
        "connector-exact",
        {"0793904121": _demo_settings(BAKERY), "0709876583": _demo_settings(TILLS)},
    ),
    driver=ExactDriver,
)
