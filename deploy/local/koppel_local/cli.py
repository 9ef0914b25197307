"""The command ``koppel``."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import astuple
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import uvloop
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from koppel_mesh.clock import brussels_date, utc_now
from koppel_mesh.service import Service, installed_services
from koppel_mesh.settings import MeshSettings
from koppel_mesh.telemetry.logs import configure_logs

from . import bootstrap, demo, readable_file, receipts, sending, till, vat_preview
from .accounts import account_rows
from .api import Api, ApiError
from .sandboxes import Playing
from .servers import servers
from .user_errors import end, need_port, reported

app = typer.Typer(
    help="Koppel on this machine, and from the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# A pipe or a log has no width; rich would take 80 columns and break entry numbers in two.
out = Console(width=None if Console().is_terminal else 160, highlight=False, markup=False)

Url = Annotated[str, typer.Option(envvar="KOPPEL_PUBLIC_URL", help="Where Koppel answers.")]
ClientId = Annotated[str, typer.Option(envvar="KOPPEL_CLIENT_ID", help="OAuth client.")]
ClientSecret = Annotated[str, typer.Option(envvar="KOPPEL_CLIENT_SECRET", help="Its secret.", show_default=False)]
Connectors = Annotated[
    list[str] | None,
    typer.Option("--connector", help="Connector; may be repeated. Unset: every one.", show_default=False),
]
_ALWAYS = ("identity", "dossier-api", "export-scheduler", "connector-coda", "pos-ingest")
REFUSED_SHOWN_MAX = 10
DEFAULT_URL, DEMO_ID, DEMO_PASS = "http://127.0.0.1:8000", "demo", "demo-secret"


@app.command()
def up(
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".koppel/run"),
    with_demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Send the demo documents through.")] = True,
) -> None:
    """Start servers, every service and the sandbox vendors in one process; Ctrl-C stops all of it."""
    began_s = time.monotonic()
    with reported():
        need_port(os.environ.get("KOPPEL_PORT", "8000"))
        with servers(folder.absolute()) as underneath:
            url, playing = bootstrap.fill_environment(folder.absolute(), underneath)
            uvloop.run(_up(url, playing, folder.absolute(), began_s, with_demo=with_demo))


@app.command()
def serve(names: Annotated[list[str], typer.Argument(metavar="SERVICE…", help="Such as dossier-api.")]) -> None:
    """Run some services, with servers the environment names."""
    with reported():
        uvloop.run(_serve(_chosen(names)))


@app.command()
def migrate() -> None:
    """Bring the schemas and queues of every installed service to what this code needs."""
    services = list(installed_services().values())
    with reported():
        asyncio.run(bootstrap.migrate(services, MeshSettings()))  # read from the environment
    out.print(f"{len(services)} services are up to date.")


@app.command()
def send(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="UBL, PDF or CODA, or folders of them.")],
    dossier: Annotated[str | None, typer.Option(help="Id, name or enterprise number.")] = None,
    direction: Annotated[Literal["sale", "purchase"] | None, typer.Option(help="Where a file does not decide.")] = None,
    wait_s: Annotated[float, typer.Option(min=0, help="How long to wait for the bookings.")] = 120,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Send documents, or all that folders hold, and show where each ended.

    Exit code 1 when one did not come to its end: booked, or exported where no books can be read, such as by mail. A
    statement need only be filed: it goes when it is its turn, to packages that take it.
    """
    with reported():
        api = Api(url, client_id, client_secret)
        chosen = sending.choose_dossier(api, dossier)["id"]
        found = sending.files_in(files)
        with Progress(console=out, disable=not out.is_terminal) as progress:
            handed = progress.add_task("handed in", total=len(found))
            done = progress.add_task("settled", total=len(found))
            sendings = []
            for file in found:
                sendings.append(sending.hand_in(api, chosen, file, direction))
                progress.advance(handed)
            sending.export(api, chosen, sendings)

            def show_progress() -> None:
                progress.update(done, completed=sum(one.is_settled for one in sendings))

            try:
                sending.follow(api, sendings, wait_s, show_progress)
            except ApiError:
                out.print(result_table(sendings))  # what became of them until then is worth knowing
                raise
    out.print(result_table(sendings))
    if not all(one.is_done for one in sendings):
        raise typer.Exit(1)


