"""One suite of promises for every connector: inherit ``ConnectorConformance`` and supply a vendor.

It holds P1, P4 and the connector's part of P2, P3 and P6; ``conformance`` says which part. P5 and P7 need the whole mesh.
"""

from .conformance import WHOLE_MATRIX, ConnectorConformance
from .harness import Fault, VendorHarness
from .internal_services import InternalServices
from .loopback import LoopbackServer, Request, http_answer
from .testbed import QUICK, Browser, Testbed, open_testbed

__all__ = [
    "QUICK",
    "WHOLE_MATRIX",
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
