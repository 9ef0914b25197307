"""The commands ``koppel partner``: clients of partners, their secrets and scopes, and what firms let them do.

Clients are administered by the services' own client, consents are given by a client of the firm; both need the scope ``admin``.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .api import Api
from .options import DEFAULT_URL, DEMO_ID, DEMO_PASS, ClientId, ClientSecret, Url
from .printing import out, table_of
from .user_errors import UserError, reported

if TYPE_CHECKING:
    from koppel_client.generated import models

app = typer.Typer(help="Partners: their clients and secrets, and what firms let them do.", no_args_is_help=True)
DAY_S = 86_400
OF_RUN = Path(".koppel/run/secrets.json")
"""Where ``koppel up`` keeps the secret of the services' client."""
SCOPES = ("dossiers:read", "documents:read", "documents:write", "webhooks:read", "webhooks:write")
"""Of a program that hands documents in and hears what became of them."""
Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="Its client id.")]
AdminId = Annotated[str, typer.Option("--client-id", envvar="KOPPEL_SERVICE_CLIENT_ID", help="Who administers.")]
AdminSecret = Annotated[
    str,
    typer.Option(
        "--client-secret", envvar="KOPPEL_SERVICE_CLIENT_SECRET", help=f"Unset: as in {OF_RUN}.", show_default=False
    ),
]
SERVICES_ID = "koppel-services"


@app.command()
def add(
    partner: Partner,
    name: Annotated[str | None, typer.Option(help="Shown to people. Unset: the client id.")] = None,
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="May be repeated. Unset: those of documents.")
    ] = None,
    url: Url = DEFAULT_URL,
    client_id: AdminId = SERVICES_ID,
    client_secret: AdminSecret = "",
) -> None:
    """Make a client, and print its secret, the only time it is shown. It can do nothing before a firm consents."""
    body: models.NewClient = {
        "client_id": partner,
        "name": name or partner,
        "kind": "partner",
        "scopes": scopes or list(SCOPES),
    }
    with reported():
        made = administrator(url, client_id, client_secret).identity.create_client(body)
    _print_secret(made)


@app.command("list")
def list_(url: Url = DEFAULT_URL, client_id: AdminId = SERVICES_ID, client_secret: AdminSecret = "") -> None:
    """List the partners, with the scopes that each may have."""
    table = table_of("partner", "name", "state", "scopes")
    with reported():
        for each in _partners(administrator(url, client_id, client_secret)):
            table.add_row(each["client_id"], each["name"], _state(each), " ".join(each["scopes"]))
    out.print(table)


@app.command()
def show(
    partner: Partner, url: Url = DEFAULT_URL, client_id: AdminId = SERVICES_ID, client_secret: AdminSecret = ""
) -> None:
    """Show a partner, and which firms let it do what."""
    table = table_of("firm", "consents to")
    with reported():
        api = administrator(url, client_id, client_secret)
        found = _found(api, partner)
        for each in api.identity.show_client_access(client_id=[partner])["items"]:
            table.add_row(each["firm_id"], " ".join(each["scopes"]))
    out.print(
        f"{partner} ({found['name']}) is {_state(found)}. It may have: {' '.join(found['scopes'])}.", soft_wrap=True
    )
    out.print(table if table.row_count else "No firm consents to it now.")


@app.command()
def secret(
    partner: Partner,
    overlap_s: Annotated[int, typer.Option(min=0, help="How long the secret before stays valid.")] = DAY_S,
    url: Url = DEFAULT_URL,
    client_id: AdminId = SERVICES_ID,
    client_secret: AdminSecret = "",
) -> None:
    """Give a partner a new secret, and print it, the only time it is shown."""
    with reported():
        api = administrator(url, client_id, client_secret)
        made = api.identity.add_secret(_found(api, partner)["id"], {"overlap_s": overlap_s})
    _print_secret(made)
    out.print(
        f"The secret before stays valid for {overlap_s} s." if overlap_s else "The secret before is not valid any more."
    )


