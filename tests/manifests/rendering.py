"""Overlays as a cluster would be given them, and the environment that each container then has."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("small", "production")
Object = dict[str, Any]


@cache
def kubectl() -> Path:
    """Return a kubectl that renders; it is fetched where there is none."""
    subprocess.run([FOLDER / "install-kubectl"], cwd=ROOT, check=True)
    return ROOT / ".koppel" / "kubernetes" / "kubectl"


def render(folder: Path) -> list[Object]:
    """Return every object of a kustomization."""
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@cache
def overlay(name: str) -> list[Object]:
    """Return every object of an overlay of ours; nobody changes it."""
    return render(FOLDER / "overlays" / name)


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [each for each in objects if each["kind"] in kinds]


def workloads(objects: list[Object]) -> list[Object]:
    return of_kind(objects, "Deployment", "Job")


def containers(workload: Object) -> list[Object]:
    spec = workload["spec"]["template"]["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def environment(container: Object, objects: list[Object]) -> dict[str, str]:
    """Return what a container's variables are; one that a Secret gives has the value ``secret NAME``.

    Later sources win over earlier ones, and ``env`` over ``envFrom``, as in Kubernetes.
    """
    maps = {each["metadata"]["name"]: each.get("data") or {} for each in of_kind(objects, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        if "configMapRef" in source:
            found |= maps[source["configMapRef"]["name"]]
    for each in container.get("env", ()):
        secret = each.get("valueFrom", {}).get("secretKeyRef")
        found[each["name"]] = f"secret {secret['name']}" if secret else each["value"]
    return found


def secrets_of(container: Object) -> list[str]:
    return [source["secretRef"]["name"] for source in container.get("envFrom", ()) if "secretRef" in source]
