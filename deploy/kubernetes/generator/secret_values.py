"""Secrets by External Secrets: one for each service, so that none holds what is another's."""

from typing import Any, Final

from .catalogue import BROKER_SECRET, MIGRATION, SHARED, SHARED_SECRETS, Part, labels
from .database import CREDENTIALS, DATABASE, HOST, OWNER, PORT, secret_of

STORE: Final = "koppel"
"""The ClusterSecretStore of the cluster."""
PASSWORD: Final = "database_password"  # noqa: S105 - the name of a property


S3: Final = "koppel-s3"
S3_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def objects(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return every ExternalSecret; ``koppel/NAME`` in the store holds the properties that its template names."""
    owners = {MIGRATION: OWNER} | {part.name: part.role for part in parts}
    own = {MIGRATION: dict[str, str]()} | {part.name: _needed(*part.secrets) | _optional(part) for part in parts}
    found = [
        _external(SHARED, "shared", _needed(*SHARED_SECRETS)),
        _external(BROKER_SECRET, "broker", _needed("KOPPEL_AMQP_URL")),
        _external(S3, "s3", _needed(*S3_KEYS)),
        _external(CREDENTIALS, "postgres-backup", _needed("ACCESS_KEY_ID", "ACCESS_SECRET_KEY")),
    ]
    for name, role in owners.items():
        url = f"postgresql://{role}:{{{{ .{PASSWORD} | urlquery }}}}@{HOST}:{PORT}/{DATABASE}?sslmode=require"
        found.append(_external(f"koppel-{name}", name, own[name] | {"KOPPEL_DATABASE_URL": url}))
        basic = {"username": role, "password": f"{{{{ .{PASSWORD} }}}}"}
        found.append(_external(secret_of(role), name, basic, "kubernetes.io/basic-auth"))
    return found


def _needed(*names: str) -> dict[str, str]:
    return {name: f"{{{{ .{name} }}}}" for name in names}


def _optional(part: Part) -> dict[str, str]:
    """Return settings that are empty, which is as if unset, where the store does not hold them: ``.NAME`` would be an error."""
    return {name: f'{{{{ index . "{name}" | default "" }}}}' for name in part.optional_secrets}


def _external(secret: str, key: str, template: dict[str, str], kind: str = "Opaque") -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": secret, "labels": labels(key, "secret")},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": STORE},
            "target": {
                "name": secret,
                "creationPolicy": "Owner",
                # Replace: nothing of the store but what the template names comes into the Secret.
                "template": {"type": kind, "engineVersion": "v2", "mergePolicy": "Replace", "data": template},
            },
            "dataFrom": [{"extract": {"key": f"koppel/{key}"}}],
        },
    }
