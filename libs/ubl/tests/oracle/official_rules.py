"""The official rules as tests and benches see them: give a document, get the ids of the rules it breaks."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lxml import etree

PYTHON = Path(__file__).parents[4] / ".koppel" / "official" / "bin" / "python"
WORKER = Path(__file__).with_name("official_worker.py")


@dataclass(frozen=True)
class Verdict:
    """The result of the official rules: flags by rule id, None for a rule set that stopped; ``seconds`` they took."""

    en16931: dict[str, str] | None
    peppol: dict[str, str] | None
    seconds: float


class OfficialRules:
    """A running worker."""

    def __init__(self, requests: IO[str], answers: IO[str], version: str) -> None:
        self._requests, self._answers = requests, answers
        self.version = version

    def judge(self, root: etree._Element) -> Verdict:
        """Return the verdict on a document; ``root`` is its Invoice or CreditNote, read by a safe parser."""
        self._requests.write(json.dumps(etree.tostring(root, encoding="unicode", with_tail=False)) + "\n")
        self._requests.flush()
        line = self._answers.readline()
        if not line:
            raise RuntimeError("the process of the official rules died")
        answer = json.loads(line)
        return Verdict(answer["en16931"], answer["peppol"], answer["seconds"])


@contextmanager
def official_rules() -> Iterator[OfficialRules]:
    """Run a worker for the length of the block.

    Raises:
        FileNotFoundError: ``make .koppel/official/installed`` was not run.
    """
    if not PYTHON.exists():
        raise FileNotFoundError(f"no official rules in {PYTHON.parents[1]}: run them with make oracle")
    with subprocess.Popen(
        [str(PYTHON), str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            version = json.loads(worker.stdout.readline())["version"]
            yield OfficialRules(worker.stdin, worker.stdout, version)
        finally:
            worker.stdin.close()
            worker.wait(30)
