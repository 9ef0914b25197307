"""What people and tests see: the mails on a page, one mail with its files, and the wishes of a test under ``/_control/``."""

import base64
import email
import email.policy
import json
from collections.abc import Callable
from email.message import EmailMessage
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .rules import Rule
from .smtp import MailTaker
from .store import Box, Mail

_BOXES: tuple[Box, Box] = ("taken", "returned")
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail sandbox</title>
<style>body{{font:16px system-ui;margin:2rem;max-width:70rem}}table{{border-collapse:collapse;width:100%}}
td,th{{padding:.3rem .6rem;border-bottom:1px solid #ccc;text-align:left}}pre{{white-space:pre-wrap}}</style>
<h1>{title}</h1>{content}</html>"""
Action = Callable[[MailTaker, dict[str, Any]], Any]


def create_app(taker: MailTaker) -> Starlette:
    """Return the app of a sandbox that is running."""
    app = Starlette(
        routes=[
            Route("/", _list),
            Route("/mails/{uid:int}", _show),
            Route("/mails/{uid:int}/raw", _raw),
            Route("/mails/{uid:int}/files/{number:int}", _file),
            Route("/_control/mails", _mails),
            Route("/_control/{action}", _act, methods=["POST"]),
        ]
    )
    app.state.sandbox = taker
    return app


# ── pages ──


async def _list(request: Request) -> Response:
    parts = []
    for box in _BOXES:
        rows = "".join(
            f'<tr><td><a href="mails/{mail.uid}">{mail.uid}</a><td>{escape(mail.received_at)}'
            f"<td>{escape(mail.sender)}<td>{escape(', '.join(mail.recipients))}"
            f"<td>{escape(str(parsed(mail)['Subject'] or ''))}"
            for mail in reversed(_taker(request).store.mails(box))
        )
        parts.append(f"<h2>{box}</h2><table><tr><th>#<th>at<th>sender<th>for<th>subject{rows}</table>")
    return HTMLResponse(_PAGE.format(title="Mail sandbox", content="".join(parts)))


async def _show(request: Request) -> Response:
    mail = _taker(request).store.mail(request.path_params["uid"])
    if mail is None:
        return Response(status_code=404)
    message = parsed(mail)
    headers = "\n".join(f"{name}: {value}" for name, value in message.items())
    body = message.get_body(("plain",))
    files = "".join(
        f'<li><a href="{mail.uid}/files/{number}">{escape(str(part.get_filename()))}</a>'
        for number, part in enumerate(message.iter_attachments())
    )
    content = f"<pre>{escape(headers)}</pre><pre>{escape(body.get_content() if body else '')}</pre><ul>{files}</ul>"
    return HTMLResponse(_PAGE.format(title=escape(str(message["Subject"] or mail.uid)), content=content))


async def _raw(request: Request) -> Response:
    mail = _taker(request).store.mail(request.path_params["uid"])
    return Response(status_code=404) if mail is None else Response(mail.content, media_type="text/plain")


async def _file(request: Request) -> Response:
    mail = _taker(request).store.mail(request.path_params["uid"])
    parts = list(parsed(mail).iter_attachments()) if mail is not None else []
    number = request.path_params["number"]
    if number >= len(parts):
        return Response(status_code=404)
    # Whatever a test mailed stays a file: nothing of it runs in the browser that looks at it.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(_bytes_of(parts[number]), media_type="application/octet-stream", headers=headers)


# ── what a test may do ──


def _rules(taker: MailTaker, body: dict[str, Any]) -> int:
    if "clear" in body:
        taker.rules.clear()
    else:
        taker.rules.append(Rule.from_json(body))
    return len(taker.rules)


def _switches(taker: MailTaker, body: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(body) - set(taker.switches):
        raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
    taker.store.set_switches(body)
    return taker.switches


def _give_back(taker: MailTaker, body: dict[str, Any]) -> int:
    """Send something back for a mail that was taken earlier."""
    mail = taker.store.mail(int(body["uid"]))
    if mail is None:
        raise ValueError("no such mail")
    returned = taker.give_back(str(body.get("kind", "bounce")), mail.sender, mail.recipients[0], mail.content)
    if body.get("seen"):
        taker.store.flag(returned, "\\Seen")
    return returned


def _put(taker: MailTaker, body: dict[str, Any]) -> int:
    """Put a mail of the test's own into the box of what came back."""
    return taker.store.add("returned", "", (str(body.get("to", "")),), base64.b64decode(body["content"]))


def _reset(taker: MailTaker, _: dict[str, Any]) -> None:
    taker.reset()


_ACTIONS: dict[str, Action] = {
    "rules": _rules,
    "switches": _switches,
    "give-back": _give_back,
    "put": _put,
    "reset": _reset,
}


async def _act(request: Request) -> Response:
    action = _ACTIONS.get(request.path_params["action"])
    if action is None:
        return JSONResponse({"error": "no such action", "actions": sorted(_ACTIONS)}, 404)
    try:
        return JSONResponse({"ok": True, "result": action(_taker(request), json.loads(await request.body() or b"{}"))})
    except (ValueError, KeyError, TypeError) as error:
        return JSONResponse({"ok": False, "error": f"{type(error).__name__}: {error}"}, 400)


async def _mails(request: Request) -> Response:
    box: Box = "returned" if request.query_params.get("box") == "returned" else "taken"
    return JSONResponse([_shown(mail) for mail in _taker(request).store.mails(box)])


def _shown(mail: Mail) -> dict[str, Any]:
    message = parsed(mail)
    body = message.get_body(("plain",))
    return {
        "uid": mail.uid,
        "sender": mail.sender,
        "recipients": mail.recipients,
        "flags": sorted(mail.flags),
        "headers": {name: str(value) for name, value in message.items()},
        "text": body.get_content() if body else "",
        "size_bytes": len(mail.content),
        "files": {str(part.get_filename()): len(_bytes_of(part)) for part in message.iter_attachments()},
    }


def parsed(mail: Mail) -> EmailMessage:
    """Return a mail as a message."""
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _bytes_of(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()


def _taker(request: Request) -> MailTaker:
    taker: MailTaker = request.app.state.sandbox
    return taker
