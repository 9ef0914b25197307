"""The names of loops that are woken before their interval is over."""

SEND = "send"
CHALLENGE = "challenge"
OWNERS = "owner mails"
