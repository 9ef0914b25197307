"""A sandbox that runs for tests: in a thread with a port of its own, or in a process that a test may kill."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

import httpx2
import uvicorn
from starlette.types import ASGIApp

from .installed import Sandbox
from .ports import free_port

START_WITHIN_S = 30.0
POLL_INTERVAL_S = 0.01
Start = Callable[[str], AbstractAsyncContextManager[ASGIApp | None]]
"""Takes the URL to hang under; gives the app to serve, or None when it listens by itself."""


class SandboxThread:
    """Use as a context manager."""

    def __init__(self, start: Start) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._start = start
        self._started = threading.Event()
        self._failures: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @classmethod
    def of(cls, sandbox: Sandbox) -> Self:
        """Return a thread for an installed sandbox that keeps everything in memory."""
        return cls(lambda url: sandbox.start(sandbox.environment(url)[sandbox.address_variable], None))

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(START_WITHIN_S):
            raise TimeoutError("the sandbox did not start")
        if self._failures:
            raise self._failures[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_WITHIN_S)

    def control(self, action: str, **body: Any) -> Any:
        """Do one control action and return its result."""
        request = Request(
            f"{self.url}/_control/{action}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)["result"]

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except BaseException as error:
            self._failures.append(error)
        finally:
            self._started.set()

    async def _live(self) -> None:
        async with self._start(self.url) as app:
            if app is None:
                self._started.set()
                await self._stop.wait()
            else:
                await self._serve(app)

    async def _serve(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=self.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(POLL_INTERVAL_S)
        self._started.set()
        await self._stop.wait()
        server.should_exit = server.force_exit = True
        await serving


class SandboxProcess:
    """A sandbox as a person starts it, with a folder that keeps its data.

    Args:
        name: of its package: ``exact``.
        port: that it listens on.
        folder: of its data.
    """

    def __init__(self, name: str, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", f"koppel_sandbox.{name}", "--port", str(port), "--data", str(folder)]
        self.running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait(self) -> None:
        """Return when it answers.

        Raises:
            AssertionError: it has ended, or does not answer in time.
        """
        end = time.monotonic() + START_WITHIN_S
        while True:
            try:
                httpx2.get(f"{self.url}/_control/requests", trust_env=False)
                return
            except httpx2.HTTPError:
                assert self.running.poll() is None, self.running.communicate()[1]
                assert time.monotonic() < end, "the sandbox does not answer"
                time.sleep(POLL_INTERVAL_S)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.running.kill()
        self.running.wait()
        assert self.running.stderr is not None
        self.running.stderr.close()
