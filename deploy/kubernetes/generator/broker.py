"""RabbitMQ by its cluster operator: three nodes, of which two go on; queues are quorum queues, as the code declares them."""

from typing import Any, Final

from .catalogue import labels

NAME: Final = "koppel-rabbitmq"
ITS_PODS: Final = {"matchLabels": {"app.kubernetes.io/name": NAME}}
CONFIGURATION: Final = """\
# The part that is alone stops: messages wait in outboxes until it is back.
cluster_partition_handling = pause_minority
# Publishing stops before a full disk does harm; the outboxes keep what is to be sent.
disk_free_limit.relative = 1.0
vm_memory_high_watermark.relative = 0.6
queue_master_locator = balanced
"""


def cluster() -> dict[str, Any]:
    """Return the cluster. Requests are limits: a broker that is starved of either stops its publishers."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": ITS_PODS,
    }
    size = {"cpu": "1", "memory": "2Gi"}
    return {
        "apiVersion": "rabbitmq.com/v1beta1",
        "kind": "RabbitmqCluster",
        "metadata": {"name": NAME, "labels": labels(NAME, "broker")},
        "spec": {
            "replicas": 3,
            "resources": {"requests": size, "limits": size},
            "persistence": {"storage": "20Gi"},
            # Longer than it takes queues to find another leader.
            "terminationGracePeriodSeconds": 600,
            "rabbitmq": {"additionalConfig": CONFIGURATION},
            "affinity": {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": ITS_PODS, "topologyKey": "kubernetes.io/hostname"}
                    ]
                }
            },
            "override": {
                "statefulSet": {
                    "spec": {"template": {"spec": {"containers": [], "topologySpreadConstraints": [spread]}}}
                }
            },
        },
    }
