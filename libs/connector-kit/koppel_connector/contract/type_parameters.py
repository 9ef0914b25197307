"""What a connector fills in for ``Connector``, ``DeliveryContext`` and ``Vendor``: its own types, so that none is ``Any``.

Each has a default, for code that handles every connector alike.
"""

from typing import Any

from typing_extensions import TypeVar

SettingsT = TypeVar("SettingsT", default=Any)
"""The settings of one connection: the connector's ``settings_model``."""
PreparedT = TypeVar("PreparedT", default=Any)
"""What ``prepare`` makes of a document and ``send`` takes."""
ServiceSettingsT = TypeVar("ServiceSettingsT", default=Any)
"""The settings of the service: a ``ConnectorSettings`` of the connector's own."""
