"""Exact's webhooks (§3.13): how a notification is proven, what it means, and that Exact sends them.

A notification contains no data: what happened is read in the books. One subscription serves everybody who is connected to a
division, so they come to one address and name the division.
"""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from koppel_connector import Vendor, odata
from koppel_connector.contract import AddressProbe, EntryChanged, MasterDataChanged, Notice, NoticeEffect, Verified

from .answers import AlreadyExists
from .api import BANK_ENTRIES, SUBSCRIPTIONS, Exact
from .mapping.entry import FAMILIES

ENTRIES: Final = frozenset(family.path.partition("/")[2] for family in FAMILIES.values())
STATEMENTS: Final = BANK_ENTRIES.partition("/")[2]
MASTER_DATA: Final = frozenset({"Accounts", "GLAccounts"})
_SIGNED: Final = re.compile(
    rb'\s*\{\s*"Content"\s*:\s*(\{.*\})\s*,\s*"HashCode"\s*:\s*"([0-9A-F]{64})"\s*\}\s*', re.DOTALL
)
_IDENTITY: Final = ("Topic", "Key", "Action", "EventCreatedOn")


def verify(notice: Notice, secret: str) -> Verified | AddressProbe | None:
    """Return the proof by HashCode: the uppercase HMAC-SHA256 of the raw Content, keyed by the secret of the app.

    A new subscription is tried by an empty POST.
    """
    if not notice.content:
        return AddressProbe()
    signed = _SIGNED.fullmatch(notice.content)
    if signed is None or not secret:
        return None
    expected = hmac.new(secret.encode(), signed[1], "sha256").hexdigest().upper()
    if not hmac.compare_digest(expected.encode(), signed[2]):
        return None
    content = _content(notice)
    return Verified(" ".join(str(content.get(name)) for name in _IDENTITY))


def receive(notice: Notice) -> Sequence[NoticeEffect]:
    """Return what a notification means: an entry was made, changed or deleted, or master data was."""
    content = _content(notice)
    scope = str(content["Division"])
    match content["Topic"]:
        case topic if topic in {*ENTRIES, STATEMENTS}:
            return [EntryChanged(remote_id=odata.same_guid(content["Key"]), scope=scope)]
        case topic if topic in MASTER_DATA:
            return [MasterDataChanged(scope)]
    return []


async def subscribe(vendor: Vendor, address: str) -> None:
    """Have each topic sent to ``address``; a subscription of ours that leads elsewhere is replaced, for none can be changed."""
    exact, ours = Exact(vendor), odata.same_guid(vendor.application.client_id)
    held = [row for row in await exact.list_of(SUBSCRIPTIONS) if odata.same_guid(row.get("ClientID")) == ours]
    for row in held:
        if row.get("CallbackURL") != address:
            await exact.unsubscribe(str(row["ID"]))
    wanted = ENTRIES | MASTER_DATA | ({STATEMENTS} if vendor.settings.enters_statements else set())
    for topic in sorted(wanted - {row.get("Topic") for row in held if row.get("CallbackURL") == address}):
        try:
            await exact.subscribe(topic, address)
        except AlreadyExists:
            # Another user of the division subscribed to it: its notifications come to the same address.
            continue


def _content(notice: Notice) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(notice.content)["Content"]
    return content
