"""Where the vendor returns the browser. A small page, in the language of the dossier; no script, nothing of the request shown."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from koppel_connector.auth.consent import Returned, take_return
from koppel_connector.kit import Kit
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
_STATUS = {"connected": 200, "refused": 200, "spent": 409, "invalid": 400, "failed": 422, "unreadable": 503}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@router.get("/oauth/callback", response_class=HTMLResponse)
async def take_consent(
    context: CurrentContext,
    code: Annotated[str | None, Query(max_length=4096)] = None,
    state: Annotated[str | None, Query(max_length=4096)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
) -> HTMLResponse:
    """Finish a consent."""
    kit: Kit = context.resources
    returned = await take_return(kit, code=code, state=state, error=error)
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
