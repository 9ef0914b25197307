"""One suite of promises for every connector: inherit ``ConnectorConformance`` and supply a vendor.

It holds P1, P4 and the connector's part of P2, P3 and P6; ``suite.py`` says which part. P5 and P7 need the whole mesh.
"""

from .harness import Fault, VendorHarness
from .internal_services import InternalServices
from .loopback import LoopbackServer, Request, http_answer
from .suite import ConnectorConformance
from .testbed import QUICK, Browser, Testbed, open_testbed

__all__ = [
    "QUICK",
    "Browser",
    "ConnectorConformance",
    "Fault",
    "InternalServices",
    "LoopbackServer",
    "Request",
    "Testbed",
    "VendorHarness",
    "http_answer",
    "open_testbed",
]
