"""One suite of promises for every connector: inherit ``ConnectorConformance`` and supply a vendor.

It holds P1, P4 and the connector's part of P2, P3 and P6; ``conformance`` says which part. P5 and P7 need the whole mesh.
"""

from .books import HeldBooking, HeldLine, TypedIn
from .conformance import WHOLE_MATRIX, ConnectorConformance
from .direct_vendor import DirectVendor, SampleDocument, context_of
from .document_factory import DOSSIER_NAME, DOSSIER_NUMBER, SAMPLE_KINDS, Party, Sample, party, sample
from .fake_vendor import Asked, FakeVendor, Refusal, route
from .fault_gate import FaultGate
from .harness import HttpHarness, VendorHarness
from .internal_services import InternalServices
from .loopback import LoopbackServer, Request, http_answer
from .master_data import MasterDataInProcess
from .memory import MemoryInProcess
from .testbed import QUICK, Browser, Testbed, begin_consent, open_testbed
from .vendor_faults import Fault

__all__ = [
    "DOSSIER_NAME",
    "DOSSIER_NUMBER",
    "QUICK",
    "SAMPLE_KINDS",
    "WHOLE_MATRIX",
    "Asked",
    "Browser",
    "ConnectorConformance",
    "DirectVendor",
    "FakeVendor",
    "Fault",
    "FaultGate",
    "HeldBooking",
    "HeldLine",
    "HttpHarness",
    "InternalServices",
    "LoopbackServer",
    "MasterDataInProcess",
    "MemoryInProcess",
    "Party",
    "Refusal",
    "Request",
    "Sample",
    "SampleDocument",
    "Testbed",
    "TypedIn",
    "VendorHarness",
    "begin_consent",
    "context_of",
    "http_answer",
    "open_testbed",
    "party",
    "route",
    "sample",
]
