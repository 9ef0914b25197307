"""Every fault that the storm does: docs/faults.md lists the same, word for word."""

import random
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from koppel_mesh.service import installed_services
from koppel_sandbox import SandboxDriver
from tests.every_target import Books
from tests.webhook_receiver import Mood

from .messages import Tap
from .world import World, schema_of

FROZEN_S = 4.0
"""Longer than a process may be silent before it counts as dead (``KOPPEL_DEAD_AFTER_S``)."""
HANG_S = 4.0
"""Longer than a call may take (``KOPPEL_DEADLINE_S``)."""
MOOD_S = 2.0
CUT_S = 1.0
INDEXED_AFTER_S = 0.4
"""Sooner than the settling time: a vendor whose search is later than that is described by its profile."""
TOKENS_LAST_S = 600
BEFORE_MIDNIGHT = timedelta(minutes=1)


@dataclass(frozen=True)
class Storm:
    """What a fault may use."""

    world: World
    tap: Tap
    chance: random.Random


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    kind: str
    """As docs/faults.md lists it; ``SERVICE`` and ``VENDOR`` stand for each that there is."""
    sentence: str
    """What happens, as docs/faults.md says it."""
    act: Callable[[Storm], None]
    """Does it, and returns when it is over."""
    subject: str
    """What it happens to; two faults of one subject never overlap."""

    @property
    def name(self) -> str:
        """The kind, with what it happens to in the place of a word that stands for many."""
        return re.sub(
            "SERVICE|VENDOR",
            self.subject.removeprefix("connector-") if "VENDOR" in self.kind else self.subject,
            self.kind,
        )


# ── processes ──


def _ended_by(name: str, how: signal.Signals, storm: Storm) -> None:
    process = storm.chance.choice(list(storm.world.processes[name]))
    process.end(how)
    expected = {signal.SIGTERM: 0, signal.SIGKILL: -9}[how]
    assert process.exit_code == expected, f"{name} ended with {process.exit_code} on {how.name}"
    process.start()
    process.until_ready()


