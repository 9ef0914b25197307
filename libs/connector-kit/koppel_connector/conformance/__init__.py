"""One suite of promises for every connector: inherit ``ConnectorConformance`` and supply a vendor.

It holds P1, P4 and the connector's part of P2, P3 and P6; ``suite.py`` says which part. P5 and P7 need the whole mesh.
"""

from .loopback import LoopbackServer, Request, http_answer
from .neighbours import Neighbours
from .suite import ConnectorConformance
from .vendor import Fault, VendorHarness
from .workshop import QUICK, Browser, Workshop, workshop

__all__ = [
    "QUICK",
    "Browser",
    "ConnectorConformance",
    "Fault",
    "LoopbackServer",
    "Neighbours",
    "Request",
    "VendorHarness",
    "Workshop",
    "http_answer",
    "workshop",
]
