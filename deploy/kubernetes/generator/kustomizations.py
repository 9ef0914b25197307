"""The lists of files that kustomize reads."""

from typing import Any

from . import database
from .catalogue import IMAGE, MIGRATION, SHARED, VERSION, Part


def base(parts: tuple[Part, ...]) -> dict[str, Any]:
    """Return that of every service; ``shared.env`` and ``namespace.yaml`` beside it are written by hand."""
    generators = [{"name": SHARED, "envs": ["shared.env"]}]
    generators += [{"name": part.config, "envs": [f"{part.name}.env"]} for part in parts]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["namespace.yaml", "migrate.yaml", *(f"{part.name}.yaml" for part in parts)],
        "configMapGenerator": generators,
        "images": [{"name": IMAGE, "newName": "registry.example/koppel", "newTag": VERSION}],
    }


BROKER = (
    '[{"op": "replace", "path": "/spec/template/spec/%s/0/env/0/valueFrom/secretKeyRef",'
    ' "value": {"name": "koppel-rabbitmq-default-user", "key": "connection_string"}}]'
)
PATCHES: dict[str, list[dict[str, Any]]] = {
    # How many pods there are is what KEDA decides: a number here would set it back with each apply.
    "keda": [{"target": {"kind": "Deployment"}, "patch": '[{"op": "remove", "path": "/spec/replicas"}]'}],
    # Its operator makes the roles some time after the server answers; a schema that is there before its role is not its own.
    "cloudnative-pg": [
        {
            "target": {"kind": "Job", "labelSelector": f"app.kubernetes.io/name={MIGRATION}"},
            "patch": '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--roles-wait-s=300"}]',
        }
    ],
    "restored-postgres": database.switched(),
    # Its operator makes the user, and a Secret that says how it is reached.
    "rabbitmq": [
        {"target": {"kind": "Deployment"}, "patch": BROKER % "containers"},
        {"target": {"kind": "Deployment"}, "patch": BROKER % "initContainers"},
        {"target": {"kind": "Job"}, "patch": BROKER % "containers"},
    ],
}


def component(name: str, resources: list[str]) -> dict[str, Any]:
    """Return that of a component."""
    found: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    found |= {"resources": resources} if resources else {}
    return found | ({"patches": PATCHES[name]} if name in PATCHES else {})
