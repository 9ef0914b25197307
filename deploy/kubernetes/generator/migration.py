"""The one Job that brings schemas and queues to what a version needs, before its pods start."""

from typing import Any, Final

from .catalogue import IMAGE, MIGRATION, VERSION, labels
from .workloads import CONTAINER_SECURITY, TMP, TMP_MOUNT, account, memory, pod, servers_of

SECRET: Final = f"koppel-{MIGRATION}"
"""Holds the address of the database as the owner of every schema; no service has it."""
KEPT_S: Final = 86_400
LONGEST_S: Final = 1800


def objects() -> list[dict[str, Any]]:
    """Return the Job and its account. Its name has the version: a Job cannot be changed, and each version runs its own once."""
    component = "migration"
    template = pod(
        MIGRATION,
        component,
        restartPolicy="Never",
        containers=[
            {
                "name": MIGRATION,
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "args": ["migrate"],
                "env": servers_of(SECRET),
                "resources": memory("512Mi", "100m"),
                "securityContext": CONTAINER_SECURITY,
                "volumeMounts": [TMP_MOUNT],
            }
        ],
        volumes=[TMP],
    )
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{MIGRATION}-{VERSION.replace('.', '-')}", "labels": labels(MIGRATION, component)},
        "spec": {
            # It waits for the servers by failing; with the growing pauses between tries, that is about half an hour.
            "backoffLimit": 8,
            "activeDeadlineSeconds": LONGEST_S,
            "ttlSecondsAfterFinished": KEPT_S,
            "template": template,
        },
    }
    return [account(MIGRATION, component), job]
