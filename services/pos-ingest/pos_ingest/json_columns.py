"""JSON columns as values."""

import json
from decimal import Decimal
from typing import Any


def loaded(column: Any) -> Any:
    """Return what a JSON column holds. The driver decodes it on connections that SQLAlchemy has used its own way."""
    return json.loads(column, parse_float=Decimal) if isinstance(column, str) else column
