"""Errors that a person can put right end a command with one sentence and exit code 1; a bug of ours keeps its traceback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console


class UserError(Exception):
    """Something a person can put right; the message says what is wrong and what to do."""


class PortTakenError(UserError):
    """Another program listens where Koppel should."""


class ServerStartError(UserError):
    """PostgreSQL or RabbitMQ does not start on this machine; the message names the log."""


class SchemasBehindError(UserError):
    """The schemas of the database are not yet what this code needs."""


class RolesMissingError(UserError):
    """The role of a service, which is to own its schema, is not there."""


class ServersUnusableError(UserError):
    """A server that the environment names refuses or does not answer."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"A server the environment names cannot be used: {error}")


@contextmanager
def reported() -> Iterator[None]:
    """Turn an error that a person can put right into a sentence on standard error.

    Raises:
        typer.Exit: with code 1, in place of that error.
    """
    try:
        yield
    except UserError as error:
        raise _end(str(error)) from error
    except (ConnectionError, TimeoutError, socket.gaierror) as error:
        raise _end(str(ServersUnusableError(error))) from error


def _end(sentence: str) -> typer.Exit:
    """Print the sentence, and return what ends the command."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, markup=False)
    return typer.Exit(1)


def need_port(port: str) -> None:
    """Check that a port of the loopback is free, before anything is started.

    Raises:
        PortTakenError: it is not, or it is not a port.
    """
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise PortTakenError(f"KOPPEL_PORT is {port}, which is not a port.")
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", int(port)))
        except OSError as error:
            raise PortTakenError(f"Port {port} is taken or forbidden; choose another with KOPPEL_PORT.") from error
