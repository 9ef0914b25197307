"""One call to a vendor by HTTP, as a connector describes it: how it is made, whether it acts, what it costs."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from .answers import NothingFound
from .wire import to_json


@dataclass(frozen=True)
class Call:
    """What a connector asks of its vendor; built in its ``api`` module, made by ``Vendor.call``."""

    operation: str
    """What the sync log and the vendor's answer call it."""
    method: str
    path: str
    """Appended to the application's base address, unless it is absolute under that address."""
    _: KW_ONLY
    acts: bool
    """Whether it may change something at the vendor: then it is looked up, never simply repeated, when no answer comes."""
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """A body that may hold Decimals (written as numbers), UUIDs and dates."""
    content: bytes | None = None
    """A body that is not JSON."""
    endpoint: str = ""
    """By what the error budget counts it; by its operation when not given."""
    is_counted: bool = True
    """False for what the vendor does not count in its windows."""
    nothing_found: NothingFound | None = None
    """How this question is answered when there is nothing; such an answer is a success with an empty list."""
    server: str = ""
    """Which of the vendor's base addresses it goes to: a name of ``Application.servers``; the main one when empty."""
    logs_in: bool = False
    """True for the calls of ``Connector.log_in``: no session lets them in, and of their bodies nothing is logged."""
    api: str = ""
    """Another API of the vendor's, with sessions of its own (``Connector.log_in_at``); empty: where the connection logs in."""
    opens_dossier: bool = False
    """True for the calls of ``Connector.open_dossier``: only the login lets them in, and of their bodies nothing is logged."""

    @property
    def is_confidential(self) -> bool:
        """Return whether its bodies are kept out of the sync log."""
        return self.logs_in or self.opens_dossier

    def body(self) -> bytes | None:
        """Return the bytes of the body.

        Raises:
            TypeError: ``json`` holds a float, or something that is not JSON.
        """
        return self.content if self.json is None else to_json(self.json).encode()
