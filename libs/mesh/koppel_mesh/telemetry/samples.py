"""What services expose, read again: the values that ``GET /metrics`` answers with, and those that an alert is about."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from .metrics import Rule


@dataclass(frozen=True)
class Sample:
    """One value that a service exposes."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(pages: Iterable[str]) -> list[Sample]:
    """Return what these pages of metrics say, each series once: in one process every service shows the whole process."""
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): Sample(sample.name, sample.labels, sample.value)
        for page in pages
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    return list(found.values())


def chosen(rule: Rule, seen: Iterable[Sample]) -> Iterator[Sample]:
    """Return the samples whose labels the alert is about."""
    where = rule.alert.where or {}
    for sample in seen:
        if sample.name == rule.sample and all(
            re.fullmatch(pattern, sample.labels.get(label, "")) for label, pattern in where.items()
        ):
            yield sample


def worst(rule: Rule, seen: Sequence[Sample]) -> dict[str, float]:
    """Return by service the value of a gauge that its alert would look at: the highest, or the lowest."""
    by_service: dict[str, list[float]] = {}
    for sample in chosen(rule, seen):
        by_service.setdefault(sample.labels["service"], []).append(sample.value)
    pick = max if rule.alert.above is not None else min
    return {service: pick(values) for service, values in by_service.items()}
