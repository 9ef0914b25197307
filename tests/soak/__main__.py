"""``python -m tests.soak [--seconds N] [--seed N]``: the storm, then what must hold; exit code 1 when something does not."""

import argparse
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from koppel_local.servers import servers
from koppel_mesh.service import installed_services

from .catalogue import CATALOGUE, Storm
from .invariants import until_quiet, violations
from .load import Load
from .messages import Tap
from .storm import Deck, Done, rage, recoveries
from .world import hush, world

FOLDER = Path(".koppel/soak")
SHOWN_MAX = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the storm lasts")
    parser.add_argument("--seed", type=int, default=None, help="of the order of the faults; a new one when not given")
    arguments = parser.parse_args()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    print(f"seed {seed}: make soak SEED={seed} SOAK_S={arguments.seconds:g}", flush=True)
    hush()
    shutil.rmtree(FOLDER, ignore_errors=True)
    started = time.monotonic()
    with servers(FOLDER / "servers") as underneath, world(underneath, FOLDER / "mesh") as made:
        tap = Tap(made.amqp_url, installed_services())
        load = Load(made)
        print(f"everything runs after {time.monotonic() - started:.0f} s; the storm begins", flush=True)
        with tap.listening():
            with load.running():
                done = rage(
                    Storm(made, tap, random.Random(seed)), Deck(CATALOGUE, random.Random(seed)), arguments.seconds
                )
            with load.watched():
                load.close_the_book()
                still_moving = until_quiet(load)
        found = violations(load, tap, still_moving)
    _print(done, load, time.monotonic() - started)
    for sentence in found[:SHOWN_MAX]:
        print(f"VIOLATED {sentence}")
    if len(found) > SHOWN_MAX:
        print(f"and {len(found) - SHOWN_MAX} more")
    print(f"seed {seed}: {'everything holds' if not found else f'{len(found)} violations; logs are in {FOLDER}'}")
    return 1 if found else 0


def _print(done: Sequence[Done], load: Load, took_s: float) -> None:
    print(f"\n{'fault':32}{'times':>6}{'well again: median s':>22}{'max s':>8}")
    for name, recovery in recoveries(done, load).items():
        print(f"{name:32}{recovery.times:6}{recovery.median_s:22.1f}{recovery.max_s:8.1f}")
    decided = ", ".join(f"{what} {times} times" for what, times in load.decided.items()) or "nothing"
    print(
        f"\n{len(done)} faults of {len({each.fault.name for each in done})} kinds ({len(CATALOGUE)} there are) in"
        f" {took_s:.0f} s; {len(load.documents)} documents, {load.statements} of them statements;"
        f" tickets {load.sales} times; a person: {decided}"
    )


if __name__ == "__main__":
    sys.exit(main())
