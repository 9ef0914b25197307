"""PostgreSQL by CloudNativePG: three instances in three zones, a role for each service, backups to any moment of a month."""

from typing import Any, Final

from .catalogue import NAMESPACE, Part, labels

NAME: Final = "koppel-postgres"
DATABASE: Final = "koppel"
OWNER: Final = "koppel"
"""Whom the Job that migrates connects as: a member of each service's role, so that it makes tables in their names."""
RESTORED: Final = f"{NAME}-restored"
SERVICE: Final = "koppel-database"
HOST: Final = f"{SERVICE}.{NAMESPACE}.svc"
"""A name of ours, so that one patch leads everything to another cluster. With its namespace, for KEDA has one of its own."""
CLUSTER: Final = "cnpg.io/cluster"
"""The label with which CloudNativePG marks each pod of a cluster, the ones that restore it included."""
ANY_CLUSTER: Final = {"matchExpressions": [{"key": CLUSTER, "operator": "Exists"}]}
"""Finds the restored cluster as well as the first: whoever may reach the one may reach the other."""
PORT: Final = 5432
MAX_CONNECTIONS: Final = 600
BUCKET: Final = "s3://koppel-backups/postgres"
ENDPOINT: Final = "https://s3.eu-central-1.amazonaws.com"
"""An overlay names its own bucket and store."""
CREDENTIALS: Final = "koppel-postgres-backup"


def files(parts: tuple[Part, ...]) -> dict[str, list[dict[str, Any]]]:
    """Return what is where."""
    return {"cluster": [_cluster(parts), _backup(NAME), _service()]}


def secret_of(role: str) -> str:
    """Return the Secret (``kubernetes.io/basic-auth``) with a role's name and password."""
    return f"{NAME}-{role.replace('_', '-')}"


def restored(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return the cluster as it is made anew from a backup, as it stood at one moment, and its own backups."""
    made = _cluster(parts)
    made["metadata"] |= {"name": RESTORED, "namespace": NAMESPACE}
    made["spec"]["bootstrap"] = {
        "recovery": {
            "source": NAME,
            "database": DATABASE,
            "owner": OWNER,
            "secret": {"name": secret_of(OWNER)},
            "recoveryTarget": {"targetTime": "2026-01-31 12:00:00+00"},
        }
    }
    # It reads the old one's files and writes its own: two clusters that archive to one place spoil each other's history.
    made["spec"]["externalClusters"] = [{"name": NAME, "barmanObjectStore": {**_store(), "serverName": NAME}}]
    made["spec"]["backup"]["barmanObjectStore"]["serverName"] = RESTORED
    backup = _backup(RESTORED)
    backup["metadata"]["namespace"] = NAMESPACE
    return [made, backup]


def switched() -> list[dict[str, Any]]:
    """Return the patches that lead everything to the restored cluster, and leave the one before to whoever deletes it."""
    lead = f'[{{"op": "replace", "path": "/spec/selector/{CLUSTER.replace("/", "~1")}", "value": "{RESTORED}"}}]'
    first = [("Cluster", NAME), ("ScheduledBackup", f"{NAME}-daily")]
    gone = [
        {"patch": f"$patch: delete\napiVersion: postgresql.cnpg.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\n"}
        for kind, name in first
    ]
    return [{"target": {"kind": "Service", "name": SERVICE}, "patch": lead}, *gone]


def _cluster(parts: tuple[Part, ...]) -> dict[str, Any]:
    roles = [_role(part.role) for part in parts]
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": NAME, "labels": labels(NAME, "database")},
        "spec": {
            "instances": 3,
            # The image that still has Barman Cloud, with which the operator itself makes backups.
            "imageName": "ghcr.io/cloudnative-pg/postgresql:18-system-trixie",
            "bootstrap": {"initdb": {"database": DATABASE, "owner": OWNER, "secret": {"name": secret_of(OWNER)}}},
            "managed": {"roles": [*roles, {**_role(OWNER), "inRoles": [part.role for part in parts]}]},
            "enableSuperuserAccess": False,
            "postgresql": {
                # Nothing that was accepted is lost with a node: a commit stands on two. With both others away, writing waits.
                "synchronous": {"method": "any", "number": 1, "dataDurability": "required"},
                "parameters": {
                    "max_connections": str(MAX_CONNECTIONS),
                    "shared_buffers": "2GB",
                    "effective_cache_size": "5GB",
                    "work_mem": "8MB",
                    "max_wal_size": "8GB",
                    "checkpoint_timeout": "15min",
                    # Rows of outboxes, inboxes and deliveries are updated and deleted all day.
                    "autovacuum_vacuum_scale_factor": "0.05",
                    "autovacuum_naptime": "15s",
                    "log_min_duration_statement": "1000",
                },
            },
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "8Gi"}},
            "storage": {"size": "200Gi"},
            "walStorage": {"size": "40Gi"},
            "affinity": {
                "enablePodAntiAffinity": True,
                "podAntiAffinityType": "required",
                "topologyKey": "topology.kubernetes.io/zone",
            },
            "primaryUpdateStrategy": "unsupervised",
            "primaryUpdateMethod": "switchover",
            "backup": {"barmanObjectStore": _store(), "retentionPolicy": "30d", "target": "prefer-standby"},
        },
    }


def _role(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "ensure": "present",
        "login": True,
        "superuser": False,
        "createdb": False,
        "createrole": False,
        "passwordSecret": {"name": secret_of(name)},
    }


def _store() -> dict[str, Any]:
    return {
        "destinationPath": BUCKET,
        "endpointURL": ENDPOINT,
        "s3Credentials": {
            "accessKeyId": {"name": CREDENTIALS, "key": "ACCESS_KEY_ID"},
            "secretAccessKey": {"name": CREDENTIALS, "key": "ACCESS_SECRET_KEY"},
        },
        "wal": {"compression": "gzip", "maxParallel": 4},
        "data": {"compression": "gzip"},
    }


def _backup(cluster: str) -> dict[str, Any]:
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "ScheduledBackup",
        "metadata": {"name": f"{cluster}-daily", "labels": labels(NAME, "database")},
        "spec": {
            "schedule": "0 30 1 * * *",  # with seconds first
            "backupOwnerReference": "self",
            "cluster": {"name": cluster},
            "immediate": True,
            "method": "barmanObjectStore",
        },
    }


def _service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "labels": labels(SERVICE, "database")},
        "spec": {
            "type": "ClusterIP",
            "selector": {CLUSTER: NAME, "cnpg.io/instanceRole": "primary"},
            "ports": [{"name": "postgres", "port": PORT, "targetPort": PORT, "protocol": "TCP"}],
        },
    }
