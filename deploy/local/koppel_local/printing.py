"""What the command prints: tables, and the sentence at the end of a demo."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from . import sending

# A pipe or a log has no width; rich would take 80 columns and break entry numbers in two.
out = Console(width=None if Console().is_terminal else 160, highlight=False, markup=False)


def table_of(*columns: str) -> Table:
    """Return an empty table with these columns."""
    return Table(*columns, box=box.ROUNDED if out.is_terminal else None, pad_edge=False)


def result_table(sendings: Sequence[sending.Sending]) -> Table:
    """Return the table *document × target*, with the rules that do not hold and what is to be done."""
    targets = sorted({outcome.target for one in sendings for outcome in one.outcomes})
    table = table_of("document", "state", *targets, "findings", "problem")
    for one in sendings:
        name = one.path.name if one.is_statement else one.number or one.path.name
        cells = [", ".join(str(each) for each in one.outcomes if each.target == target) for target in targets]
        table.add_row(name, one.state, *cells, one.findings, one.problem)
    return table


def summary(sendings: Sequence[sending.Sending], began_s: float) -> str:
    """Return how many files came to their end, how many a person must see to, and when the first was booked (monotonic clock)."""
    done = [one for one in sendings if one.is_done]
    now = [one.booked_at_s for one in done if one.booked_at_s is not None]
    earlier = ", all of them by an earlier run" if done else ""
    when = f", the first booked {min(now) - began_s:.1f} s after the start" if now else earlier
    waiting = sum(one.waits_for_a_person for one in sendings)
    others = f", {waiting} {'waits' if waiting == 1 else 'wait'} for a person" if waiting else ""
    return f"{len(done)} of {len(sendings)} documents are where they were to end{others}{when}."
