"""``koppel serve``, which is what a pod runs, sends its spans to the collector that the environment names."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
from cryptography.fernet import Fernet

from .running_mesh import KOPPEL, WITHIN_S, environment, until


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Run an OTLP collector; yield its address and what it is sent."""
    taken: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.path.encode() + b" " + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *about: object) -> None:
            """Write nothing of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(WITHIN_S)


def test_a_pod_sends_its_spans(
    make_database: Callable[..., str], make_vhost: Callable[[], str], free_port: int
) -> None:
    with collector() as (address, taken):
        given = environment(
            KOPPEL_DATABASE_URL=make_database(),
            KOPPEL_AMQP_URL=make_vhost(),
            KOPPEL_PORT=str(free_port),
            KOPPEL_SECRET_KEYS=Fernet.generate_key().decode(),
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_BSP_SCHEDULE_DELAY="100",
        )
        subprocess.run([KOPPEL, "migrate", "identity"], env=given, check=True, timeout=WITHIN_S)
        serving = subprocess.Popen([KOPPEL, "serve", "identity"], env=given)
        try:
            url = f"http://127.0.0.1:{free_port}/identity"
            until(lambda: answers(f"{url}/health/ready"), "identity is ready")
            refused = httpx2.post(f"{url}/oauth/token", data={"grant_type": "client_credentials"}, trust_env=False)
            assert refused.status_code == 401
            until(lambda: any(b"oauth/token" in each for each in taken), "the span of the request arrives")
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(WITHIN_S) == 0
        finally:
            serving.kill()
            serving.wait()
    (path, span) = next(each for each in taken if b"oauth/token" in each).split(b" ", 1)
    assert path == b"/v1/traces"
    assert b"koppel-identity" in span


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