@app.command("till")
def till_(
    tickets: Annotated[int, typer.Option(min=1, max=100_000, help="How many to sell today.")] = 200,
    register: Annotated[str | None, typer.Option(help="Unset: the first of the dossier.")] = None,
    dossier: Annotated[str | None, typer.Option(help="Id, name or enterprise number.")] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Play a till of a bakery: sell today's tickets and hand them over. Exit code 1 when one was refused.

    The tickets of a day are always the same, so that the same command again hands over what is known already.
    """
    with reported():
        api = Api(url, client_id, client_secret)
        chosen = sending.choose_dossier(api, dossier)["id"]
        at = till.choose_register(api, chosen, register)
        now = utc_now()
        sold = list(till.tickets_of(at["name"], brussels_date(now), tickets, now))
        with Progress(console=out, disable=not out.is_terminal) as progress:
            handed = progress.add_task("handed over", total=len(sold))
            result = till.hand_over(api, chosen, sold, lambda count: progress.advance(handed, count))
    out.print(f"{result.accepted} tickets taken, {result.known} known already, {len(result.refused)} refused.")
    for sentence in result.refused[:REFUSED_SHOWN_MAX]:
        out.print(f"  {sentence}", soft_wrap=True)
    if result.refused:
        raise typer.Exit(1)


@app.command()
def answer(
    document: Annotated[str, typer.Argument(help="The document's id.")],
    given: Annotated[str, typer.Argument(metavar="ANSWER", help="One of the answers that the question takes.")],
    reason: Annotated[str | None, typer.Option(help="Why; kept with the answer.")] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Answer the question that a held document waits with."""
    with reported():
        api = Api(url, client_id, client_secret)
        answered = sending.answer(api, document, given, reason)
    out.print(f"{document} is {answered['state']}.", soft_wrap=True)


@app.command()
def status(
    connectors: Connectors = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Show health, what waits for what, and open problems. Exit code 1 when a service is not ready."""
    names = connectors or installed_connectors()
    table = _table("service", "health")
    with reported():
        api = Api(url, client_id, client_secret)
        health = {name: api.status_of(f"/{name}/health/ready") for name in dict.fromkeys([*_ALWAYS, *names])}
        # What is installed here need not run there; what was asked for must.
        absent = [] if connectors else [name for name in names if health[name] == 404]
        for name, answer in health.items():
            table.add_row(name, "not part of this Koppel" if name in absent else _readiness(answer))
        out.print(table)
        waiting = api.call("GET", "/export-scheduler/v1/waiting")["items"]
        overdue = sum(item["overdue"] for item in waiting)
        out.print(f"export-scheduler: {_counted(waiting, 'waits_for')}; {overdue} overdue")
        for name in (name for name in names if health[name] != 404):
            out.print(f"{name}: {_counted(api.call('GET', f'/{name}/v1/waiting')['items'], 'state')}")
        problems = list(api.items("/dossier-api/v1/problems"))
    out.print(f"open problems: {len(problems)}")
    for problem in problems:
        out.print(f"  {problem['message']['en']} (to fix by: {problem['who_can_fix']}; seen {problem['count']}×)")
    if not all(answer == 200 for name, answer in health.items() if name not in absent):
        raise typer.Exit(1)


@app.command()
def accounts(
    dossier: Annotated[str | None, typer.Option(help="Id, name or enterprise number. Unset: every one.")] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Show the accounts of dossiers, their balances, and which statements are missing."""
    table = _table("dossier", "account", "kind", "state", "last statement", "balance", "missing")
    with reported():
        api = Api(url, client_id, client_secret)
        chosen = [sending.choose_dossier(api, dossier)] if dossier else list(api.items("/dossier-api/v1/dossiers"))
        for row in account_rows(api, chosen):
            table.add_row(*astuple(row))
    out.print(table)


def _readiness(answer: int | None) -> str:
    return "ready" if answer == 200 else f"not ready ({answer or 'no answer'})"


def _counted(items: list[dict[str, Any]], word: str) -> str:
    return ", ".join(f"{item['count']} {item[word]}" for item in items) or "nothing waits"


@app.command()
def replay(
    connectors: Connectors = None,
    state: Annotated[Literal["failed", "blocked"], typer.Option(help="Which.")] = "failed",
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    per_s: Annotated[float, typer.Option("--per-second", min=0.01, max=1000, help="At most so many a second.")] = 5,
    really: Annotated[bool, typer.Option("--really", help="Do it; otherwise only count.")] = False,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Try deliveries again, of every connector or of those named, through the connector's own retry.

    Nothing that may be booked is sent blindly.
    """
    filters = {"state": state} | ({"connection_id": connection} if connection else {})
    with reported():
        api = Api(url, client_id, client_secret)
        names = connectors or [name for name in installed_connectors() if api.status_of(f"/{name}/health/live") != 404]
        found = [(name, each["id"]) for name in names for each in api.items(f"/{name}/v1/deliveries", **filters)]
        if not really:
            out.print(f"{len(found)} deliveries would be tried again; add --really to do it.")
            return
        for name, delivery_id in found:
            try:
                api.call("POST", f"/{name}/v1/deliveries/{delivery_id}/retry")
            except ApiError as error:
                out.print(f"{delivery_id}: {error}")
            time.sleep(1 / per_s)
    out.print(f"{len(found)} deliveries were asked to try again.")


@app.command("vat-preview")
def vat_preview_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="UBL.")],
    enterprise_number: Annotated[str, typer.Option(help="Whose return it is.")],
    rate_due: Annotated[Literal["21", "12", "6"], typer.Option(help="Percent, where the buyer owes the VAT.")] = "21",
    import_deferred: Annotated[
        bool,
        typer.Option("--import-deferred/--import-paid", help="Whether the VAT on imports is declared in the return."),
    ] = True,
) -> None:
    """Show in which boxes of the Belgian VAT return the amounts of files land. Needs no running Koppel.

    A “?” stands where the box cannot be known from the file. Exit code 1 when there is one, or a file cannot be read.
    """
    with reported():
        number = vat_preview.dossier_number(enterprise_number)
    previews = [vat_preview.preview(each, number, Decimal(rate_due), import_deferred=import_deferred) for each in files]
    table = _table("document", "number", "kind", "box", "amount", "problem")
    for row in vat_preview.rows_of(previews):
        table.add_row(*row)
    out.print(table)
    if not all(one.is_clear for one in previews):
        raise typer.Exit(1)


@app.command()
def readable(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="UBL.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The PDF to write.")],
    language: Annotated[Literal["nl", "fr", "en"], typer.Option(help="Of the labels, dates and numbers.")] = "nl",
) -> None:
    """Make a PDF that people can read of an electronic invoice, with the UBL inside. Needs no running Koppel."""
    with reported():
        readable_file.make_readable(file, output, language)
    out.print(f"{output} shows {file}.", soft_wrap=True)


def result_table(sendings: Sequence[sending.Sending]) -> Table:
    """Return the table *document × target*, with the rules that do not hold and what is to be done."""
    targets = sorted({outcome.target for one in sendings for outcome in one.outcomes})
    table = _table("document", "state", *targets, "findings", "problem")
    for one in sendings:
        name = one.path.name if one.is_statement else one.number or one.path.name
        cells = [", ".join(str(each) for each in one.outcomes if each.target == target) for target in targets]
        table.add_row(name, one.state, *cells, one.findings, one.problem)
    return table


@app.command("verify-receipts")
def verify_receipts(
    file: Annotated[Path, typer.Argument(help="The export of a receipt book.")],
    keys: Annotated[
        Path | None, typer.Option(help="The published keys of the seals. Unset: those in the file are believed.")
    ] = None,
) -> None:
    """Check the export of a receipt book, without any service. Exit code 1 when an entry is broken: the first is named."""
    with reported():
        report = receipts.check(file, keys)
    for sentence in receipts.sentences(report):
        out.print(sentence, soft_wrap=True)
    if not report.valid:
        raise typer.Exit(1)


async def _up(url: str, playing: Playing, folder: Path, began_s: float, *, with_demo: bool) -> None:
    settings = MeshSettings()  # read from the environment
    configure_logs(settings.log_format, settings.log_level)
    services, left_out = bootstrap.startable(installed_services().values())
    for sentence in left_out:
        out.print(sentence)
    await bootstrap.migrate(services, settings)
    async with playing.started(folder / "sandbox") as sandboxes, bootstrap.serving(services, sandboxes) as stop:
        out.print(f"Koppel runs at {url} (started in {time.monotonic() - began_s:.1f} s); Ctrl-C stops it.")
        for name in (*(service.name for service in services), *(f"{path.strip('/')}/" for path in sandboxes)):
            out.print(f"  {url}/{name}")
        if with_demo and playing.demos:
            await _demonstrate(url, playing.demos, began_s, stop)
        await stop.wait()
        out.print("Stopping …")


async def _demonstrate(url: str, demos: Sequence[Any], began_s: float, stop: asyncio.Event) -> None:
    def keep_going() -> None:
        if stop.is_set():
            raise ApiError("The demo was stopped.")

    try:
        sendings = await asyncio.to_thread(demo.run, url, demos, keep_going)
    except ApiError as error:
        out.print(f"The demo did not come to its end: {error}")
        return
    out.print(result_table(sendings))
    out.print(summary(sendings, began_s))


def summary(sendings: Sequence[sending.Sending], began_s: float) -> str:
    """Return how many files came to their end, and when the first was booked, by the monotonic clock."""
    done = [one for one in sendings if one.is_done]
    now = [one.booked_at_s for one in done if one.booked_at_s is not None]
    earlier = ", all of them by an earlier run" if done else ""
    when = f", the first booked {min(now) - began_s:.1f} s after the start" if now else earlier
    return f"{len(done)} of {len(sendings)} documents are where they were to end{when}."


async def _serve(services: list[Service]) -> None:
    settings = services[0].settings()
    configure_logs(settings.log_format, settings.log_level)
    async with bootstrap.serving(services, {}) as stop:
        await stop.wait()


def installed_connectors() -> list[str]:
    """Return the names of the connectors installed here."""
    return [name for name, service in installed_services().items() if service.kind == "connector"]


def _chosen(names: list[str]) -> list[Service]:
    installed = installed_services()
    unknown = [name for name in names if name not in installed]
    if unknown:
        raise end(f"No service is called {', '.join(unknown)}; there are {', '.join(installed)}.")
    return [installed[name] for name in names]


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.ROUNDED if out.is_terminal else None, pad_edge=False)
