"""A running sandbox for tests: uvicorn in a thread, the state at hand, the control requests as methods."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

import uvicorn

from .app import create_app
from .sandbox import environment
from .seed import seeded
from .state import Record, State


class SandboxServer:
    """Use as a context manager."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or seeded()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            create_app(self.url, self.state),
            host="127.0.0.1",
            port=self.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > end:
                raise TimeoutError("the sandbox did not start")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)

    def control(self, action: str, **body: Any) -> Any:
        """Do one control action and return its result."""
        request = Request(
            f"{self.url}/_control/{action}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)["result"]

    def environment(self) -> dict[str, str]:
        """Return the ``KOPPEL_EXACT_*`` variables that lead a connector here."""
        return environment(self.url)

    def entries(self, division: int) -> list[Record]:
        """Return the entries in a company's books."""
        return list(self.state.divisions[division].tables["Entries"].values())


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
