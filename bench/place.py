"""Where the benchmarks run: servers of their own, the whole mesh in one process or more, the vendor in another."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil
from cryptography.fernet import Fernet

from koppel_local.api import Api
from koppel_local.servers import Servers, servers
from koppel_mesh.service import installed_services
from koppel_sandbox import SandboxDriver, installed_sandboxes
from koppel_sandbox.exact.seed import BAKERY, CLIENT_ID, CLIENT_SECRET
from koppel_sandbox.ports import free_port
from koppel_sandbox.testing import SandboxThread

from .gate import Gate

FOLDER = Path(".koppel/bench")
SAMPLE = Path("libs/ubl/tests/samples/valid/own__be-01-invoice-ogm-pdf.xml")
ENTERPRISE_NUMBER = "0000000196"
START_WITHIN_S = 240.0
SANDBOX, INSTANT = "koppel_sandbox.exact", "bench.instant_vendor"
SETTINGS = {
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610", "receipts": "720"},
    "default_payment_condition": {"sale": "30", "purchase": "30"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
}


@dataclass
class Place:
    """A running mesh beside a running sandbox."""

    url: str
    sandbox_url: str
    servers: Servers
    others: Mapping[str, str]
    """URL of each other sandbox that runs here, by its name."""
    gates: Mapping[str, Gate]
    """Before each vendor, by the name of its sandbox, where they were asked for."""
    mesh: Sequence[psutil.Process]
    service_secret: str
    """Of the services' own client, which administers others."""

    def api(self) -> Api:
        """Return a caller with the demo firm's token."""
        return Api(self.url, "demo", "demo-secret")

    def control(self, action: str, **body: Any) -> None:
        """Do something to the sandbox."""
        httpx2.post(f"{self.sandbox_url}/_control/{action}", json=body, trust_env=False).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """Return the sandbox's request log."""
        answer = httpx2.get(f"{self.sandbox_url}/_control/requests", trust_env=False, timeout=60)
        lines: list[dict[str, Any]] = json.loads(answer.content)
        return lines

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection to the mesh's database."""
        return await asyncpg.connect(self.servers.database_url)


@contextmanager
def place(*, vendor: str = SANDBOX, processes: int = 1, gated: bool = False) -> Iterator[Place]:
    """Run everything for as long as the block lasts, beginning with empty data.

    Beside Exact, every other sandbox runs too, in a thread of this process: no connector starts without its vendor.

    Args:
        vendor: the module that plays Exact.
        processes: how many run the whole mesh beside each other, sharing its port and its work.
        gated: whether a gate stands before each vendor, which can be shut.
    """
    subprocess.run(["rm", "-rf", str(FOLDER)], check=True)
    with ExitStack() as stack:
        running = stack.enter_context(servers(FOLDER))
        port, sandbox_port = free_port(), free_port()
        sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        stack.enter_context(_process([sys.executable, "-m", vendor, "--port", str(sandbox_port)], {}))
        _until(lambda: _answers(f"{sandbox_url}/_control/requests"), "the sandbox")
        url = f"http://127.0.0.1:{port}"
        environment = {
            "KOPPEL_DATABASE_URL": running.database_url,
            "KOPPEL_AMQP_URL": running.amqp_url,
            "KOPPEL_BLOB_URL": (FOLDER / "blobs").absolute().as_uri(),
            "KOPPEL_PORT": str(port),
            "KOPPEL_REUSE_PORT": "true",
            "KOPPEL_PUBLIC_URL": url,
            "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
            "KOPPEL_SERVICE_CLIENT_SECRET": secrets.token_urlsafe(32),
            "KOPPEL_EXACT_BASE_URL": sandbox_url,
            "KOPPEL_EXACT_CLIENT_ID": CLIENT_ID,
            "KOPPEL_EXACT_CLIENT_SECRET": CLIENT_SECRET,
            "KOPPEL_EXPORT_DELAY_S": "0",
            "KOPPEL_SETTLE_S": "0.2",
            "KOPPEL_WEBHOOK_LOOPBACK": "true",
            "KOPPEL_WEBHOOK_DEADLINE_S": "30",
            "KOPPEL_LOG_LEVEL": "error",
        }
        urls: dict[str, str] = {}
        gates: dict[str, Gate] = {}
        for name, sandbox in installed_sandboxes().items():
            if sandbox.address_variable not in environment:
                urls[name] = stack.enter_context(SandboxThread.of(sandbox)).url
                environment |= sandbox.environment(urls[name])
            if gated:
                gates[name] = stack.enter_context(Gate(environment[sandbox.address_variable]))
                environment[sandbox.address_variable] = gates[name].address
        koppel = str(Path(sys.executable).with_name("koppel"))
        subprocess.run([koppel, "migrate"], env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL)
        command = [koppel, "serve", *installed_services()]
        mesh = [stack.enter_context(_process(command, environment)) for _ in range(processes)]
        for process in mesh:
            _until(partial(_listens, process, port), "a process of the mesh")
        for service in installed_services():
            _until(partial(_answers, f"{url}/{service}/health/ready"), "the mesh")
        processes_of_mesh = [psutil.Process(process.pid) for process in mesh]
        secret = environment["KOPPEL_SERVICE_CLIENT_SECRET"]
        made = Place(url, sandbox_url, running, urls, gates, processes_of_mesh, secret)
        made.control("switches", minute_limit=10**9, day_limit=10**9)
        yield made


