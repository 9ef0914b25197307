"""No request, however odd, makes a service answer 5xx; what it refuses it refuses as a problem with a code (contract §4).

Requests are made from each service's own OpenAPI document, half of them right and half of them wrong on purpose. Half name
objects that exist, so that they get past "there is no such object". The examples are the same on every run.
"""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok

from koppel_mesh.ids import new_id
from koppel_mesh.service import installed_services

from .documented_problems import undocumented

EXAMPLES = 4 * int(os.environ.get("KOPPEL_FUZZ", "1"))
ADDRESS_MAX = 60_000
ROOT = Path(__file__).parents[1]
UBL = ROOT / "libs/ubl/tests/samples/valid/own__be-01-invoice-ogm-pdf.xml"
SERVICES = tuple(sorted(installed_services()))
CONNECTORS = tuple(name for name in SERVICES if installed_services()[name].kind == "connector")
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def firm(mesh: Any) -> UUID:
    return new_id()


@pytest.fixture(scope="module")
def objects(mesh: Any, firm: UUID) -> dict[str, str]:
    client = mesh.client(firm)
    asked = {"name": "Slagerij Maes", "enterprise_number": "0000000196", "export": {"frequency": "never"}}
    dossier = client.post("/dossier-api/v1/dossiers", json=asked).json()["id"]
    path = f"/dossier-api/v1/dossiers/{dossier}/documents?direction=sale"
    document = client.post(path, content=UBL.read_bytes(), headers={"content-type": "application/xml"}).json()["id"]
    export = _made(client, f"/export-scheduler/v1/dossiers/{dossier}/exports", {})
    made = {"dossier_id": dossier, "document_id": document, "export_id": export}
    return made | {
        f"{name} connection_id": _made(client, f"/{name}/v1/connections", {"dossier_id": dossier})
        for name in CONNECTORS
    }


def _made(client: Any, path: str, body: dict[str, str]) -> str:
    """Return the id of what a service made once it has heard of the dossier."""
    end = time.monotonic() + 60
    while (answer := client.post(path, json=body)).status_code not in (201, 202):
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)
    return str(answer.json()["id"])


def test_every_service_is_tried() -> None:
    assert set(SERVICES) == {project.parent.name for project in ROOT.glob("services/*/pyproject.toml")}


@pytest.mark.fuzz
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_makes_it_answer_5xx(mesh: Any, firm: UUID, objects: dict[str, str], service: str) -> None:
    client = mesh.client(None if service == "identity" else firm)
    schema = schemathesis.openapi.from_dict(client.get(f"/{service}/openapi.json").json())
    statuses: Counter[int] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        # An object that a delete takes away would be missing in the requests after it.
        real = {} if operation.method.upper() == "DELETE" else objects
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            tried = _try(mesh, client, service, operation, mode, real)
            if "/notices/" in operation.path:
                # A notice is let in by its vendor's signature, not by our token; one without is refused with 401. Exact tries an
                # address with an empty one first: 200, and nothing is kept.
                assert set(tried) <= {200, 401, 404, 405, 413, 422}, tried
                continue
            statuses += tried
    assert statuses.total() > EXAMPLES
    assert any(status < 300 for status in statuses) and 422 in statuses, f"tried one side only: {statuses}"
    assert 401 not in statuses or service == "identity", "the requests did not get past the token"


def _try(mesh: Any, client: Any, service: str, operation: Any, mode: Any, objects: dict[str, str]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    known = objects | {"connection_id": objects.get(f"{service} connection_id", "")}
    own = {name: value for name, value in known.items() if value and f"{{{name}}}" in operation.path}

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode), with_own=st.booleans())
    def run(case: Any, with_own: bool) -> None:
        if with_own and own:
            case.path_parameters = {**(case.path_parameters or {}), **own}
        headers = {"authorization": client.headers["authorization"]}
        answer = case.call(base_url=f"{mesh.url}/{service}", headers=headers, timeout=20)
        told = f"{operation.label}: {answer.status_code} {answer.text[:500]}\n{case.as_curl_command()}"
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, told
        if answer.status_code == 400 and len(answer.request.url) > ADDRESS_MAX:
            return  # no server reads such an address, and none of ours sees it
        if answer.status_code >= 400 and operation.path.startswith("/v1/"):
            assert answer.headers["content-type"][0].startswith("application/problem+json"), told
            code = answer.json()["code"]
            path = urlsplit(answer.request.url).path
            assert not (wrong := undocumented(operation.method, path, answer.status_code, code)), f"{wrong}\n{told}"

    try:
        run()
    except Unsatisfiable:
        # Nothing can be wrong about an operation without parameters and body.
        assert mode is schemathesis.GenerationMode.NEGATIVE
    return statuses