def _frozen(name: str, storm: Storm) -> None:
    process = storm.chance.choice(list(storm.world.processes[name]))
    process.send(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    process.send(signal.SIGCONT)


def _cut_network(storm: Storm) -> None:
    storm.world.router.cut()
    time.sleep(CUT_S)
    storm.world.router.restore()


# ── servers ──


def _broker_restarts(storm: Storm) -> None:
    rabbit = storm.world.underneath.rabbit
    assert rabbit is not None
    rabbit.stop_app()
    rabbit.start_app()


def _broker_crashes(storm: Storm) -> None:
    rabbit = storm.world.underneath.rabbit
    assert rabbit is not None
    rabbit.crash_and_start()


def _database_restarts(storm: Storm) -> None:
    assert storm.world.underneath.restart_database is not None
    storm.world.underneath.restart_database()


def _database_crashes(storm: Storm) -> None:
    assert storm.world.underneath.crash_database is not None
    storm.world.underneath.crash_database()


def _session_killed(storm: Storm) -> None:
    assert storm.world.underneath.kill_session is not None
    storm.world.underneath.kill_session()


def _store_away(storm: Storm) -> None:
    blobs = storm.world.blobs
    aside = blobs.with_name("blobs-away")
    blobs.rename(aside)
    time.sleep(CUT_S)
    shutil.copytree(aside, blobs, dirs_exist_ok=True)  # what was kept meanwhile stays
    shutil.rmtree(aside)


# ── messages ──


def _repeated(count: int, shuffled: bool, storm: Storm) -> None:
    storm.tap.repeat(storm.chance, count, shuffled=shuffled)


def _spoiled(storm: Storm) -> None:
    storm.tap.spoil()


# ── vendors ──


def _vendor_fault(connector: str, kind: str, storm: Storm) -> None:
    driver = storm.world.vendor(connector)
    rule = {"kind": kind, "times": storm.chance.randint(1, 4), "seconds": HANG_S}
    if kind.endswith("_after_commit"):
        rule["method"] = "POST"
    if kind == "throttle":
        rule |= {"times": 4, "headers": {"Retry-After": "1"}}
    if kind == "index_late":
        rule["seconds"] = INDEXED_AFTER_S
    driver.control("faults", **rule)
    _until_met(driver)


def _until_met(driver: SandboxDriver) -> None:
    """Wait until the calls that a rule is for have met it, or for as long as calls hang."""
    end = time.monotonic() + HANG_S
    while time.monotonic() < end and any(rule["times"] for rule in rules_of(driver)):
        time.sleep(0.2)


def rules_of(driver: SandboxDriver) -> list[dict[str, object]]:
    """Return the rules for faults of a sandbox; none is cleared."""
    rules: list[dict[str, object]] = driver.control("faults", clear="no path holds this")
    return rules


def _mail_fault(kind: str, storm: Storm) -> None:
    rule = {"kind": kind, "times": storm.chance.randint(1, 3), "seconds": HANG_S}
    storm.world.vendors.mail.post("_control/rules", json=rule).raise_for_status()
    time.sleep(MOOD_S)


def tokens_lapse(storm: Storm) -> None:
    """Let the life of a token pass, for the vendor and for us."""
    storm.world.vendor("connector-exact").control("clock", advance_s=TOKENS_LAST_S)
    _age_tokens(storm.world, TOKENS_LAST_S)


def _age_tokens(world: World, seconds: float) -> None:
    moments = ("obtained_at", "access_expires_at", "next_refresh_at")
    earlier = ", ".join(f"{each} = {each} - interval '{seconds} s'" for each in moments)
    world.rows(f"UPDATE {schema_of('connector-exact')}.oauth_token SET {earlier}")


def _consent_withdrawn(storm: Storm) -> None:
    """Withdraw, and let time pass: a refresh, which shows it, is not taken sooner than 570 s after the one before."""
    storm.world.vendor("connector-exact").control("grants")
    tokens_lapse(storm)


def _tokens_die(storm: Storm) -> None:
    storm.world.vendor("connector-octopus").control("tokens", logins=True)


def _before_midnight(storm: Storm) -> None:
    """Set the vendor's clock to a minute before its midnight, by whole minutes, and ours for its tokens."""
    driver = storm.world.vendor("connector-exact")
    now = datetime.fromisoformat(driver.control("clock")["now"])
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ahead_s = ((midnight - BEFORE_MIDNIGHT) - now).total_seconds() // 60 * 60
    if ahead_s > 0:
        driver.control("clock", advance_s=ahead_s)
        _age_tokens(storm.world, ahead_s)


def _books_are_read_slowly(storm: Storm) -> None:
    books = storm.chance.choice([each for each in storm.world.targets if isinstance(each, Books)])
    books.vendor.control("faults", kind="slow_drip", path=f"/{books.company.remote_id}/", times=4, seconds=1.5)
    _until_met(books.vendor)


# ── partners ──


def _partner(mood: Mood, storm: Storm) -> None:
    storm.world.receiver.mood = mood
    time.sleep(MOOD_S)
    storm.world.receiver.mood = None


_VENDOR_KINDS = {
    "hang": "takes a call and answers nothing until after its deadline",
    "reset_before": "resets the connection of a call that it does not act on",
    "reset_after_commit": "books, and resets the connection instead of answering",
    "hang_after_commit": "books, and does not answer until after the deadline",
    "half_answer_after_commit": "books, and answers half",
    "html_after_commit": "books, and answers 200 with a page",
    "html_502": "answers 502 with a page of its gateway",
    "html_503": "answers 503 with a page of its gateway",
    "status": "answers 500, and nobody knows whether it acted",
    "timeout_408": "answers 408",
    "throttle": "answers four calls with 429 and Retry-After",
    "index_late": "books, and shows it to searches a while later",
}
_MAIL_KINDS = {
    "drop_before": "loses the connection and the mail",
    "drop_after": "keeps the mail and loses the connection",
    "half_answer_after": "keeps the mail and answers half a line",
    "odd_answer_after": "keeps the mail and answers nonsense",
    "hang_after": "keeps the mail and answers after the deadline",
}
_MOODS: dict[Mood, str] = {
    "slow": "takes events and answers after the deadline of an attempt",
    "unavailable": "answers 503 with Retry-After",
    "throttling": "answers 429 with Retry-After",
    "resetting": "takes events and resets the connections",
}


def _of_processes() -> Iterator[Fault]:
    for name, service in installed_services().items():
        killed, ended = partial(_ended_by, name, signal.SIGKILL), partial(_ended_by, name, signal.SIGTERM)
        yield Fault("kill SERVICE", "a process of the service gets kill -9 and is started again", killed, name)
        yield Fault("term SERVICE", "a process of it gets SIGTERM, ends with 0 and is started again", ended, name)
        if service.kind == "connector" or name == "webhooks":
            sentence = "a process that sends is stopped (SIGSTOP) until others count it as dead, and goes on"
            yield Fault("freeze SERVICE", sentence, partial(_frozen, name), name)


def _of_vendors() -> Iterator[Fault]:
    for connector in ("connector-exact", "connector-octopus"):
        for kind, sentence in _VENDOR_KINDS.items():
            yield Fault(
                f"VENDOR {kind.replace('_', '-')}", sentence, partial(_vendor_fault, connector, kind), connector
            )
    for kind, sentence in _MAIL_KINDS.items():
        yield Fault(f"mail {kind.replace('_', '-')}", sentence, partial(_mail_fault, kind), "mail")


CATALOGUE: Sequence[Fault] = (
    *_of_processes(),
    Fault("network cut", "every connection between services is reset, for a second", _cut_network, "network"),
    Fault("broker restarts", "RabbitMQ stops and starts (rabbitmqctl stop_app, start_app)", _broker_restarts, "broker"),
    Fault("broker crashes", "kill -9 of the RabbitMQ node; it is started again", _broker_crashes, "broker"),
    Fault("database restarts", "PostgreSQL stops in order (SIGINT) and starts", _database_restarts, "database"),
    Fault("database crashes", "PostgreSQL ends at once (SIGQUIT), recovers and starts", _database_crashes, "database"),
    Fault(
        "database session killed",
        "kill -9 of one session: PostgreSQL ends all and recovers",
        _session_killed,
        "database",
    ),
    Fault("store away", "the bytes of documents are out of reach for a second", _store_away, "store"),
    Fault(
        "messages again",
        "the last 40 messages are sent again to all who take them",
        partial(_repeated, 40, False),
        "messages",
    ),
    Fault(
        "messages out of order",
        "60 messages of any age are sent again, in any order",
        partial(_repeated, 60, True),
        "messages",
    ),
    Fault("messages broken", "every queue gets a message that says nothing", _spoiled, "messages"),
    *_of_vendors(),
    Fault(
        "exact tokens lapse",
        "every access token ends at once, and many calls want the next",
        tokens_lapse,
        "connector-exact",
    ),
    Fault(
        "exact consent withdrawn",
        "every grant is withdrawn; a person consents again",
        _consent_withdrawn,
        "connector-exact",
    ),
    Fault(
        "exact midnight",
        "the vendor's clock stands a minute before its midnight, when its limits begin anew",
        _before_midnight,
        "connector-exact",
    ),
    Fault(
        "octopus tokens die", "every token of a login and of a dossier ends at once", _tokens_die, "connector-octopus"
    ),
    Fault("slow company", "four answers about one company come in drops", _books_are_read_slowly, "company"),
    *(Fault(f"partner {mood}", sentence, partial(_partner, mood), "partner") for mood, sentence in _MOODS.items()),
)
