"""A private RabbitMQ node of the installed package: own ports, own folder, own Erlang cookie, bound to the loopback.

Erlang's port mapper (epmd) is started by us as well, on a port of our own: left to itself it would stay behind.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO

import psutil
from aio_pika.exceptions import AMQPError

from koppel_mesh.broker import connected

from .reaper import Reaper, wait_until
from .user_errors import ServerStartError, UserError

START_WITHIN_S = 120.0
ASK_WITHIN_S = 10.0
ENDED_WITHIN_S = 10.0
HOW_TO_INSTALL = (
    "RabbitMQ is not installed: run `apt-get install rabbitmq-server` (or set KOPPEL_AMQP_URL to a broker you have)."
)
_SERVER_SCRIPTS = (Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path("/usr/local/sbin/rabbitmq-server"))
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GiB
log.file = rabbit.log
log.file.level = warning
log.console = false
"""


class RabbitNotInstalledError(UserError):
    """There is no RabbitMQ on this machine; the message says how to get it."""


class _EndedWhileStartingError(ServerStartError):
    """The node gave up."""


class RabbitNode:
    """One node, running as long as its reaper lives."""

    def __init__(self, folder: Path, reaper: Reaper) -> None:
        self._folder = folder
        self._reaper = reaper
        for last_try in (False, False, True):
            self._port, self._dist_port, self._epmd_port = _free_ports(3)
            try:
                self._start(reaper)
                break
            except _EndedWhileStartingError:
                # A port that was free a moment ago may be somebody else's by now.
                if last_try:
                    raise

    def crash_and_start(self) -> None:
        """End the node at once, as a power cut would, and start it again on the same ports: for fault tests."""
        os.killpg(self._node.pid, signal.SIGKILL)
        self._node.wait(ENDED_WITHIN_S)
        self._start(self._reaper)

    def url(self, vhost: str = "/") -> str:
        """Return the ``amqp://`` URL of a virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/{'' if vhost == '/' else vhost}"

    def add_vhosts(self, names: list[str]) -> None:
        """Make virtual hosts, all in one call: the tool takes a second to start, whatever it does."""
        quoted = ",".join(f'<<"{name}">>' for name in names)
        program = (
            f'[begin rabbit_vhost:add(V, <<"test">>), rabbit_auth_backend_internal:set_permissions(<<"guest">>, V,'
            f' <<".*">>, <<".*">>, <<".*">>, <<"test">>) end || V <- [{quoted}]].'
        )
        self._control("eval", program)

    def stop_app(self) -> None:
        """Stop the broker inside the node, as a restart or an upgrade does; every connection is lost."""
        self._control("stop_app")

    def start_app(self) -> None:
        """Start the broker inside the node again."""
        self._control("start_app")

    def _start(self, reaper: Reaper) -> None:
        script = _server_script()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(port=self._port))
        (self._folder / "enabled_plugins").write_text("[].\n")
        log = (self._folder / "start.log").open("wb")
        epmd = _spawn([_tool("epmd"), "-port", str(self._epmd_port), "-address", "127.0.0.1"], self._environment(), log)
        reaper.register(epmd.pid, signal.SIGKILL)
        node = self._node = _spawn([str(script)], self._environment(), log)
        reaper.register(node.pid, signal.SIGTERM)

        def ready() -> bool:
            if node.poll() is not None:
                raise _EndedWhileStartingError(f"RabbitMQ ended while it started; its logs are in {self._folder}.")
            return (
                _is_open(self._port)
                and _listens(node.pid, self._port)
                and asyncio.run(_takes_quorum_queues(self.url()))
            )

        try:
            wait_until(ready, START_WITHIN_S, "RabbitMQ's start")
        except TimeoutError as error:
            raise ServerStartError(
                f"RabbitMQ took no queue within {START_WITHIN_S:.0f} s; its logs are in {self._folder}."
            ) from error

    def _control(self, *arguments: str) -> None:
        tool = _server_script().with_name("rabbitmqctl")
        done = subprocess.run(
            [str(tool), *arguments], env=self._environment(), capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {done.stderr or done.stdout}")

    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") + ":/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": folder,
            "LANG": "C.UTF-8",
            "ERL_CRASH_DUMP": f"{folder}/erl_crash.dump",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "koppel@localhost",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            # Schedulers that spin while they wait would take a laptop's cores from everybody else.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
        }


def _server_script() -> Path:
    # Debian's /usr/sbin/rabbitmq-server changes to a user of its own; the script behind it does not.
    found = next((path for path in _SERVER_SCRIPTS if path.exists()), None)
    if found is None and (on_path := shutil.which("rabbitmq-server")):
        found = Path(on_path).resolve()
    if found is None:
        raise RabbitNotInstalledError(HOW_TO_INSTALL)
    return found


def _tool(name: str) -> str:
    found = shutil.which(name) or next((str(path) for path in Path("/usr/lib/erlang").glob(f"**/bin/{name}")), None)
    if found is None:
        raise RabbitNotInstalledError(f"{name}, a part of Erlang, is not installed. {HOW_TO_INSTALL}")
    return found


def _spawn(command: list[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _is_open(port: int) -> bool:
    # Asked before all else, again and again: whose port it is takes a look at every process of the machine.
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _listens(pid: int, port: int) -> bool:
    """Whether the process or one it started listens on ``port``: another node may have taken it a moment before."""
    try:
        process = psutil.Process(pid)
        sockets = [
            one for member in (process, *process.children(recursive=True)) for one in member.net_connections("tcp")
        ]
    except psutil.AccessDenied:
        return True  # it runs as somebody else and cannot be asked; the broker's answer must do
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)


async def _takes_quorum_queues(url: str) -> bool:
    """Whether the broker does what the services need first.

    A node greets before its feature flags are enabled, and until then refuses: "feature flag is disabled" (measured).
    """
    try:
        async with asyncio.timeout(ASK_WITHIN_S), connected(url, "koppel start") as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("koppel.ready", durable=True, arguments={"x-queue-type": "quorum"})
            await queue.delete(if_unused=False, if_empty=False)
    except (AMQPError, OSError, TimeoutError):
        return False
    return True


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
