"""``python -m tests.soak.guards [NAME…]``: a short soak without each guard; what the guard prevents must be seen.

First everything that provokes them happens to a mesh that has all its guards, and must leave nothing behind.
"""

import argparse
import random
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from koppel_local.servers import Servers, servers
from koppel_mesh.service import installed_services
from koppel_sandbox import LostAnswer
from tests.every_target import invoice_of, statement_of
from tests.processes import until

from . import mutants
from .catalogue import Storm, tokens_lapse
from .invariants import until_quiet, violations
from .load import Load
from .messages import Tap
from .world import World, hush, world

FOLDER = Path(".koppel/soak-mutants")
QUIET_S, SEEN_WITHIN_S = 150.0, 25.0
CALLS_A_MINUTE = 45


@dataclass(frozen=True)
class Provoked:
    """A mesh, and what was done to it."""

    world: World
    load: Load
    tap: Tap

    def hand_in(self, prefix: str, count: int) -> None:
        for number in range(count):
            self.load.take_in(invoice_of(f"{prefix}-{number}"), self.world.dossiers[0])


@dataclass(frozen=True)
class Guard:
    """One guard, what it takes to need it, and the invariants of which at least one breaks without it."""

    name: str
    mutant: Callable[[], None]
    provoke: Callable[[Provoked], None]
    breaks: tuple[str, ...]


def _lose_answers(at: Provoked) -> None:
    for target in at.world.targets:
        target.lose_answers(LostAnswer.RESET, times=2)
    at.hand_in("LOST", 3)


def _take_the_broker_away(at: Provoked) -> None:
    rabbit = at.world.underneath.rabbit
    assert rabbit is not None
    rabbit.stop_app()
    at.hand_in("AWAY", 2)
    time.sleep(2.0)
    rabbit.start_app()


def _die_while_handling(at: Provoked) -> None:
    (process,) = at.world.processes["export-scheduler"]
    mutants.arm(at.world.armed, mutants.DIES)
    at.hand_in("DIES", 2)
    until(lambda: not process.lives, 30, "export-scheduler dies")
    process.start()
    process.until_ready()


def _freeze_before_a_mail(at: Provoked) -> None:
    mutants.arm(at.world.armed, mutants.FREEZES)
    at.hand_in("FROZEN", 2)
    time.sleep(mutants.FROZEN_S + 2.0)


def _want_tokens_at_once(at: Provoked) -> None:
    tokens_lapse(Storm(at.world, at.tap, random.Random(0)))
    (books,) = (each for each in at.world.dossiers[0].books if each.connector == "connector-exact")
    path = f"/connector-exact/v1/connections/{books.connection_id}/check"
    with ThreadPoolExecutor(12) as callers:
        list(callers.map(lambda _: at.world.ask("POST", path), range(12)))


def _use_up_the_minute(at: Provoked) -> None:
    at.world.vendor("connector-exact").control("switches", minute_limit=CALLS_A_MINUTE)
    at.hand_in("MANY", 12)


def _fail_the_first_statement(at: Provoked) -> None:
    at.world.vendor("connector-octopus").control("faults", kind="reset_before", method="POST", path="coda", times=2)
    for number in (1, 2, 3):
        at.load.take_in(statement_of(number), at.world.dossiers[0])
    at.load.statements = 3


def _repeat_every_message(at: Provoked) -> None:
    at.hand_in("AGAIN", 2)
    until_quiet(at.load, SEEN_WITHIN_S)
    at.tap.repeat(random.Random(0), len(at.tap.heard), shuffled=False)
    time.sleep(4.0)


def _sell_twice(at: Provoked) -> None:
    at.load.sell()
    at.load.sell()
    at.load.close_the_book()


GUARDS = (
    Guard("budget of calls", mutants.no_budget, _use_up_the_minute, ("I5",)),
    Guard("look-up before a repeat", mutants.no_lookup, _lose_answers, ("I1", "I2")),
    Guard("outbox until confirmed", mutants.no_confirm, _take_the_broker_away, ("I1",)),
    Guard("acknowledged after the commit", mutants.acknowledge_first, _die_while_handling, ("I1",)),
    Guard("fence of a claim", mutants.no_fence, _freeze_before_a_mail, ("I2",)),
    Guard("lock of a token pair", mutants.no_token_lock, _want_tokens_at_once, ("I4",)),
    Guard("sequence of statements", mutants.no_sequence, _fail_the_first_statement, ("I1", "I2")),
    Guard("inbox and versions", mutants.no_memory_of_messages, _repeat_every_message, ("webhooks",)),
    Guard("chain of entries", mutants.no_chain, _sell_twice, ("receipts",)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of guards; all when none is given")
    chosen = parser.parse_args().names
    hush()
    shutil.rmtree(FOLDER, ignore_errors=True)
    guards = [guard for guard in GUARDS if guard.name in chosen or not chosen]
    failed = []
    with servers(FOLDER / "servers") as underneath:
        found = _soak(underneath, "all-guards", mutants.stumbles, [guard.provoke for guard in guards], QUIET_S)
        print(f"with all guards: {found or 'everything holds'}", flush=True)
        failed += ["all guards"] if found else []
        for guard in guards:
            found = _soak(underneath, guard.name, guard.mutant, [guard.provoke], SEEN_WITHIN_S)
            seen = [sentence for sentence in found if sentence.startswith(guard.breaks)]
            print(f"without {guard.name}: {seen[0] if seen else f'NOT SEEN {found}'}", flush=True)
            failed += [] if seen else [guard.name]
    return 1 if failed else 0


def _soak(
    underneath: Servers,
    name: str,
    mutant: Callable[[], None],
    provocations: list[Callable[[Provoked], None]],
    quiet_s: float,
) -> list[str]:
    hook = f"{mutants.__name__}:{mutant.__name__}"
    with world(underneath, FOLDER / name.replace(" ", "-"), hook=hook, dossiers=1) as made:
        tap, load = Tap(made.amqp_url, installed_services()), Load(made, consents=False)
        with tap.listening(), load.watched():
            for provoke in provocations:
                provoke(Provoked(made, load, tap))
            still_moving = until_quiet(load, quiet_s)
        return violations(load, tap, still_moving)


if __name__ == "__main__":
    sys.exit(main())
