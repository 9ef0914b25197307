"""The commands ``koppel firm``: what Koppel holds of a firm, a copy of all of it, and its deletion."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.progress import Progress

from .api import Api, ApiError
from .firm_archive import write_archive
from .options import DEFAULT_URL, Url
from .partners import SERVICES_ID, AdminId, AdminSecret, administrator
from .printing import out, table_of
from .user_errors import UserError, reported

if TYPE_CHECKING:
    from koppel_client.generated import models

app = typer.Typer(help="Firms: what is held of one, a copy of it, and its deletion.", no_args_is_help=True)
Firm = Annotated[UUID, typer.Argument(metavar="FIRM_ID")]
ORDER = ("identity", "export-scheduler", "connector-coda", "pos-ingest")
"""Who lets the firm in, and who sends documents on, go before who delivers them; whoever keeps the documents is the last."""
LAST = "dossier-api"
ASK_AGAIN_S = 1.0
_PATH = "/v1/firms/{firm_id}/data"


@app.command()
def holdings(
    firm_id: Firm, url: Url = DEFAULT_URL, client_id: AdminId = SERVICES_ID, client_secret: AdminSecret = ""
) -> None:
    """Show what each service holds of a firm, and how much of it stays until when although the firm leaves.

    Exit code 1 when a service did not answer.
    """
    table = table_of("service", "table", "rows", "stay", "until", "because")
    with reported():
        api = administrator(url, client_id, client_secret)
        away = []
        for service in services_of(api):
            try:
                found: models.FirmHoldings = api.call("GET", f"/{service}/v1/firms/{firm_id}/holdings")
            except ApiError as error:
                away.append(f"{service}: {error}")
                continue
            for each in found["tables"]:
                table.add_row(service, each["table"], str(each["rows"]), *_kept(each))
    out.print(table if table.row_count else f"Nothing is held of firm {firm_id}.", soft_wrap=True)
    _end_if_away(away)


@app.command()
def export(
    firm_id: Firm,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="Must not be there yet.")],
    url: Url = DEFAULT_URL,
    client_id: AdminId = SERVICES_ID,
    client_secret: AdminSecret = "",
) -> None:
    """Write all that Koppel holds of a firm into one ZIP file: rows of every service, and the files of its documents.

    The file has its name only when it is complete. A client of the firm with the scopes admin and documents:read may do it too.
    """
    with reported():
        if file.exists():
            raise UserError(f"{file} is there already.")
        api = administrator(url, client_id, client_secret)
        with Progress(console=out, disable=not out.is_terminal) as progress:
            rows, files = write_archive(api, services_of(api), firm_id, file, progress)
    out.print(f"{file} holds {rows} rows and {files} files of firm {firm_id}.", soft_wrap=True)


@app.command()
def delete(
    firm_id: Firm,
    confirm: Annotated[str | None, typer.Option(help="The id once more; unset: it is asked for.")] = None,
    wait_s: Annotated[float, typer.Option(min=0, help="How long to wait for what is under way.")] = 120,
    url: Url = DEFAULT_URL,
    client_id: AdminId = SERVICES_ID,
    client_secret: AdminSecret = "",
) -> None:
    """Delete what Koppel holds of a firm that leaves, but for what must be kept. It may be repeated.

    Exit code 1 when something is still under way or a service did not answer: the services that were asked go on by themselves.
    """
    with reported():
        api = administrator(url, client_id, client_secret)
        out.print(f"This cannot be undone. koppel firm export {firm_id} FILE.zip makes a copy first.", soft_wrap=True)
        if (confirm or typer.prompt("Type the id of the firm to delete its data")).strip().lower() != str(firm_id):
            raise UserError("That is not the id: nothing was deleted.")
        incomplete = _delete(api, firm_id, time.monotonic() + wait_s)
    _end_if_away(incomplete)


def services_of(api: Api) -> list[str]:
    """Return the services that hold data of firms, in the order in which they are to delete it."""
    page = api.page("/openapi.json")
    if page is None or page.status_code != 200:
        raise UserError("Koppel does not show which services it has: there is no /openapi.json.")
    found = {path.split("/")[1] for path in page.json()["paths"] if path.endswith(_PATH)}
    return sorted(found, key=lambda name: (name == LAST, ORDER.index(name) if name in ORDER else len(ORDER), name))


def _delete(api: Api, firm_id: UUID, ends: float) -> list[str]:
    """Have every service delete the firm, and print what became of it; return what is not done."""
    table = table_of("service", "deleted", "stay", "until", "because")
    open_ends: list[str] = []
    for service in services_of(api):
        if service == LAST and open_ends:
            open_ends.append(f"{service} was not asked: documents that are under way are read from it.")
            continue
        try:
            deleted, done = _delete_in(api, service, firm_id, ends)
        except ApiError as error:
            open_ends.append(f"{service} did not answer: {error}")
            continue
        for number, kept in enumerate([each for each in done["left"] if each["kept"]] or [None]):
            first = (service, str(deleted)) if number == 0 else ("", "")
            table.add_row(*first, *(_kept(kept) if kept else ("", "", "")))
        if not done["complete"]:
            busy = ", ".join(f"{rows} of {name}" for name, rows in done["under_way"].items())
            open_ends.append(f"{service} is not done: {busy + ' under way' if busy else 'there is more to delete'}.")
            open_ends.extend(done["to_do"].values())
    out.print(table)
    return open_ends


def _delete_in(api: Api, service: str, firm_id: UUID, ends: float) -> "tuple[int, models.DeletedData]":
    deleted = 0
    while True:
        done: models.DeletedData = api.call(
            "DELETE", f"/{service}/v1/firms/{firm_id}/data", query={"confirm": str(firm_id)}
        )
        deleted += sum(done["deleted"].values())
        if done["complete"] or time.monotonic() > ends:
            return deleted, done
        time.sleep(ASK_AGAIN_S)


def _kept(held: "models.HeldTable") -> tuple[str, str, str]:
    if not held["kept"]:
        return ("", "", "")
    return (str(held["kept"]), str(held["kept_until"] or ""), held["kept_because"])


def _end_if_away(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        out.print(sentence, soft_wrap=True)
    if sentences:
        raise typer.Exit(1)
