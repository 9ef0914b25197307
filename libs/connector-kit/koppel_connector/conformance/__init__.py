"""One suite of promises for every connector: inherit ``ConnectorConformance``, supply a vendor, keep P1–P6."""

from .neighbours import Neighbours, http_answer, read_request
from .suite import ConnectorConformance
from .vendor import Fault, VendorHarness
from .workshop import QUICK, Workshop, workshop

__all__ = [
    "QUICK",
    "ConnectorConformance",
    "Fault",
    "Neighbours",
    "VendorHarness",
    "Workshop",
    "http_answer",
    "read_request",
    "workshop",
]
