"""An alert that a test brings about and ends as its runbook says: whether it fires, and what docs/operating.md tells to do.

A test asks for it as the fixture ``alert`` and names it with ``@pytest.mark.alert("KoppelOutboxWaits", service="webhooks")``.
"""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import RULES, Rule
from koppel_mesh.telemetry.samples import Sample, chosen, samples, worst

PAGE: Final = (Path(__file__).parents[1] / "docs/operating.md").read_text("utf-8")
RUNBOOKS: Final = dict(re.findall(r"^### (Koppel\w+)\n\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
QUERY: Final = re.compile(r"^ *```sql\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PATIENCE_S: Final = 20.0
Series = tuple[tuple[str, str], ...]
_DOWN: Final = Rule("up", Alert(name="KoppelServiceDown", summary="", severity="page", below=1))
"""Prometheus itself makes ``up``; deploy/monitoring writes the rule."""


class AlertWalk:
    """One alert of one service, from before its cause until the cause is gone."""

    def __init__(self, name: str, service: str) -> None:
        (self._rule,) = [rule for rule in (*RULES, _DOWN) if rule.alert.name == name]
        self._service = service
        self._runbook = RUNBOOKS[name]
        self._first: dict[Series, float] = {}
        self._last: dict[Series, float] = {}
        self._seen: list[bool] = []
        self._has_read = False

    def fires(self, page: str | None) -> bool:
        """Return whether the alert would fire by what ``GET /metrics`` answers now; None: nothing answers.

        What the alert asks of an increase is counted from the first page, or from where ``window_passes`` says.
        """
        alert = self._rule.alert
        if self._rule is _DOWN:
            found = page is None
        elif page is None:
            found = False
        elif alert.within is None:
            value = worst(self._rule, samples([page])).get(self._service)
            found = value is not None and alert.is_beyond(value)
        else:
            found = self._has_increased(page)
        self._seen.append(found)
        return found

    def window_passes(self) -> None:
        """Let the time pass within which the alert counts."""
        self._first = dict(self._last)

    async def until(self, page: Callable[[], Awaitable[str | None]], fires: bool) -> None:
        """Read the page again and again until the alert fires, or fires no more.

        Raises:
            TimeoutError: it does not come to that.
        """
        async with asyncio.timeout(PATIENCE_S):
            while self.fires(await page()) is not fires:
                await asyncio.sleep(0.05)

    def says(self, *sentences: str) -> None:
        """Read the runbook: what a test does next has to stand there, in these words.

        Raises:
            AssertionError: it does not.
        """
        self._has_read = True
        shown = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", " ".join(self._runbook.replace("**", "").split()))
        for sentence in sentences:
            assert sentence in shown, f"the runbook of {self._rule.alert.name} does not say: {sentence}"

    def query(self, **schemas: str) -> str:
        """Return the query of the runbook, with the names of schemas replaced: ``connector``, or the one that stands there."""
        self._has_read = True
        (query,) = QUERY.findall(self._runbook)
        for name, schema in schemas.items():
            query = query.replace(f"{{{name}}}.", f"{schema}.").replace(f"{name}.", f"{schema}.")
        return str(query).strip().rstrip(";")

    def query_beside(self, words: str) -> str:
        """Return the first query that follows these words on the page; the runbook has to lead there."""
        self._has_read = True
        before, found, after = PAGE.partition(words)
        assert found, f"docs/operating.md does not say: {words}"
        heading = re.findall(r"^## (.+)$", before, re.MULTILINE)[-1]
        anchor = heading.lower().replace(" ", "-")
        assert f"(#{anchor})" in self._runbook, f"the runbook of {self._rule.alert.name} does not lead to #{anchor}"
        query = QUERY.search(after)
        assert query is not None
        return query[1].strip().rstrip(";")

    def check(self) -> None:
        """See that the test has read the runbook, has seen the alert fire, and has seen it end.

        Raises:
            AssertionError: it has not.
        """
        course = [state for state, _ in itertools.groupby(self._seen)]
        assert course == [False, True, False], f"{self._rule.alert.name} went {course}, not: quiet, firing, quiet"
        assert self._has_read, f"nobody has read the runbook of {self._rule.alert.name}"

    def _has_increased(self, page: str) -> bool:
        """Count as Prometheus does: of a series that comes up in between, only what is beyond its first value."""
        alert = self._rule.alert
        about = Rule(self._rule.sample, Alert(name=alert.name, summary="", severity="ticket", above=0))
        seen = [one for one in samples([page]) if one.labels.get("service") == self._service]
        self._last = {series_of(one): one.value for one in chosen(about, seen)}
        for series, value in self._last.items():
            self._first.setdefault(series, value)
        increase = {series: value - self._first[series] for series, value in self._last.items()}
        bad = sum(increase[series_of(one)] for one in chosen(self._rule, seen))
        if not alert.as_share:
            return alert.is_beyond(bad)
        everything = sum(increase.values())
        return everything > 0 and alert.is_beyond(bad / everything)


def series_of(sample: Sample) -> Series:
    """Return what tells a time series from others of its name."""
    return tuple(sorted(sample.labels.items()))
