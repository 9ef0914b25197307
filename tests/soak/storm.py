"""The storm: faults of the catalogue in a random order, three at a time, none twice before each was done once."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from .catalogue import Fault, Storm
from .load import Load, Tracked

AT_A_TIME = 3
PAUSE_MAX_S = 0.5


@dataclass(frozen=True)
class Done:
    """One fault that was done."""

    fault: Fault
    began_at: float
    over_at: float


@dataclass
class Deck:
    """The order of the faults: shuffled anew whenever all were drawn."""

    faults: Sequence[Fault]
    chance: random.Random
    _left: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> Fault:
        with self._lock:
            if not self._left:
                self._left = self.chance.sample(self.faults, len(self.faults))
            return self._left.pop()


def rage(storm: Storm, deck: Deck, lasts_s: float) -> list[Done]:
    """Do faults for so long; return them when the last is over.

    Raises:
        AssertionError: a service did not come back, or did not end as it must.
    """
    end = time.monotonic() + lasts_s
    done: list[Done] = []
    failures: list[BaseException] = []
    subjects: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def go_on() -> None:
        while time.monotonic() < end and not failures:
            fault = deck.draw()
            with subjects[fault.subject]:
                began_at = time.monotonic()
                try:
                    fault.act(storm)
                except Exception as error:
                    error.add_note(f"while {fault.name}")
                    failures.append(error)
                    return
                done.append(Done(fault, began_at, time.monotonic()))
            time.sleep(storm.chance.uniform(0, PAUSE_MAX_S))

    threads = [threading.Thread(target=go_on) for _ in range(AT_A_TIME)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return done


@dataclass(frozen=True)
class Recovery:
    """How long the mesh took after faults of one kind."""

    times: int
    median_s: float
    max_s: float


def recoveries(done: Sequence[Done], load: Load) -> Mapping[str, Recovery]:
    """Return, by the name of the fault, how long after its end the last document had ended that was on its way meanwhile.

    Faults overlap, so it is at most what each took alone.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for each in done:
        met = [document for document in load.documents.values() if _was_on_its_way(document, each)]
        ends = [document.ended_at for document in met if document.ended_at is not None]
        found[each.fault.name].append(max(0.0, max(ends, default=each.over_at) - each.over_at))
    return {name: Recovery(len(took), median(took), max(took)) for name, took in sorted(found.items())}


def _was_on_its_way(document: Tracked, during: Done) -> bool:
    return document.taken_at < during.over_at and (document.ended_at or during.over_at) > during.began_at
