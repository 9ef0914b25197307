"""What goes wrong, on request: rules that a test sets, each for the addresses it names and for so many mails."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "refuse",
    "refuse_content",
    "drop_before",
    "drop_after",
    "hang_after",
    "half_answer_after",
    "odd_answer_after",
    "bounce",
    "exchange_report",
    "plain_bounce",
    "out_of_office",
]
"""``refuse`` replies to RCPT, ``refuse_content`` to the final dot, with ``reply``. ``drop_before`` loses the connection at the
final dot and the mail with it. Those ``…_after`` keep the mail and spoil the reply. The last four take the mail and send back
a delivery status (RFC 3464) as Postfix or as Exchange writes it, a bounce that no standard describes, or a holiday notice."""
REPLIES = {"refuse": "550 5.1.1 no such mailbox", "refuse_content": "554 5.7.1 not from here"}


@dataclass
class Rule:
    """One rule; the first that fits is followed."""

    kind: Kind
    recipient: str = ""
    """A regular expression that the address holds; empty for all."""
    times: int = 1
    """So often; -1 for ever."""
    reply: str = ""
    seconds: float = 4.0

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Rule":
        """Return the rule that a request asks for.

        Raises:
            TypeError: it has a field that rules do not have.
            ValueError: its kind is none, or its address no regular expression.
        """
        rule = cls(**body)
        if rule.kind not in get_args(Kind):
            raise ValueError(f"no such kind: {rule.kind}; there are {', '.join(get_args(Kind))}")
        try:
            re.compile(rule.recipient)
        except re.error as error:
            raise ValueError(f"{rule.recipient!r} is no regular expression: {error}") from error
        rule.reply = rule.reply or REPLIES.get(rule.kind, "")
        return rule

    def fits(self, recipient: str) -> bool:
        """Return whether it holds for an address now."""
        return self.times != 0 and re.search(self.recipient, recipient) is not None

    def spend(self) -> None:
        """Count one use."""
        if self.times > 0:
            self.times -= 1


def follow(rules: Iterable[Rule], recipients: Iterable[str], *kinds: Kind) -> Rule | None:
    """Return the first rule of these kinds that fits one of the addresses, and spend it."""
    addresses = list(recipients)
    for rule in rules:
        if rule.kind in kinds and any(map(rule.fits, addresses)):
            rule.spend()
            return rule
    return None
