"""Documents for the tests: our UBL samples, and what a person changes in them."""

from pathlib import Path
from typing import Any

import pytest

from connector_octopus.problems import PROBLEMS
from koppel_connector import ConnectorError, DeliveryContext
from koppel_connector.contract import BOOKING_PROBLEMS
from koppel_connector.testing import SampleDocument, context_of

from .harness import Vendor

SAMPLES = Path(__file__).parents[3] / "libs" / "ubl" / "tests" / "samples" / "valid"
INVOICE = "01-invoice-ogm-pdf"


def sample(
    name: str = INVOICE, kind: str = "sales_invoice", *, swaps: dict[str, str] | None = None, **changes: Any
) -> SampleDocument:
    """Return a sample as a document; ``swaps`` replaces text in its file, ``changes`` what dossier-api says of it."""
    (path,) = SAMPLES.glob(f"own__be-{name}*.xml")
    text = path.read_text("utf-8")
    for old, new in (swaps or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    return SampleDocument(kind, {"ubl": text.encode(), "pdf": b"%PDF-1.4 sample"}, changes)


def delivery(vendor: Vendor, *args: Any, of: dict[str, Any] | None = None, **kwargs: Any) -> DeliveryContext:
    """Return a delivery of a sample (arguments as ``sample``); ``of`` are those of ``context_of``."""
    return context_of(vendor, sample(*args, **kwargs), **(of or {}))


async def refused(vendor: Vendor, *args: Any, **kwargs: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await vendor.send(delivery(vendor, *args, **kwargs))
    assert caught.value.problem is not None
    assert caught.value.problem.code in PROBLEMS.over(BOOKING_PROBLEMS)
    return caught.value


async def code_of(vendor: Vendor, *args: Any, **kwargs: Any) -> str:
    problem = (await refused(vendor, *args, **kwargs)).problem
    assert problem is not None
    return problem.code
