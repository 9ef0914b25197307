"""What the reply of a mail server means to a connector that reaches its vendor by HTTP first. Pure."""

from koppel_connector.contract import (
    ActionRequired,
    ConnectorError,
    MailReply,
    Problem,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    classify_by_mail_code,
)


def classify_beside_api(reply: MailReply, refused: str) -> ConnectorError | None:
    """Classify by the code alone; the login is the operator's and not that of the connection.

    Args:
        reply: of the mail server.
        refused: the problem of a mail that is refused for good, which waits for a person to correct its address.
    """
    failure, detail = classify_by_mail_code(reply), f"{reply.code} {reply.text}"[:300]
    if isinstance(failure, ReauthorisationRequired):
        return RetryLater(problem=Problem("vendor_unavailable", detail))
    return ActionRequired(Problem(refused, detail)) if isinstance(failure, Rejected) else failure
