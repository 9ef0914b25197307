"""What may happen to a call that changes something at a vendor."""

from enum import StrEnum


class Fault(StrEnum):
    """What happens to a call that books. "Acts" means that the booking is made all the same."""

    ACTS_THEN_HANGS = "acts_then_hangs"
    ACTS_THEN_RESETS = "acts_then_resets"
    ACTS_THEN_HALF_ANSWER = "acts_then_half_answer"
    ACTS_THEN_ERROR = "acts_then_error"
    """An unknown 5xx that says nothing, after the booking was made."""
    RESETS = "resets"
    """The connection breaks before anything was done."""
    THROTTLES = "throttles"
    UNAUTHORISED = "unauthorised"
    """The access token is refused; the refresh token still works."""
    FORBIDS = "forbids"
    """A right is missing."""