def dossiers(at: Place, count: int) -> list[str]:
    """Make that many dossiers, each connected to a company of its own and with its master data imported; return their ids."""
    api = at.api()
    made = []
    for number in range(count):
        division = BAKERY if number == 0 else 4_000_000 + number
        at.control("division", division=division, name=f"Company {number}", vat_number=f"BE{ENTERPRISE_NUMBER}")
        dossier_id = add_dossier(api, f"Company {number}")
        connection = api.call(
            "POST", "/connector-exact/v1/connections", body={"dossier_id": dossier_id, "settings": {}}
        )
        httpx2.get(connection["authorize_url"], follow_redirects=True, trust_env=False).raise_for_status()
        path = f"/connector-exact/v1/connections/{connection['id']}"
        api.call("PATCH", path, body={"settings": SETTINGS | {"division": division}})
        api.call("POST", f"{path}/import")
        made.append(dossier_id)
    for dossier_id in made:
        _until(partial(_has_master_data, api, dossier_id), "the master data")
    api.close()
    return made


def add_dossier(api: Api, name: str) -> str:
    """Make a dossier whose documents go at once; return its id."""
    rules = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": True}
    asked = {"name": name, "enterprise_number": ENTERPRISE_NUMBER, "language": "nl", "export": rules}
    return str(api.call("POST", "/dossier-api/v1/dossiers", body=asked)["id"])


def connect(api: Api, dossier_id: str, vendor: SandboxDriver) -> None:
    """Connect a dossier to a new company of a vendor that asks no consent, and wait for its master data."""
    company = vendor.open_company(ENTERPRISE_NUMBER)
    path = f"/{vendor.connector}/v1/connections"
    asked = {"dossier_id": dossier_id, "settings": dict(company.settings)}
    path = f"{path}/{api.call('POST', path, body=asked)['id']}"
    _until(lambda: bool(api.call("GET", path)["health"]["imported_at"]), "the master data")


def invoice(number: str) -> bytes:
    """Return a realistic invoice with its PDF, under a number of its own."""
    return SAMPLE.read_bytes().replace(b"2026-0001", number.encode())


def _has_master_data(api: Api, dossier_id: str) -> bool:
    return bool(api.call("GET", f"/dossier-api/v1/dossiers/{dossier_id}/ledger-accounts")["items"])


def processes_of(folder: Path) -> Iterator[psutil.Process]:
    """Yield the processes of the servers whose data is in a folder."""
    for process in psutil.process_iter():
        try:
            places = (*process.cmdline(), process.environ().get("PGDATA", ""), process.cwd())
        except (psutil.Error, OSError):
            continue
        if any(str(folder) in place for place in places):
            yield process


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    log = (FOLDER / f"{Path(command[0]).name}.log").open("wb")
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether this one of several processes takes callers: an answer at a port that they share may be another's.

    Raises:
        RuntimeError: it has ended.
    """
    if process.poll() is not None:
        raise RuntimeError(f"a process of the mesh has ended: see the logs in {FOLDER}")
    listening = (one for one in psutil.Process(process.pid).net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    return any(one.laddr.port == port for one in listening)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START_WITHIN_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come up within {START_WITHIN_S:.0f} s")
        time.sleep(0.05)
