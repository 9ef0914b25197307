"""``koppel doctor`` as a Job that an operator starts by hand, and the policies that let it ask every service."""

from typing import Any, Final

from koppel_mesh.settings import MeshSettings

from . import network
from .catalogue import IMAGE, NAMESPACE, SHARED, Part, labels
from .workloads import CONTAINER_SECURITY, TMP, TMP_MOUNT, account, from_secret, memory, pod

NAME: Final = "doctor"
COMPONENT: Final = "operations"
KEPT_S: Final = 3600
LONGEST_S: Final = 300


def objects(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return the Job, its account and its policies, with their namespace: no overlay holds them."""
    made = [account(NAME, COMPONENT), *network.asking_policies(NAME, parts), _job()]
    return [{**each, "metadata": {**each["metadata"], "namespace": NAMESPACE}} for each in made]


def _job() -> dict[str, Any]:
    client = MeshSettings.model_fields["service_client_id"].default
    secret = from_secret("KOPPEL_SERVICE_CLIENT_SECRET", SHARED)
    template = pod(
        NAME,
        COMPONENT,
        restartPolicy="Never",
        containers=[
            {
                "name": NAME,
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "args": ["doctor"],
                "env": [
                    {"name": "KOPPEL_INTERNAL_URL", "value": "http://{service}"},
                    {"name": "KOPPEL_CLIENT_ID", "value": client},
                    {**secret, "name": "KOPPEL_CLIENT_SECRET"},
                ],
                "resources": memory("256Mi", "100m"),
                "securityContext": CONTAINER_SECURITY,
                "volumeMounts": [TMP_MOUNT],
            }
        ],
        volumes=[TMP],
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": NAME, "labels": labels(NAME, COMPONENT)},
        "spec": {
            # It fails where documents do not move: to ask again at once would say the same.
            "backoffLimit": 0,
            "activeDeadlineSeconds": LONGEST_S,
            "ttlSecondsAfterFinished": KEPT_S,
            "template": template,
        },
    }
