"""The command ``koppel``.

A command imports what only it needs: services and formats take two seconds, which nobody waits who asks for a status.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import astuple
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress

from koppel_mesh.clock import brussels_date, utc_now

from . import firms, partners, receipts, sending, till
from .accounts import account_rows
from .api import Api, ApiError
from .listening import listen
from .options import DEFAULT_URL, DEMO_ID, DEMO_PASS, ClientId, ClientSecret, InternalUrl, Url
from .printing import out, result_table, table_of
from .user_errors import reported

app = typer.Typer(
    help="Koppel on this machine, and from the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(partners.app, name="partner")
app.add_typer(firms.app, name="firm")
app.command()(listen)
Connectors = Annotated[
    list[str] | None,
    typer.Option("--connector", help="Connector; may be repeated. Unset: every one.", show_default=False),
]
_ALWAYS = ("identity", "dossier-api", "export-scheduler", "connector-coda", "pos-ingest", "webhooks")
REFUSED_SHOWN_MAX = 10


@app.command()
def up(
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".koppel/run"),
    with_demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Send the demo documents through.")] = True,
) -> None:
    """Start servers, every service and the sandbox vendors in one process; Ctrl-C stops all of it."""
    began_s = time.monotonic()
    from . import running

    with reported():
        running.up(folder.absolute(), began_s, with_demo=with_demo)


@app.command()
def serve(names: Annotated[list[str], typer.Argument(metavar="SERVICE…", help="Such as dossier-api.")]) -> None:
    """Run some services, with servers the environment names."""
    from . import running

    with reported():
        running.serve(names)


@app.command()
def migrate(
    names: Annotated[list[str] | None, typer.Argument(metavar="SERVICE…", help="Unset: every one installed.")] = None,
    wait_s: Annotated[
        float | None, typer.Option("--wait-s", min=0, help="Change nothing: wait at most so long for another to do it.")
    ] = None,
    roles_wait_s: Annotated[
        float | None,
        typer.Option(
            "--roles-wait-s", min=0, help="Each service has a role of its own: wait at most so long for them."
        ),
    ] = None,
) -> None:
    """Bring the schemas and queues of services to what this code needs. Exit code 1 when it waited in vain."""
    from . import running

    with reported():
        chosen = names or []
        count = running.migrate(chosen, roles_wait_s) if wait_s is None else running.wait_for_schemas(chosen, wait_s)
    out.print(f"{count} services are up to date.")


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
    tickets: Annotated[int, typer.Option(min=1, max=100_000, help="How many to sell.")] = 200,
    register: Annotated[str | None, typer.Option(help="Unset: the first of the dossier.")] = None,
    dossier: Annotated[
        str | None, typer.Option(help="Id, name or enterprise number. Unset: the one that has registers.")
    ] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Play a till of a bakery: sell bread and coffee today and hand the tickets over. Exit code 1 when one was refused."""
    with reported():
        api = Api(url, client_id, client_secret)
        chosen, name = till.choose_till(api, dossier, register)
        now = utc_now()
        sold = list(till.tickets_of(name, brussels_date(now), tickets, now, series=f"-{now:%H%M%S%f}"))
        with Progress(console=out, disable=not out.is_terminal) as progress:
            handed = progress.add_task(f"{name} hands over", total=len(sold))
            result = till.hand_over(api, chosen, sold, lambda count: progress.advance(handed, count))
    total = sum(Decimal(one["totalInclVat"]) for one in sold)
    out.print(
        f"{name} sold {len(sold)} times, for {total:.2f} EUR: {result.accepted} taken, {len(result.refused)} refused."
    )
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
    table = table_of("service", "health")
    with reported():
        api = Api(url, client_id, client_secret)
        health = {name: api.status_of(f"/{name}/health/ready") for name in dict.fromkeys([*_needed(), *names])}
        # What is installed here need not run there; what was asked for must.
        absent = [] if connectors else [name for name in names if health[name] == 404]
        for name, answer in health.items():
            table.add_row(name, "not part of this Koppel" if name in absent else _readiness(answer))
        out.print(table)
        waiting = api.export_scheduler.count_waiting()["items"]
        overdue = sum(item["overdue"] for item in waiting)
        out.print(
            f"export-scheduler: {_counted((one['count'], one['waits_for']) for one in waiting)}; {overdue} overdue"
        )
        for name in (name for name in names if health[name] != 404):
            states = api.connector(name).count_waiting()["items"]
            out.print(f"{name}: {_counted((one['count'], one['state']) for one in states)}")
        problems = list(api.dossier_api.iterate_problems())
    out.print(f"open problems: {len(problems)}")
    for problem in problems:
        out.print(f"  {problem['message']['en']} (to fix by: {problem['who_can_fix']}; seen {problem['count']}×)")
    if not all(answer == 200 for name, answer in health.items() if name not in absent):
        raise typer.Exit(1)


