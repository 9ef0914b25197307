"""Our own sample files, and the ways in which tests break them."""

from collections.abc import Callable
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"
Lines = list[str]
Edit = Callable[[Lines], Lines]
"""Gets the lines of a file, without their ends, and returns those of a broken one."""


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def edited(name: str, *edits: Edit) -> bytes:
    lines = sample(name).decode("ascii").splitlines()
    for edit in edits:
        lines = edit(lines)
    return "".join(f"{line}\r\n" for line in lines).encode("cp1252")


def put(line: int, column: int, text: str) -> Edit:
    """Overwrite what stands at a line and column, both counted from 1."""

    def edit(lines: Lines) -> Lines:
        old = lines[line - 1]
        return [*lines[: line - 1], old[: column - 1] + text + old[column - 1 + len(text) :], *lines[line:]]

    return edit


def drop(first: int, last: int | None = None) -> Edit:
    """Leave out a line, or those from ``first`` to ``last``."""
    return lambda lines: lines[: first - 1] + lines[last or first :]


def swap(line: int) -> Edit:
    """Exchange a line and the next one."""
    return lambda lines: [*lines[: line - 1], lines[line], lines[line - 1], *lines[line + 1 :]]


def append(text: str, line: int) -> Edit:
    """Write more at the end of a line."""
    return lambda lines: [*lines[: line - 1], lines[line - 1] + text, *lines[line:]]