@app.command("scopes")
def scopes_(
    partner: Partner,
    scopes: Annotated[list[str], typer.Argument(metavar="SCOPE…", help="All that it may have from now on.")],
    url: Url = DEFAULT_URL,
    client_id: AdminId = SERVICES_ID,
    client_secret: AdminSecret = "",
) -> None:
    """Set the scopes that a partner may have. It has those of them to which a firm consents, for that firm."""
    with reported():
        changed = _change(administrator(url, client_id, client_secret), partner, {"scopes": scopes})
    out.print(f"{partner} may have: {' '.join(changed['scopes'])}.", soft_wrap=True)


@app.command()
def disable(
    partner: Partner, url: Url = DEFAULT_URL, client_id: AdminId = SERVICES_ID, client_secret: AdminSecret = ""
) -> None:
    """Give a partner no token and no event any more; tokens that it holds are refused within seconds."""
    with reported():
        changed = _change(administrator(url, client_id, client_secret), partner, {"disabled": True})
    out.print(f"{partner} is {_state(changed)}.")


@app.command()
def enable(
    partner: Partner, url: Url = DEFAULT_URL, client_id: AdminId = SERVICES_ID, client_secret: AdminSecret = ""
) -> None:
    """Let a partner that was disabled do again what firms consent to."""
    with reported():
        changed = _change(administrator(url, client_id, client_secret), partner, {"disabled": False})
    out.print(f"{partner} is {_state(changed)}.")


@app.command()
def consent(
    partner: Partner,
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="May be repeated. Unset: those of documents.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the consent.")] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Let a partner act for your firm with these scopes; they replace those that it had."""
    body: models.NewConsent = {"client_id": partner, "scopes": scopes or list(SCOPES), "reason": reason}
    with reported():
        given = Api(url, client_id, client_secret).identity.grant_consent(body)
    out.print(f"Firm {given['firm_id']} lets {partner} do: {' '.join(given['scopes'])}.", soft_wrap=True)


@app.command()
def withdraw(
    partner: Partner, url: Url = DEFAULT_URL, client_id: ClientId = DEMO_ID, client_secret: ClientSecret = DEMO_PASS
) -> None:
    """Withdraw your firm's consent to a partner: it gets no token and no event any more. Exit code 1 when there is none."""
    with reported():
        api = Api(url, client_id, client_secret)
        given = [each for each in api.identity.iterate_consents(client_id=partner) if each["withdrawn_at"] is None]
        if not given:
            raise UserError(f"Your firm does not consent to {partner}.")
        for each in given:
            api.identity.withdraw_consent(each["id"])
    out.print(f"{partner} does nothing any more for firm {given[0]['firm_id']}.", soft_wrap=True)


def administrator(url: str, client_id: str, client_secret: str) -> Api:
    """Return who administers, with the secret that ``koppel up`` keeps where none is given."""
    if not client_secret and OF_RUN.exists():
        client_secret = json.loads(OF_RUN.read_text())["KOPPEL_SERVICE_CLIENT_SECRET"]
    if not client_secret:
        raise UserError(f"Set KOPPEL_SERVICE_CLIENT_SECRET, or run this where koppel up keeps {OF_RUN}.")
    return Api(url, client_id, client_secret)


def _partners(api: Api) -> "Iterator[models.ShownClient]":
    return (each for each in api.identity.iterate_clients() if each["kind"] == "partner")


def _found(api: Api, partner: str) -> "models.ShownClient":
    for each in _partners(api):
        if each["client_id"] == partner:
            return each
    raise UserError(f"There is no partner {partner}; koppel partner list names them.")


def _change(api: Api, partner: str, changes: "models.ClientChange") -> "models.ShownClient":
    return api.identity.change_client(_found(api, partner)["id"], changes)


def _state(client: "models.ShownClient") -> str:
    return "disabled" if client["disabled"] else "enabled"


def _print_secret(made: Mapping[str, object]) -> None:
    out.print(f"client_id={made['client_id']}{os.linesep}client_secret={made['client_secret']}", soft_wrap=True)
