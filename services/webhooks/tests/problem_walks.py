"""What keeps events from an endpoint: walked in the tests named here, for no document is stopped by it."""

from typing import Final

from koppel_sandbox.walks import NotHere, Walk

_DELIVERY: Final = "services/webhooks/tests/test_delivery.py"
WALKS: Final[dict[str, Walk | NotHere]] = {
    "webhook_gone": NotHere(f"{_DELIVERY}::test_what_is_gone_is_disabled_and_gets_all_when_it_is_back"),
    "webhook_failing": NotHere(f"{_DELIVERY}::test_five_bad_days_disable"),
    "webhook_unverified": NotHere(
        "services/webhooks/tests/test_endpoints.py::test_nothing_is_sent_before_the_challenge_is_answered"
    ),
}
