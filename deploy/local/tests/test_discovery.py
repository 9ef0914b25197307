"""Connectors and sandboxes are found where they are installed; nothing here names one."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from koppel_mesh.service import Service, installed_services

CONNECTOR = """
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.service import Service
from pydantic import model_validator

class GhostSettings(ConnectorSettings):
    ghost_base_url: str = ""

    @model_validator(mode="after")
    def _has_an_address(self):
        self.require_vendor_address("ghost_base_url", "https://ghost.example")
        return self

SERVICE = Service("connector-ghost", GhostSettings, kind="connector")
"""
SANDBOX = """
from contextlib import asynccontextmanager
from koppel_sandbox import Demo, Sandbox

def environment(address):
    return {"KOPPEL_GHOST_BASE_URL": address, "KOPPEL_GHOST_SECRET": "boo"}

@asynccontextmanager
async def start(address, folder):
    print("started at", address, "in", folder.name)
    yield None
    print("stopped")

SANDBOX = Sandbox("ghost", "KOPPEL_GHOST_BASE_URL", environment, start, Demo("connector-ghost", {}))
"""
PLAY = """
import asyncio
from pathlib import Path
from koppel_local.sandboxes import Playing

async def main():
    playing = Playing.under("http://127.0.0.1:1")
    print(sorted(playing.environment.items()))
    print([demo.connector for demo in playing.demos])
    async with playing.started(Path("/nowhere")) as apps:
        print(sorted(apps))

asyncio.run(main())
"""
Ghost = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def with_ghost(tmp_path: Path) -> Ghost:
    """Run Python beside a distribution that was installed after us: a connector, and a sandbox when asked."""

    def run(program: str, *, sandbox: bool = True, **given: str) -> subprocess.CompletedProcess[str]:
        points = "[koppel.services]\nconnector-ghost = ghost:SERVICE\n"
        points += "[koppel.sandboxes]\nghost = ghost_sandbox:SANDBOX\n" if sandbox else ""
        described = tmp_path / "ghost-1.dist-info"
        described.mkdir(exist_ok=True)
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: ghost\nVersion: 1\n")
        (described / "entry_points.txt").write_text(points)
        (tmp_path / "ghost.py").write_text(CONNECTOR)
        (tmp_path / "ghost_sandbox.py").write_text(SANDBOX)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KOPPEL_")}
        return subprocess.run(
            [sys.executable, "-c", program],
            env=environment | {"PYTHONPATH": str(tmp_path)} | given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_an_installed_sandbox_plays_and_tells_its_connector_where(with_ghost: Ghost) -> None:
    done = with_ghost(PLAY)
    assert done.returncode == 0, done.stderr
    assert (
        "('KOPPEL_GHOST_BASE_URL', 'http://127.0.0.1:1/sandbox/ghost'), ('KOPPEL_GHOST_SECRET', 'boo')" in done.stdout
    )
    assert "connector-ghost" in done.stdout
    assert "started at http://127.0.0.1:1/sandbox/ghost in ghost" in done.stdout
    assert "'/sandbox/exact'" in done.stdout
    assert done.stdout.endswith("stopped\n")


def test_a_vendor_that_the_environment_names_is_not_played(with_ghost: Ghost) -> None:
    done = with_ghost(PLAY, KOPPEL_GHOST_BASE_URL="https://ghost.example")
    assert done.returncode == 0, done.stderr
    assert "GHOST" not in done.stdout
    assert "started" not in done.stdout


def test_a_connector_without_sandbox_or_address_is_left_out_and_told(with_ghost: Ghost) -> None:
    program = """
from koppel_local.bootstrap import startable
from koppel_mesh.service import installed_services
able, sentences = startable(installed_services().values())
print([service.name for service in able], *sentences)
"""
    needed = {
        "KOPPEL_DATABASE_URL": "postgresql://127.0.0.1/x",
        "KOPPEL_AMQP_URL": "amqp://127.0.0.1",
        "KOPPEL_EXACT_BASE_URL": "http://127.0.0.1:1",
        "KOPPEL_SMTP_URL": "smtp://127.0.0.1:1",
        "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
    }
    done = with_ghost(program, sandbox=False, **needed)
    assert done.returncode == 0, done.stderr
    names, _, sentence = done.stdout.partition("] ")
    assert "identity" in names
    assert "connector-ghost" not in names
    assert re.fullmatch(r"connector-ghost does not run: KOPPEL_GHOST_BASE_URL is not set.*\.\n", sentence)


@pytest.mark.parametrize(
    "service", [each for each in installed_services().values() if each.kind == "connector"], ids=lambda each: each.name
)
def test_no_connector_calls_a_live_vendor_from_a_laptop(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("KOPPEL_")]:
        monkeypatch.delenv(variable)
    with pytest.raises(ValidationError) as refused:
        service.settings(env="local", database_url="postgresql://127.0.0.1/x", amqp_url="amqp://127.0.0.1")
    assert {error["type"] for error in refused.value.errors()} == {"no_vendor_address"}


def test_serving_it_alone_ends_with_that_sentence(with_ghost: Ghost) -> None:
    needed = {"KOPPEL_DATABASE_URL": "postgresql://127.0.0.1/x", "KOPPEL_AMQP_URL": "amqp://127.0.0.1"}
    program = "import sys; from koppel_local.cli import app; app(['serve', 'connector-ghost'])"
    done = with_ghost(program, sandbox=False, **needed)
    assert done.returncode == 1
    assert "KOPPEL_GHOST_BASE_URL is not set" in done.stderr
    assert "Traceback" not in done.stderr
