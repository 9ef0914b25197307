"""What a test may do to any sandbox: under ``/_control/``, JSON in and out, never a part of the vendor."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clock import Clock
from .faults import Fault


class SandboxState(Protocol):
    """What the common actions need of a sandbox: a dataclass with these fields."""

    clock: Clock
    switches: Any
    faults: list[Fault]
    log: list[Any]


Action = Callable[[Any, dict[str, Any]], Any]
"""Takes the sandbox's state and the body; returns what is answered as ``result``."""


def routes(seeded: Callable[[], SandboxState], actions: Mapping[str, Action]) -> list[Route]:
    """Return the routes of the actions every sandbox has (reset, clock, switches, faults), of its own, and of its log.

    The app's ``state.sandbox`` is the sandbox's state.

    Args:
        seeded: makes the state that ``reset`` brings back.
        actions: those of this sandbox, by name.
    """
    every = {"reset": _reset(seeded), "clock": _clock, "switches": _switches, "faults": _faults, **actions}

    async def act(request: Request) -> Response:
        action = every.get(request.path_params["action"])
        if action is None:
            return JSONResponse({"error": "no such action", "actions": sorted(every)}, 404)
        try:
            result = action(request.app.state.sandbox, json.loads(await request.body() or b"{}"))
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            return JSONResponse({"ok": False, "error": f"{type(error).__name__}: {error}"}, 400)
        return shown({"ok": True, "result": result})

    return [Route("/_control/requests", _requests), Route("/_control/{action}", act, methods=["POST"])]


def shown(value: Any) -> Response:
    """Answer with a value as JSON; amounts and days are texts."""
    return Response(json.dumps(value, default=str), media_type="application/json")


def _reset(seeded: Callable[[], SandboxState]) -> Action:
    def reset(state: Any, _: dict[str, Any]) -> None:
        fresh = seeded()
        for one in dataclasses.fields(state):
            setattr(state, one.name, getattr(fresh, one.name))

    return reset


def _clock(state: SandboxState, body: dict[str, Any]) -> dict[str, str]:
    state.clock.advance(float(body.get("advance_s", 0)))
    return {"now": state.clock.now().isoformat()}


def _switches(state: SandboxState, body: dict[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        if not hasattr(state.switches, name):
            raise ValueError(f"no such switch: {name}")
        setattr(state.switches, name, value)
    return dataclasses.asdict(state.switches)


def _faults(state: SandboxState, body: dict[str, Any]) -> list[dict[str, Any]]:
    if "clear" in body:
        # A text clears the rules for what it stands in.
        cleared = body["clear"]
        state.faults[:] = [one for one in state.faults if isinstance(cleared, str) and cleared not in one.path]
    else:
        state.faults.append(Fault(**body))
    return [dataclasses.asdict(fault) for fault in state.faults]


async def _requests(request: Request) -> Response:
    state: SandboxState = request.app.state.sandbox
    wanted = request.query_params
    lines = [dataclasses.asdict(line) for line in state.log]
    return JSONResponse([line for line in lines if all(str(line.get(name)) == value for name, value in wanted.items())])
