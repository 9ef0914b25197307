"""One text for one value: the JSON Canonicalization Scheme (RFC 8785) of the values that stand in an entry.

Keys are sorted by their UTF-16 code units, nothing stands between tokens, text is UTF-8 with only what JSON must escape. Of
numbers only whole ones are taken: amounts are text, so that no reader takes them for binary fractions.
"""

import json
from typing import Any

INTEGER_MAX = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Return the canonical form of a value of objects, arrays, text, whole numbers, true, false and null.

    Raises:
        ValueError: it holds anything else: a fraction, a number above 2⁵³ - 1, a key that is no text, half a surrogate pair.
    """
    return _written(value).encode()


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) <= INTEGER_MAX:
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return f"{{{','.join(f'{_written(key)}:{_written(each)}' for key, each in pairs)}}}"
    raise ValueError(f"has no canonical form here: {type(value).__name__}")