@app.command("doctor")
def doctor_(
    url: Url = DEFAULT_URL,
    internal_url: InternalUrl = None,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Say in words how an installation is: what does not answer, what has waited too long, who is waited for.

    Exit code 1 when documents do not move.
    """
    from . import doctor

    with reported():
        api = Api(internal_url or url, client_id, client_secret)
        findings, waited_for = doctor.examine(api, _needed(), installed_connectors())
    for severity, heading in (("page", "Documents do not move:"), ("ticket", "For the working day:")):
        if lines := [str(finding) for finding in findings if finding.severity == severity]:
            out.print("\n  ".join([heading, *lines]), soft_wrap=True)
    if waited_for:
        out.print("\n  ".join(["Problems wait for:", *waited_for]), soft_wrap=True)
    if not findings:
        out.print("Every service is ready, and nothing has waited too long.")
    if any(finding.severity == "page" for finding in findings):
        raise typer.Exit(1)


@app.command()
def accounts(
    dossier: Annotated[str | None, typer.Option(help="Id, name or enterprise number. Unset: every one.")] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Show the accounts of dossiers, their balances, and which statements are missing."""
    table = table_of("dossier", "account", "kind", "state", "last statement", "balance", "missing")
    with reported():
        api = Api(url, client_id, client_secret)
        chosen = [sending.choose_dossier(api, dossier)] if dossier else list(api.dossier_api.iterate_dossiers())
        for row in account_rows(api, chosen):
            table.add_row(*astuple(row))
    out.print(table)


def _needed() -> list[str]:
    """Return the services without which a Koppel is none; identity only where no other provider gives the tokens."""
    return [name for name in _ALWAYS if name != "identity" or not os.environ.get("KOPPEL_OIDC_ISSUER")]


def _readiness(answer: int | None) -> str:
    return "ready" if answer == 200 else f"not ready ({answer or 'no answer'})"


def _counted(items: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{count} {word}" for count, word in items) or "nothing waits"


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
    with reported():
        api = Api(url, client_id, client_secret)
        names = connectors or [name for name in installed_connectors() if api.status_of(f"/{name}/health/live") != 404]
        found = [
            (name, each["id"])
            for name in names
            for each in api.connector(name).iterate_deliveries(state=state, connection_id=connection)
        ]
        if not really:
            out.print(f"{len(found)} deliveries would be tried again; add --really to do it.")
            return
        for name, delivery_id in found:
            try:
                api.connector(name).retry_delivery(delivery_id)
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

    A “?” stands where the box, or its amount in euros, cannot be known from the file. Exit code 1 when there is one, or a
    file cannot be read.
    """
    from . import vat_preview

    with reported():
        number = vat_preview.dossier_number(enterprise_number)
    previews = [vat_preview.preview(each, number, Decimal(rate_due), import_deferred=import_deferred) for each in files]
    table = table_of("document", "number", "kind", "box", "amount", "problem")
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
    from . import readable_file

    with reported():
        readable_file.make_readable(file, output, language)
    out.print(f"{output} shows {file}.", soft_wrap=True)


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


def installed_connectors() -> list[str]:
    """Return the names of the connectors installed here."""
    from koppel_mesh.service import installed_services

    return [name for name, service in installed_services().items() if service.kind == "connector"]
