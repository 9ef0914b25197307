"""Webhooks (exact §3.13): subscriptions proven by an empty POST, signed notifications, repeated when refused."""

import asyncio
import hashlib
import hmac
import json
from uuid import uuid4

import httpx2

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Record, State
from .texts import say

TRIES = 10
PATIENCE_S = 5.0
_TOPICS = {
    "Accounts": "Accounts",
    "GLAccounts": "GLAccounts",
    "Documents": "Documents",
    "DocumentAttachments": "DocumentAttachments",
    "BankEntries": "BankEntries",
    "BankAccounts": "BankAccounts",
}
_running: set[asyncio.Task[None]] = set()


def on_subscribe(call: Call, _: Resource, record: Record) -> Record:
    """Subscribe; the same topic twice for one company is refused (point 46). The proof follows, as the live service does."""
    same = [
        hook
        for hook in call.state.webhooks.values()
        if (hook["Topic"], hook["Division"], hook["CallbackURL"])
        == (record["Topic"], call.division.code, record["CallbackURL"])
    ]
    if same:
        raise Refusal(500, say("Data already exists", call.language))
    record |= {
        "Division": call.division.code,
        "UserID": call.user.id,
        "ClientID": call.app.client_id,
        "Creator": call.user.id,
    }
    call.state.webhooks[record["ID"]] = record
    call.state.proofs[record["ID"]] = asyncio.create_task(_answers(record["CallbackURL"]))
    return record


def notify(call: Call, resource: Resource, key: str, action: str) -> None:
    """Notify the subscribers of a resource's topic of what happened to ``key``."""
    topic = _TOPICS.get(resource.table) or (resource.path.partition("/")[2] if resource.table == "Entries" else None)
    for hook in list(call.state.webhooks.values()):
        if hook["Division"] == call.division.code and hook["Topic"] == topic:
            content = {
                "Topic": topic,
                "ClientId": call.app.client_id,
                "Division": call.division.code,
                "Action": action,
                "Key": key,
                "ExactOnlineEndpoint": call.uri(f"{resource.path}(guid'{key}')"),
                "EventCreatedOn": call.state.clock.now().isoformat(timespec="milliseconds")[:23],
            }
            _start(_send(call.state, hook, sign(content, call.app.webhook_secret), str(uuid4())))


def sign(content: Record, secret: str) -> bytes:
    """Return a notification: compact, ``Content`` first, uppercase hex HMAC-SHA256 of the raw content (point 47)."""
    raw = json.dumps(content, separators=(",", ":")).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().upper()
    return b'{"Content":' + raw + b',"HashCode":"' + digest.encode() + b'"}'


async def _answers(address: str) -> bool:
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        try:
            answer = await client.post(address, content=b"")
        except httpx2.HTTPError:
            return False
        return answer.status_code in {200, 201}


async def _send(state: State, hook: Record, body: bytes, key: str) -> None:
    """Send a notification until it is taken. One that is due before its address has answered the proof waits for it."""
    if hook["ID"] not in state.proofs:  # after a restart
        state.proofs[hook["ID"]] = asyncio.create_task(_answers(hook["CallbackURL"]))
    if not await state.proofs[hook["ID"]]:
        return
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        for tried in range(TRIES):
            line = {"id": key, "try": tried + 1, "status": 0, "body": body.decode()}
            state.notifications.append(line)
            # 2^n minutes from the sending, by the sandbox's own clock: a test moves that clock, nobody waits.
            due = state.clock.epoch() + 60 * 2 ** (tried + 1)
            try:
                answer = await client.post(
                    hook["CallbackURL"], content=body, headers={"Content-Type": "application/json"}
                )
                line["status"] = answer.status_code
                if answer.status_code in {200, 201}:
                    return
            except httpx2.HTTPError as error:
                line["error"] = type(error).__name__
            while state.clock.epoch() < due:
                await asyncio.sleep(0.1)


def _start(work: object) -> None:
    assert asyncio.iscoroutine(work)
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
