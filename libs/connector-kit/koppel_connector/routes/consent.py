"""Where a browser begins a consent, and where the vendor returns it.

What it is told is a small page, in the language of the dossier; no script, nothing of the request shown.
"""

import secrets
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from koppel_connector.auth.consent import (
    BROWSER_ID_LENGTH,
    STATE_MAX_AGE_S,
    Returned,
    ReturnedBy,
    begin,
    take_return,
)
from koppel_connector.kit import Kit
from koppel_mesh.auth import require
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Statement

router = APIRouter(tags=["oauth"])
_DOSSIER = Statement("SELECT language FROM dossier WHERE id = :id")
_SENTENCES = {
    "connected": {
        "nl": "De verbinding met {vendor} is gemaakt. U mag dit venster sluiten.",
        "fr": "La connexion avec {vendor} est établie. Vous pouvez fermer cette fenêtre.",
        "en": "The connection with {vendor} is made. You may close this window.",
    },
    "refused": {
        "nl": "U hebt de verbinding met {vendor} niet toegestaan. Er is niets veranderd.",
        "fr": "Vous n'avez pas autorisé la connexion avec {vendor}. Rien n'a changé.",
        "en": "You did not allow the connection with {vendor}. Nothing has changed.",
    },
    "spent": {
        "nl": "Deze link is al gebruikt. Begin opnieuw vanuit Koppel.",
        "fr": "Ce lien a déjà été utilisé. Recommencez depuis Koppel.",
        "en": "This link was used before. Start again from Koppel.",
    },
    "invalid": {
        "nl": "Deze link is niet geldig of te oud. Begin opnieuw vanuit Koppel.",
        "fr": "Ce lien n'est pas valable ou trop ancien. Recommencez depuis Koppel.",
        "en": "This link is not valid or too old. Start again from Koppel.",
    },
    "elsewhere": {
        "nl": "Deze aanmelding is niet in deze browser begonnen. Begin opnieuw vanuit Koppel, in deze browser.",
        "fr": "Cette connexion n'a pas commencé dans ce navigateur. Recommencez depuis Koppel, dans ce navigateur.",
        "en": "This login did not begin in this browser. Start again from Koppel, in this browser.",
    },
    "failed": {
        "nl": "{vendor} gaf geen toegang. Begin opnieuw vanuit Koppel.",
        "fr": "{vendor} n'a pas donné l'accès. Recommencez depuis Koppel.",
        "en": "{vendor} gave no access. Start again from Koppel.",
    },
    "unreadable": {
        "nl": "Koppel mist een geheime sleutel en kan dit nu niet afronden. Laad deze pagina zo dadelijk opnieuw.",
        "fr": "Il manque à Koppel une clé secrète pour terminer. Rechargez cette page dans quelques instants.",
        "en": "Koppel lacks a secret key and cannot finish this now. Reload this page in a while.",
    },
}
_STATUS = {
    "connected": 200,
    "refused": 200,
    "spent": 409,
    "invalid": 400,
    "elsewhere": 403,
    "failed": 422,
    "unreadable": 503,
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


_FIRM_CALLER = require("connections:write")


@router.get("/oauth/start", response_class=RedirectResponse, status_code=302)
async def begin_consent(
    context: CurrentContext, request: Request, link: Annotated[str, Query(max_length=4096)] = ""
) -> Response:
    """Send a browser to the vendor, and have it remember that it began here."""
    kit: Kit = context.resources
    browser_id = _browser_id(kit, request) or secrets.token_urlsafe(32)
    begun = await begin(kit, link, browser_id)
    if isinstance(begun, Returned):
        return await _page(kit, begun)
    answer = RedirectResponse(begun, 302, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    # Lax: it comes along when the vendor sends the person back (a navigation), and with nothing that another page asks.
    answer.set_cookie(
        _cookie(kit), browser_id, STATE_MAX_AGE_S, secure=_is_secure(kit), httponly=True, samesite="lax", path="/"
    )
    return answer


@router.get("/oauth/callback", response_class=HTMLResponse)
async def take_consent(
    context: CurrentContext,
    request: Request,
    code: Annotated[str | None, Query(max_length=4096)] = None,
    state: Annotated[str | None, Query(max_length=4096)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Finish a consent: in the browser that began it, or with a token of the firm."""
    kit: Kit = context.resources
    authorization = request.headers.get("authorization")
    caller = None if authorization is None else await _FIRM_CALLER(request, authorization)
    by = ReturnedBy(_browser_id(kit, request), caller)
    return await _page(kit, await take_return(kit, by, code=code, state=state, error=error))


def _is_secure(kit: Kit) -> bool:
    return kit.settings.env == "production"


def _cookie(kit: Kit) -> str:
    # By the prefix browsers take it from this very host over TLS only: no page on a neighbouring host can plant one.
    return "__Host-koppel-browser" if _is_secure(kit) else "koppel-browser"


def _browser_id(kit: Kit, request: Request) -> str | None:
    known = request.cookies.get(_cookie(kit), "")
    return known if len(known) == BROWSER_ID_LENGTH and known.isascii() else None


async def _page(kit: Kit, returned: Returned) -> HTMLResponse:
    language = await _language(kit, returned)
    sentence = _SENTENCES[returned.ending][language].format(vendor=kit.profile.title)
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Koppel</title>'
        f"<h1>Koppel</h1><p>{escape(sentence)}</p></html>"
    )
    return HTMLResponse(page, _STATUS[returned.ending], headers=_HEADERS)


async def _language(kit: Kit, returned: Returned) -> str:
    if returned.connection is None:
        return "en"
    async with kit.database.reading() as reading:
        dossier = await _DOSSIER.one_or_none(reading, {"id": returned.connection.dossier_id})
    return "en" if dossier is None else str(dossier.language)
