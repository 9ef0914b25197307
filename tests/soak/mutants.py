"""One guard taken away in a running process, by patching the product from outside: each function is the hook of a soak.

``stumbles`` is in all of them, and in the run that has every guard: the moments at which a process dies, freezes or is slow
just where a guard stands. A stumble happens once, when the soak has armed it with a file.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import koppel_connector.auth.vault as vault
import koppel_mesh.inbox as inbox
import pos_ingest.entries as entries
import webhooks.projection as projection
from koppel_connector.auth.token_rows import READ
from koppel_connector.calls.attempts import Budget, Phase
from koppel_connector.calls.budget import ConnectionBudget
from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract.problems import Problem
from koppel_connector.delivery import claims, state_machine
from koppel_connector.delivery.situation import READY, Patience, Situation, Transition
from koppel_mesh.broker import Message, Outcome, Publisher
from koppel_mesh.inbox import Inbox
from koppel_mesh.prepared_sql import Statement
from koppel_receipts import GENESIS, Entry

ARMED = "SOAK_ARMED"
"""Names the folder of the files that arm stumbles."""
FROZEN_S = 6.0
"""Longer than others wait until they count a process as dead, and take what it had claimed."""
SLOW_S = 0.5
DIES, FREEZES = "dies", "freezes"


def stumbles() -> None:
    """Die while a message is handled; freeze before a mail leaves; be slow between reading a token and spending it."""
    handle, open_attempt, ask = Inbox._handle, OpenVendor._open, vault.Vault._ask

    async def dying(self: Any, envelopes: Any) -> None:
        if self._database.service == "export-scheduler" and _strikes(DIES):
            await asyncio.sleep(SLOW_S)  # what was acknowledged already reaches the broker
            os._exit(137)
        await handle(self, envelopes)

    async def freezing(self: Any, outgoing: Any) -> Any:
        if self.kit.profile.name == "billmail" and _strikes(FREEZES):
            time.sleep(FROZEN_S)  # noqa: ASYNC251 - the whole process stands still
        return await open_attempt(self, outgoing)

    async def slow(self: Any, tx: Any, stored: Any) -> Any:
        await asyncio.sleep(SLOW_S)
        return await ask(self, tx, stored)

    _patch(Inbox, "_handle", dying)
    _patch(OpenVendor, "_open", freezing)
    _patch(vault.Vault, "_ask", slow)


def no_lookup() -> None:
    """What got no answer is sent again at once."""
    stumbles()

    def blind(
        was: Situation, patience: Patience, now: datetime, until: datetime, problem: Problem | None
    ) -> Transition:
        return Transition(replace(was, state=READY), now, problem)

    _patch(state_machine, "ambiguous", blind)


def no_confirm() -> None:
    """A message leaves the outbox whether the broker has it or not."""
    stumbles()
    publish = Publisher.publish

    async def hopeful(self: Publisher, messages: Sequence[Message], *, deadline_s: float) -> Outcome:
        await publish(self, messages, deadline_s=deadline_s)
        return Outcome(confirmed=[message.id for message in messages])

    _patch(Publisher, "publish", hopeful)


def acknowledge_first() -> None:
    """A message is acknowledged before what it says is committed."""
    stumbles()
    take = Inbox.take

    async def hasty(self: Inbox, batch: Any) -> None:
        await batch[-1].ack(multiple=True)
        await take(self, batch)

    async def done(*_: Any, **__: Any) -> None:
        """It is acknowledged."""

    _patch(Inbox, "take", hasty)
    _patch(inbox, "_acknowledge", done)


def no_fence() -> None:
    """A process that others took for dead sends what it had claimed."""
    stumbles()
    _patch(OpenVendor, "_insist_on_claims", lambda self, attempt: None)


def no_token_lock() -> None:
    """A token pair is read without its row's lock."""
    stumbles()
    _patch(vault, "LOCK", READ)


def no_budget() -> None:
    """Calls are counted by nobody."""
    stumbles()

    def unlimited(self: Any, operation: str, is_counted: bool, phase: Phase) -> Budget:
        return Budget(self._scope)

    _patch(ConnectionBudget, "needed_by", unlimited)


def no_sequence() -> None:
    """A statement goes whether the one before it has gone or not."""
    stumbles()
    one_by_one = "d.sequence_key IS NULL OR NOT EXISTS"
    assert one_by_one in claims._CLAIM.sql
    claims._CLAIM.sql = claims._CLAIM.sql.replace(one_by_one, "true OR NOT EXISTS")


def no_memory_of_messages() -> None:
    """A message counts as often as it comes: no inbox, and no version of what is known."""
    stumbles()
    _patch(inbox, "_TAKE_NEW", Statement("SELECT unnest(CAST(:ids AS uuid[])) AS message_id"))
    _patch(projection, "is_late", lambda known, version: False)


def no_chain() -> None:
    """An entry does not hold the hash of the one before."""
    stumbles()
    _patch(entries, "Entry", lambda **named: replace(Entry(**named), previous_hash=GENESIS))


def arm(folder: Path, stumble: str) -> None:
    """Have a stumble happen once, in whichever process comes by first."""
    folder.mkdir(exist_ok=True)
    (folder / stumble).touch()


def _strikes(stumble: str) -> bool:
    try:
        (Path(os.environ[ARMED]) / stumble).unlink()
    except FileNotFoundError:
        return False
    return True


def _patch(owner: Any, name: str, value: Any) -> None:
    assert hasattr(owner, name), f"{owner} has no {name} any more: this mutant takes nothing away"
    setattr(owner, name, value)
