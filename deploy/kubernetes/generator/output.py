"""Which file holds what, as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from . import (
    broker,
    database,
    doctor,
    kustomizations,
    migration,
    monitoring,
    network,
    routes,
    scaling,
    secret_values,
    workloads,
)
from .catalogue import SERVICES, Part

FOLDER = Path(__file__).parents[1]
COMMAND = "make manifests"
HEADER = f"# Generated from the services' values by `{COMMAND}`; change deploy/kubernetes/generator instead.\n"


class _Dumper(yaml.SafeDumper):
    """Block style, texts of several lines as such, and no references between equal values."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def to_yaml(objects: Sequence[dict[str, Any]]) -> str:
    """Return objects as the documents of one file."""
    dumped = yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=128, allow_unicode=True, explicit_start=True)
    return HEADER + str(dumped)


def files() -> dict[Path, str]:
    """Return every generated file below ``deploy/kubernetes``, by its path there."""
    found: dict[str, str] = {"base/kustomization.yaml": to_yaml([kustomizations.base(SERVICES)])}
    found["base/migrate.yaml"] = to_yaml(migration.objects())
    for part in SERVICES:
        found[f"base/{part.name}.yaml"] = to_yaml(workloads.objects(part))
        found[f"base/{part.name}.env"] = _env(part)
    for component, resources in _components().items():
        for name, objects in resources.items():
            found[f"components/{component}/{name}.yaml"] = to_yaml(objects)
        listed = kustomizations.component(component, sorted(f"{name}.yaml" for name in resources))
        found[f"components/{component}/kustomization.yaml"] = to_yaml([listed])
    found["examples/restored-postgres.yaml"] = to_yaml(database.restored(SERVICES))
    found["examples/doctor.yaml"] = to_yaml(doctor.objects(SERVICES))
    return {Path(name): text for name, text in found.items()}


def _components() -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {
        "cloudnative-pg": database.files(SERVICES),
        "external-secrets": {"secrets": secret_values.objects(SERVICES)},
        "gateway": {"gateway": [routes.gateway()], "routes": routes.http_routes(SERVICES)},
        "ingress": {"ingress": [routes.ingress(SERVICES)]},
        "keda": {"scaling": scaling.objects(SERVICES)},
        "monitoring": {
            "dashboard": [monitoring.shown()],
            "monitors": monitoring.monitors(),
            "rules": [monitoring.rule()],
        },
        "restored-postgres": {},
        "rabbitmq": {"cluster": [broker.cluster()]},
        "network-policies": {
            "default": network.default_policies(),
            "services": network.service_policies(SERVICES),
            "servers": network.server_policies(SERVICES),
        },
    }


def _env(part: Part) -> str:
    lines = [f"{name}={value}" for name, value in part.environment.items()]
    return HEADER + "\n".join(lines) + "\n"


def committed() -> dict[Path, str]:
    """Return the generated files that are there, by their path below ``deploy/kubernetes``."""
    folders = ("base", "components", "examples")
    found = (path for folder in folders for path in (FOLDER / folder).rglob("*") if path.is_file())
    texts = {path.relative_to(FOLDER): path.read_text("utf-8") for path in found}
    return {path: text for path, text in texts.items() if text.startswith(HEADER)}


def write() -> None:
    """Write them, and remove what is generated no longer."""
    wanted = files()
    for path in committed().keys() - wanted.keys():
        (FOLDER / path).unlink()
    for path, text in wanted.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
