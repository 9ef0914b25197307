"""Steps 6 to 8 of docs/operating.md, typed as they stand there: from the services' own client to an entry number."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from koppel_mesh.ids import new_id
from koppel_sandbox import installed_sandboxes

from .conftest import SECRET

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
STEPS = PAGE.partition("6. **A firm's client**")[2].partition("A new version is steps")[0]
INVOICE = ROOT / "deploy/local/koppel_local/demo/documents/bakkerij/01-verkoop-brood.xml"
BAKERY = "0793904121"
DIVISION = "3090901"
PATIENCE_S = 120


def block(containing: str) -> str:
    """Return the one fence of the steps that says this."""
    (found,) = [
        text for text in re.findall(r"^ *```sh\n(.*?)^ *```", STEPS, re.MULTILINE | re.DOTALL) if containing in text
    ]
    return re.sub(r"^ {3}", "", found, flags=re.MULTILINE)


class Operator:
    """Somebody at a shell, with the commands of Koppel."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {
            "PATH": path,
            "KOPPEL_PUBLIC_URL": url,
            "KOPPEL_CLIENT_ID": "koppel-services",
            "KOPPEL_CLIENT_SECRET": SECRET,
            "NO_PROXY": "*",
        }
        self._kept = folder / "variables"
        self._kept.touch()

    def types(self, content: str) -> str:
        keep = f"{{ declare -f; declare -p FIRM SECRET DOSSIER; }} > {self._kept} 2>/dev/null || true"
        script = f"source {self._kept}\n{content}\n{keep}\n"
        bash = ["bash", "-eu", "-o", "pipefail", "-c", script]
        done = subprocess.run(
            bash, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert done.returncode == 0, f"{content}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_an_invoice_is_booked_as_the_page_says(mesh: Any, tmp_path: Path) -> None:
    client = f"office-{new_id()}"  # the mesh is shared
    (tmp_path / "invoice.xml").write_bytes(INVOICE.read_bytes())
    operator = Operator(mesh.url, tmp_path)
    with mesh.driver(installed_sandboxes()["exact"]) as vendor:
        vendor.lift_limits()
        company = vendor.open_company(BAKERY)

        def here(text: str) -> str:
            assert "office-janssens" in text
            return text.replace("office-janssens", client).replace(DIVISION, company.remote_id)

        operator.types(here(block("/identity/v1/clients")))
        assert DIVISION in block("/connector-exact/v1/connections")
        address = operator.types(here(block("/connector-exact/v1/connections"))).strip()
        assert address.startswith(f"{mesh.url}/connector-exact/oauth/start?")
        landed = httpx2.get(address, follow_redirects=True, timeout=30, trust_env=False)
        assert landed.status_code == 200, landed.text
        shown = operator.types(here(block("koppel send")))
        (entry,) = vendor.entries(company)
        assert f"booked {entry.entry_number}" in shown


def test_the_page_names_where_exact_sends_browsers_back(mesh: Any) -> None:
    """The app at Exact is registered with this address, to the letter."""
    (path,) = re.findall(r"`(/connector-exact/oauth/\w+)`", PAGE)
    assert path in mesh.client(None).get("/openapi.json").json()["paths"]
