"""What network policies make of a pod that speaks with another, as Kubernetes reads them."""

from .rendering import Object


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Return what Kubernetes makes of a selector of pods; of its expressions, those that we use."""
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] in {"Exists", "In"} for each in expressions)
    wanted = selector.get("matchLabels", {})
    return wanted.items() <= labels.items() and all(
        each["key"] in labels and ("values" not in each or labels[each["key"]] in each["values"])
        for each in expressions
    )


def allows(policies: list[Object], direction: str, pod: dict[str, str], peer: dict[str, str], port: int) -> bool:
    """Return whether a pod may speak with another of its namespace, in one direction."""
    side = "from" if direction == "ingress" else "to"
    return any(
        any(each["port"] == port for each in rule.get("ports", ()))
        and any("podSelector" in one and selects(one["podSelector"], peer) for one in rule.get(side, ()))
        for policy in policies
        if selects(policy["spec"]["podSelector"], pod)
        for rule in policy["spec"].get(direction, ())
    )
