"""docs/faults.md lists the faults that the soak does, in its words: no fault is only told of, none is done in secret."""

import re
from pathlib import Path

from .soak.catalogue import CATALOGUE
from .soak.guards import GUARDS

PAGE = (Path(__file__).parents[1] / "docs/faults.md").read_text("utf-8")


def test_the_page_and_the_soak_know_the_same_faults() -> None:
    section = PAGE.partition("## The faults")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)
    assert listed == list(dict.fromkeys((fault.kind, fault.sentence) for fault in CATALOGUE))


def test_the_page_names_the_guards_that_are_taken_away() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| .+ \| (\w+): .+ \|$", PAGE.partition("## The guards")[2], re.MULTILINE)
    assert [name for name, _ in rows] == [guard.name for guard in GUARDS]
    assert all(seen in guard.breaks for (_, seen), guard in zip(rows, GUARDS, strict=True))


def test_no_two_faults_have_one_name() -> None:
    names = [fault.name for fault in CATALOGUE]
    assert len(set(names)) == len(names) > 50
