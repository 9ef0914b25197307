"""Every alert is walked by a test; here those of processes: a service that does not run, and one that is not ready."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet
from deploy.monitoring.prometheus import groups

from identity.service import SERVICE

from .processes import ServiceProcess, until

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests", "deploy", "services", "sandbox", "libs")
COLLECT = """
import json, sys, pytest
class Walks:
    def pytest_collection_finish(self, session):
        walked = [(mark.args[0], "alert" in item.fixturenames) for item in session.items for mark in item.iter_markers("alert")]
        print("walks:" + json.dumps(walked))
sys.exit(pytest.main(["--collect-only", "-q", "-n0", "-p", "no:cacheprovider", "-m", "alert", *sys.argv[1:]], plugins=[Walks()]))
"""
OTHER_KEY = Fernet.generate_key().decode()
Url = Callable[..., str]


def test_every_alert_is_brought_about_and_ended_by_a_test() -> None:
    declared = {rule["alert"] for rule in groups()["groups"][0]["rules"]}
    missing, unknown = unwalked(declared, walks(ROOT))
    assert not missing, "no test brings these about and ends them as docs/operating.md says"
    assert not unknown, "no metric declares these"


def test_an_alert_without_a_walk_is_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_some.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def alert(): ...\n"
        "@pytest.mark.alert('KoppelA')\n"
        "def test_a(alert): ...\n"
        "@pytest.mark.alert('KoppelB')\n"
        "def test_that_does_not_look(): ...\n"
        "# @pytest.mark.alert('KoppelC')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = alert\n")
    assert unwalked({"KoppelA", "KoppelB", "KoppelC"}, walks(tmp_path)) == ({"KoppelB", "KoppelC"}, set())
    assert unwalked({"KoppelB"}, walks(tmp_path)) == ({"KoppelB"}, {"KoppelA"})


def unwalked(declared: set[str], walked: set[str]) -> tuple[set[str], set[str]]:
    """Return the alerts that nothing walks, and the walks of what is no alert."""
    return declared - walked, walked - declared


def walks(root: Path) -> set[str]:
    """Return the alerts that tests below a folder walk; whoever is marked and does not ask for ``alert`` sees nothing."""
    tests = [path for folder in FOLDERS for path in (root / folder).rglob("test_*.py")]
    marked = [str(path) for path in tests if "mark.alert" in path.read_text("utf-8")]
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *marked], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = [line.removeprefix("walks:") for line in done.stdout.splitlines() if line.startswith("walks:")]
    return {name for name, looks in json.loads(found) if looks}


class Identity:
    """identity as a process, as an operator starts it and Prometheus scrapes it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        self.url = f"http://127.0.0.1:{environment['KOPPEL_PORT']}/identity"
        self.process = ServiceProcess("identity", environment, log)

    def start(self, **changes: str) -> None:
        self.process = ServiceProcess("identity", {**self.environment, **changes}, self.log)
        self.process.start()

    def metrics(self) -> str | None:
        """Return what Prometheus reads; None where nothing listens. One that is slow is up, however long it takes."""
        try:
            return httpx2.get(f"{self.url}/metrics", trust_env=False, timeout=60).text
        except httpx2.ConnectError:
            return None

    def reasons(self) -> list[str]:
        try:
            answer = httpx2.get(f"{self.url}/health/ready", trust_env=False, timeout=60)
        except httpx2.ConnectError:
            return []
        reasons: list[str] = answer.json()["reasons"]
        return reasons


@pytest.fixture
def identity(make_database: Url, make_vhost: Url, free_port: int, tmp_path: Path) -> Iterator[Identity]:
    environment = {
        "KOPPEL_DATABASE_URL": make_database(),
        "KOPPEL_AMQP_URL": make_vhost(),
        "KOPPEL_PORT": str(free_port),
        "KOPPEL_PUBLIC_URL": f"http://127.0.0.1:{free_port}",
        "KOPPEL_SERVICE_CLIENT_SECRET": "secret-of-the-services",
        "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
        "KOPPEL_LOG_FORMAT": "json",
    }
    running = Identity(environment, tmp_path / "identity.log")
    yield running
    running.process.end(signal.SIGTERM)


def migrate(identity: Identity) -> None:
    """Do what the runbook says, with the command itself."""
    koppel = str(Path(sys.executable).with_name("koppel"))
    subprocess.run([koppel, "migrate", SERVICE.name], env=os.environ | identity.environment, check=True, timeout=120)


@pytest.mark.alert("KoppelNotReady", service="identity")
def test_a_service_whose_schema_is_too_old_is_ready_once_it_is_migrated(identity: Identity, alert: Any) -> None:
    assert not alert.fires(identity.metrics())
    identity.start()
    until(lambda: bool(alert.fires(identity.metrics())), 60, "the alert fires")
    alert.says("Look at `reasons` in the answer of its `/{service}/health/ready`")
    alert.says("`run koppel migrate` after an upgrade", "It is ready again by itself.")
    until(lambda: any("run koppel migrate" in reason for reason in identity.reasons()), 60, "the reason is told")
    migrate(identity)
    until(lambda: not alert.fires(identity.metrics()), 60, "the alert ends")
    identity.process.until_ready()


@pytest.mark.alert("KoppelServiceDown", service="identity")
def test_a_service_that_cannot_start_says_why_and_answers_when_that_is_mended(identity: Identity, alert: Any) -> None:
    migrate(identity)
    identity.start()
    identity.process.until_ready()
    until(lambda: not alert.fires(identity.metrics()), 60, "it answers")
    identity.process.end(signal.SIGTERM)
    assert alert.fires(identity.metrics())
    identity.start(KOPPEL_SECRET_KEYS=OTHER_KEY)
    until(lambda: not identity.process.lives, 60, "it ends")
    assert identity.process.exit_code == 1 and alert.fires(identity.metrics())
    alert.says("a process that cannot start says why in one sentence (a setting, a key that is missing)")
    last = identity.log.read_text("utf-8").strip().splitlines()[-1]
    assert last.startswith("identity cannot start: ") and "key" in last
    alert.says("Do what the sentence says.")
    identity.start(KOPPEL_SECRET_KEYS=f"{OTHER_KEY},{identity.environment['KOPPEL_SECRET_KEYS']}")
    identity.process.until_ready()
    until(lambda: not alert.fires(identity.metrics()), 60, "it answers")
