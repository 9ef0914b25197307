"""``koppel serve``, which is what a pod runs, sends its spans to the collector that the environment names."""

import signal
import subprocess
from collections.abc import Callable

import httpx2
from cryptography.fernet import Fernet
from tests.span_collector import SpanCollector, collecting

from .running_mesh import KOPPEL, WITHIN_S, environment, until


def test_a_pod_sends_its_spans(
    make_database: Callable[..., str], make_vhost: Callable[[], str], free_port: int
) -> None:
    with collecting() as collector:
        given = environment(
            KOPPEL_DATABASE_URL=make_database(),
            KOPPEL_AMQP_URL=make_vhost(),
            KOPPEL_PORT=str(free_port),
            KOPPEL_SECRET_KEYS=Fernet.generate_key().decode(),
            **collector.environment,
        )
        subprocess.run([KOPPEL, "migrate", "identity"], env=given, check=True, timeout=WITHIN_S)
        serving = subprocess.Popen([KOPPEL, "serve", "identity"], env=given)
        try:
            url = f"http://127.0.0.1:{free_port}/identity"
            until(lambda: answers(f"{url}/health/ready"), "identity is ready")
            refused = httpx2.post(
                f"{url}/oauth/token", data={"grant_type": "client_credentials"}, trust_env=False, timeout=30
            )
            assert refused.status_code == 401
            until(lambda: "/identity/oauth/token" in requested(collector), "the span of the request arrives")
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(WITHIN_S) == 0
        finally:
            serving.kill()
            serving.wait()
    assert {span.service for span in collector.spans} == {"koppel-identity"}


def requested(collector: SpanCollector) -> list[str]:
    return [span.attributes.get("url.path", "") for span in collector.spans]


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False, timeout=30).status_code == 200
    except httpx2.HTTPError:
        return False
