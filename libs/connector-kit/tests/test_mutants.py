"""The conformance suite sees mistakes: each is put into a connector, and the scenario made for it must fail, and say why.

That the same scenarios pass without a mistake is ``test_griffel.py``.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from .mutants import CAUGHT_BY

MUTANTS = Path(__file__).parent / "mutants.py"
ROOT = Path(__file__).parents[3]
WITHIN_S = 240


def run(scenarios: Sequence[str], postgres_url: str, report: Path) -> dict[str, str]:
    """Run scenarios, ``Class::test``, in a process of their own; return what each that failed says."""
    known = {"KOPPEL_DATABASE_URL": postgres_url, "KOPPEL_AMQP_URL": "amqp://unused"}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--junitxml={report}"]
        + [f"{MUTANTS}::{scenario}" for scenario in scenarios],
        cwd=ROOT,
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    assert len(cases) == len(scenarios), ended.stdout
    failed = {}
    for case in cases:
        assert case.find("skipped") is None, f"{case.get('name')} was skipped"
        if (failure := case.find("failure")) is not None:
            failed[f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"] = failure.get("message", "")
    return failed


def test_each_mistake_is_seen_by_its_scenario(postgres_url: str, tmp_path: Path) -> None:
    expected = {f"Test{mutant.__name__}::{scenario}": said for mutant, (scenario, said) in CAUGHT_BY.items()}
    failed = run(list(expected), postgres_url, tmp_path / "mutants.xml")
    assert set(expected) - set(failed) == set(), "passed in spite of their mistake"
    wrong_reason = {
        scenario: failed[scenario][:500] for scenario, said in expected.items() if said not in failed[scenario]
    }
    assert wrong_reason == {}
