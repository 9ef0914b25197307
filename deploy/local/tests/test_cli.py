"""The command ``koppel`` as a person types it, against a mesh that ``koppel up`` runs."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography.fernet import Fernet

from koppel_local import demo, sending
from koppel_local.api import Api, ApiError
from koppel_sandbox.exact.seed import STUDIO

from .running_mesh import KOPPEL, WITHIN_S, Mesh, environment, until

SAMPLE = Path(__file__).parents[3] / "services" / "dossier-api" / "tests" / "samples" / "invoice.xml"
OURS = "0793904121"
SETTINGS = {
    "division": STUDIO,
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610"},
    "default_payment_condition": {"sale": "30", "purchase": "30"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
    "vat_codes": {"sale": {"S:21": "21"}, "purchase": {"S:21": "P21"}},
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    folder = tmp_path_factory.mktemp("cli")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)  # PostgreSQL's account must reach it
    running = Mesh(folder / f"koppel-cli-{os.getpid()}")
    connect(running)
    yield running
    running.process.kill()
    running.process.wait()
    until(lambda: not running.left(), "its servers end with it")


def connect(mesh: Mesh) -> None:
    api = Api(mesh.url, "demo", "demo-secret")
    dossier = {"name": "Studio Noord", "enterprise_number": OURS, "language": "nl"}
    dossier_id = api.call("POST", "/dossier-api/v1/dossiers", body=dossier)["id"]
    connections = "/connector-exact/v1/connections"
    made = api.call("POST", connections, body={"dossier_id": dossier_id, "settings": SETTINGS})
    assert httpx2.get(made["authorize_url"], follow_redirects=True, trust_env=False, timeout=30).status_code == 200
    until(lambda: api.call("GET", f"{connections}/{made['id']}")["health"]["imported_at"], "imported")
    # The company of the sandbox has another number than this dossier.
    api.call("POST", f"{connections}/{made['id']}/confirm-company", body={"reason": "a test"})
    api.close()


def invoice(path: Path, number: str) -> Path:
    text = SAMPLE.read_text()
    given = {"NUMBER": number, "SELLER": OURS, "BUYER": "0836836222", "REFERENCE": "PO-1", "DAY": "2026-11-03"}
    for name, value in {**given, "ATTACHMENT": ""}.items():
        text = text.replace(f"@{name}@", value)
    path.write_text(text)
    return path


def row(done: subprocess.CompletedProcess[str], begins: str) -> list[str]:
    found = [line.split() for line in done.stdout.splitlines() if line.startswith(begins)]
    assert len(found) == 1, done.stdout + done.stderr
    return found[0]


def test_files_and_folders_are_sent_and_the_same_again_is_the_same(mesh: Mesh, tmp_path: Path) -> None:
    one = invoice(tmp_path / "one.xml", "CLI-1")
    folder = tmp_path / "folder"
    folder.mkdir()
    invoice(folder / "two.xml", "CLI-2")
    (folder / "notes.md").write_text("not a document")
    done = mesh.typed("send", one, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = row(done, "CLI-1"), row(done, "CLI-2")
    assert first[1:3] == second[1:3] == ["booked", "booked"]
    assert first[3] != second[3]
    again = mesh.koppel("send", one)
    assert again.returncode == 0
    assert row(again, "CLI-1") == first


def test_a_statement_is_done_when_it_is_filed(mesh: Mesh, tmp_path: Path) -> None:
    (statement,) = (demo.DOCUMENTS / "bakkerij").glob("*bankafschrift.cod")
    broken = tmp_path / "[b]totals.cod"
    account = statement.read_bytes().splitlines()[1][5:21]
    another = statement.read_bytes().replace(account, b"BE14001642839183")  # of the same account it would be a copy
    broken.write_bytes(another.replace(b"000016000000001262090", b"000016000000001262190", 1))
    half = tmp_path / "half.cod"
    half.write_bytes(b"".join(statement.read_bytes().splitlines(keepends=True)[:10]))
    done = mesh.koppel("send", statement, broken)
    assert done.returncode == 0, done.stdout + done.stderr
    assert row(done, statement.name)[1:] == ["filed"]
    assert row(done, "[b]totals.cod")[1:] == ["filed", "CODA-25"]
    # Exact takes no statements of this dossier; that is known soon, and later tests count what is blocked.
    until(lambda: stopped_count(mesh, "blocked") == 1, "the statement that is right is blocked")
    refused = mesh.koppel("send", half)
    assert (refused.returncode, row(refused, "half.cod")[1]) == (1, "refused")


def test_a_copy_is_held_until_a_person_answers(mesh: Mesh, tmp_path: Path) -> None:
    first = invoice(tmp_path / "first.xml", "CLI-C")
    copy = tmp_path / "copy.xml"
    copy.write_bytes(first.read_bytes() + b"\n")
    assert mesh.koppel("send", first).returncode == 0
    held = mesh.koppel("send", copy)
    assert (held.returncode, "held" in row(held, "CLI-C")) == (1, True)
    assert "Is it a copy?" in re.sub(r"\s+", " ", held.stdout)
    document_id = re.search(r"koppel answer ([0-9a-f-]{36})", re.sub(r"[\s│]+", " ", held.stdout))
    assert document_id is not None, held.stdout
    wrong = mesh.koppel("answer", document_id[1], "perhaps")
    assert (wrong.returncode, "release, drop" in wrong.stderr) == (1, True)
    dropped = mesh.koppel("answer", document_id[1], "drop", "--reason", "same invoice by mail")
    assert (dropped.returncode, dropped.stdout) == (0, f"{document_id[1]} is dropped.\n")
    released = mesh.koppel("answer", document_id[1], "release")
    assert (released.returncode, released.stdout) == (0, f"{document_id[1]} is filed.\n")


def test_one_bad_file_is_said_and_the_others_go_on(mesh: Mesh, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.xml"
    hostile.write_text('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')
    empty = tmp_path / "empty"
    empty.mkdir()
    done = mesh.koppel("send", tmp_path / "absent.xml", hostile, invoice(tmp_path / "good.xml", "CLI-3"))
    assert done.returncode == 1
    assert " ".join(row(done, "absent.xml")[1:]) == "refused The file cannot be read: No such file or directory."
    assert row(done, "hostile.xml")[1] == "refused"
    assert "root:" not in done.stdout
    assert row(done, "CLI-3")[2] == "booked"
    nothing = mesh.koppel("send", empty)
    assert nothing.returncode == 1
    assert "holds no document" in nothing.stderr


def test_the_choice_of_a_dossier_and_a_wrong_secret_are_explained(mesh: Mesh, tmp_path: Path) -> None:
    file = invoice(tmp_path / "one.xml", "CLI-4")
    wrong = mesh.koppel("send", file, "--dossier", "Nobody")
    assert (wrong.returncode, "Studio Noord" in wrong.stderr) == (1, True)
    secret = mesh.koppel("send", file, "--client-secret", "wrong")
    assert (secret.returncode, "gave no token to client demo" in secret.stderr) == (1, True)


def test_a_till_sells_each_time_anew_or_is_told_what_is_missing(mesh: Mesh) -> None:
    without = mesh.koppel("till")
    assert (without.returncode, "No such dossier has a till" in without.stderr) == (1, True)
    api = Api(mesh.url, "demo", "demo-secret")
    dossier = sending.choose_dossier(api, None)
    base = f"/pos-ingest/v1/dossiers/{dossier['id']}"
    book = api.call("POST", f"{base}/receipt-books", body={"name": "Winkel", "number_format": "W-{InvoiceNumber:5}"})
    api.call("PUT", f"{base}/registers", body={"items": [{"name": "kassa-1", "receipt_book_id": book["id"]}]})
    for _ in range(2):
        sold = mesh.koppel("till", "--tickets", 3)
        assert (sold.returncode, "kassa-1 sold 3 times, for " in sold.stdout) == (0, True), sold.stdout + sold.stderr
        assert "3 taken, 0 refused." in sold.stdout
    api.call("PATCH", f"{base}/receipt-books/{book['id']}", body={"ends_on": "2026-01-31"})
    refused = mesh.koppel("till", "--tickets", 12)
    assert (refused.returncode, "0 taken, 12 refused" in refused.stdout) == (1, True), refused.stdout
    assert "The receipt book ended on 2026-01-31." in refused.stdout
    api.close()


def stopped_count(mesh: Mesh, state: str) -> int:
    """Return how many deliveries would be tried again; statements of other tests are among them, which nobody takes."""
    counted = mesh.koppel("replay", "--state", state, "--connector", "connector-exact").stdout
    assert "would be tried again" in counted
    return int(counted.split()[0])


def test_what_stopped_is_counted_replayed_and_booked(mesh: Mesh, tmp_path: Path) -> None:
    before = {state: stopped_count(mesh, state) for state in ("failed", "blocked")}
    period = {"division": STUDIO, "journal": "700", "year": 2026, "period": 11}
    mesh.control("period", **period)
    file = invoice(tmp_path / "late.xml", "CLI-5")
    stopped = mesh.koppel("send", file)
    assert stopped.returncode == 1
    state = row(stopped, "CLI-5")[2]
    assert state in {"failed", "blocked"}
    status = mesh.koppel("status")
    assert status.returncode == 0, status.stdout
    assert re.search(rf"^connector-exact: .*\b{before[state] + 1} {state}", status.stdout, re.MULTILINE), status.stdout
    assert re.search(r"^export-scheduler: (\d hand|nothing waits); 0 overdue$", status.stdout, re.MULTILINE)
    assert "to fix by: accountant" in status.stdout
    doctor = mesh.koppel("doctor")
    assert (doctor.returncode, doctor.stderr) == (0, ""), doctor.stdout
    assert re.search(r"^  accountant: 1 × period_closed", doctor.stdout, re.MULTILINE), doctor.stdout
    assert "Documents do not move" not in doctor.stdout
    mesh.control("period", **period, closed=False)
    assert stopped_count(mesh, state) == before[state] + 1
    assert row(mesh.koppel("send", file, "--wait-s", 0), "CLI-5")[2] == state, "counting changes nothing"
    assert mesh.koppel("replay", "--state", state, "--connector", "connector-exact", "--really").stdout == (
        f"{before[state] + 1} deliveries were asked to try again.\n"
    )
    done = mesh.koppel("send", file)
    assert (done.returncode, row(done, "CLI-5")[2]) == (0, "booked")
    assert stopped_count(mesh, state) == before[state]


def test_status_without_a_koppel_or_a_connector(mesh: Mesh) -> None:
    away = mesh.koppel("status", "--url", "http://127.0.0.1:1")
    assert (away.returncode, "Nothing answers" in away.stderr) == (1, True)
    unknown = mesh.koppel("replay", "--connector", "connector-nobody")
    assert unknown.returncode == 1
    assert unknown.stderr
    asked = mesh.koppel("status", "--connector", "connector-nobody")
    assert asked.returncode == 1
    assert "not ready (404)" in asked.stdout
    assert not asked.stderr


def test_a_connector_that_is_installed_here_and_not_there_is_no_fault(mesh: Mesh, tmp_path: Path) -> None:
    described = tmp_path / "ghost-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: ghost\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[koppel.services]\nconnector-ghost = ghost:SERVICE\n")
    (tmp_path / "ghost.py").write_text(
        "from koppel_mesh.service import Service\nfrom koppel_mesh.settings import MeshSettings\n"
        'SERVICE = Service("connector-ghost", MeshSettings, kind="connector")\n'
    )
    status = mesh.typed("status", PYTHONPATH=str(tmp_path))
    assert (status.returncode, status.stderr) == (0, "")
    assert re.search(r"connector-ghost +not part of this Koppel", status.stdout)
    assert re.search(r"^connector-exact: ", status.stdout, re.MULTILINE)
    replay = mesh.typed("replay", PYTHONPATH=str(tmp_path))
    assert replay.returncode == 0, replay.stderr
    assert "deliveries would be tried again" in replay.stdout


def test_the_api_says_what_was_refused(mesh: Mesh) -> None:
    api = Api(mesh.url, "demo", "demo-secret")
    with pytest.raises(ApiError, match="enterprise"):
        api.call("POST", "/dossier-api/v1/dossiers", body={"name": "X", "enterprise_number": "1", "language": "nl"})
    assert api.status_of("/identity/health/live") == 200
    assert len(list(api.items("/dossier-api/v1/documents", {"limit": 1}))) == len(
        list(api.items("/dossier-api/v1/documents", {}))
    )
    api.close()


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        (["serve", "nobody"], {}, "No service is called nobody"),
        (["serve", "identity"], {}, "KOPPEL_DATABASE_URL is not set; KOPPEL_AMQP_URL is not set"),
        (["migrate"], {}, "KOPPEL_DATABASE_URL is not set"),
        (
            ["migrate"],
            {"KOPPEL_DATABASE_URL": "postgresql://a@127.0.0.1:1/a", "KOPPEL_AMQP_URL": "amqp://127.0.0.1:1"},
            "cannot be used",
        ),
        (["up", "--no-demo"], {"KOPPEL_PORT": "abc"}, "not a port"),
        (["up", "--no-demo"], {"KOPPEL_ENV": "production"}, "koppel serve"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(mesh: Mesh, command: list[str], given: dict[str, str], said: str) -> None:
    done = mesh.typed(*command, **given)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_service_waits_for_its_database_and_ends_when_it_is_told_to(tmp_path: Path, free_port: int) -> None:
    away = {"KOPPEL_DATABASE_URL": "postgresql://a@127.0.0.1:9/a", "KOPPEL_AMQP_URL": "amqp://127.0.0.1:9"}
    given = away | {"KOPPEL_PORT": str(free_port), "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode()}
    live = f"http://127.0.0.1:{free_port}/identity/health/live"

    def lives() -> bool:
        try:
            return httpx2.get(live, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    output = tmp_path / "output"
    with output.open("wb") as said:
        process = subprocess.Popen([KOPPEL, "serve", "identity"], env=environment(**given), stdout=said, stderr=said)
    until(lives, "it lives")
    until(lambda: output.read_text().count("database away") > 1, "it tries again")
    taken = subprocess.run([KOPPEL, "serve", "identity"], env=environment(**given), capture_output=True, text=True)
    assert (taken.returncode, "Traceback" in taken.stderr) == (1, False)
    assert f"cannot listen on 127.0.0.1:{free_port}" in taken.stderr
    process.terminate()
    assert process.wait(WITHIN_S) == 0
    assert "Traceback" not in output.read_text()


def test_a_taken_port_or_folder_is_told(mesh: Mesh, tmp_path: Path) -> None:
    port = mesh.typed("up", "--no-demo", "--folder", tmp_path / "x", KOPPEL_PORT=mesh.port)
    assert (port.returncode, f"Port {mesh.port} is taken" in port.stderr) == (1, True)
    folder = mesh.typed("up", "--no-demo", "--folder", mesh.folder, KOPPEL_PORT="0")
    assert (folder.returncode, "another Koppel is running" in folder.stderr) == (1, True)


def test_a_server_that_does_not_start_is_told_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("9.4\n")
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    given = environment(KOPPEL_PORT="0", KOPPEL_AMQP_URL="amqp://127.0.0.1:9")
    command = [KOPPEL, "up", "--no-demo", "--folder", str(folder)]
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=WITHIN_S)
    assert done.returncode == 1
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("PostgreSQL does not start")
    assert str(folder) in sentence


def test_migrate_and_serve_run_services_on_given_servers(
    make_database: Callable[..., str], make_vhost: Callable[[], str], free_port: int, tmp_path: Path
) -> None:
    given = environment(
        KOPPEL_DATABASE_URL=make_database(),
        KOPPEL_AMQP_URL=make_vhost(),
        KOPPEL_PORT=str(free_port),
        KOPPEL_BLOB_URL=tmp_path.as_uri(),
        KOPPEL_SECRET_KEYS=Fernet.generate_key().decode(),
        KOPPEL_SERVICE_CLIENT_SECRET="of this test",
    )
    early = [KOPPEL, "migrate", "identity", "--wait-s", "0"]
    waited = subprocess.run(early, env=given, capture_output=True, text=True, timeout=WITHIN_S)
    assert (waited.returncode, "Not migrated within 0 s: identity." in waited.stderr) == (1, True), waited.stderr
    waiting = subprocess.Popen([KOPPEL, "migrate", "--wait-s", str(WITHIN_S)], env=given)
    for _ in range(2):
        migrated = subprocess.run([KOPPEL, "migrate"], env=given, capture_output=True, text=True, timeout=WITHIN_S)
        assert migrated.returncode == 0, migrated.stderr
        assert "services are up to date" in migrated.stdout
    assert waiting.wait(WITHIN_S) == 0
    serving = subprocess.Popen([KOPPEL, "serve", "identity"], env=given)
    try:
        url = f"http://127.0.0.1:{free_port}"
        until(lambda: answers(f"{url}/identity/health/ready") == 200, "identity is ready")
        assert answers(f"{url}/dossier-api/health/ready") == 404, "only what was named is served"
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(WITHIN_S) == 0
    finally:
        serving.kill()
        serving.wait()


def answers(url: str) -> int | None:
    try:
        return httpx2.get(url, trust_env=False, timeout=30).status_code
    except httpx2.HTTPError:
        return None


def stop(mesh: Mesh, number: signal.Signals) -> int:
    mesh.process.send_signal(number)
    code = mesh.process.wait(WITHIN_S)
    until(lambda: not mesh.left(), "no process stays behind")
    assert "Traceback" not in mesh.said()
    return code


def test_zz_killed_it_leaves_no_process_and_goes_on_where_it_was(mesh: Mesh, tmp_path: Path) -> None:
    """The last two tests of the mesh: they stop it."""
    before = row(mesh.koppel("send", invoice(tmp_path / "a.xml", "CLI-8")), "CLI-8")[3]
    assert stop(mesh, signal.SIGKILL) == -signal.SIGKILL
    mesh.begin()
    after = row(mesh.koppel("send", invoice(tmp_path / "b.xml", "CLI-9")), "CLI-9")
    assert after[1:4] == ["booked", "booked", str(int(before) + 1)], "the connection serves and the numbers go on"


def test_zz_up_stops_whole(mesh: Mesh) -> None:
    assert stop(mesh, signal.SIGINT) == 0
    mesh.begin()
    assert stop(mesh, signal.SIGTERM) == 0
