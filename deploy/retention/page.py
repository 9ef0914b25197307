"""The page: for each table what becomes of its rows when a firm leaves, and when it stays."""

from collections.abc import Iterator
from pathlib import Path

from koppel_mesh.firm_data import Age, FirmData, Holding
from koppel_mesh.service import installed_services

PAGE = Path(__file__).parents[2] / "docs" / "retention.md"
_HEAD = """# What is kept of a firm, and for how long

Written by `make retention` from the declarations beside the tables;
[operating.md](operating.md#retention-and-personal-data) says who may export and delete, and how. **years** stands for the
years of `KOPPEL_RETENTION_YEARS` (10), counted from 1 January of the year after the day that a row belongs to.

| Owner | Table | When its firm leaves | While its firm stays | In no export |
| --- | --- | --- | --- | --- |
"""
_NOTHING = """
Tables without data of a firm:

| Owner | Table | Because |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    declared = dict(_declared())
    held = "".join(_row(owner, holding) for owner, data in declared.items() for holding in data.holdings)
    nothing = [
        f"| {owner} | `{table}` | {reason} |\n"
        for owner, data in declared.items()
        for table, reason in data.nothing_of_a_firm.items()
    ]
    return _HEAD + held + _NOTHING + "".join(nothing)


def _declared() -> Iterator[tuple[str, FirmData]]:
    """Yield each lineage once, those that several services share first."""
    lineages = {lineage.name: lineage for service in installed_services().values() for lineage in service.lineages}
    services = installed_services()
    for name in sorted(lineages, key=lambda name: (name in services, name)):
        yield name, lineages[name].firm_data


def _row(owner: str, holding: Holding) -> str:
    age = holding.goes_after
    for_all = f"for {_days(age)}, **years** at most" if age and not age.only else "**years**"
    leaves = f"stays {for_all}: {holding.kept_because}" if holding.kept_because else "goes"
    if holding.kept_because and holding.blanked:
        leaves += f"; without {', '.join(f'`{name}`' for name in holding.blanked)}"
    stays = "goes after **years**" if holding.ends_by_age else "stays"
    stays = f"`{_variable(holding.ended_by)}`" if holding.ended_by else stays
    if age:
        stays = f"after {_days(age)} {age.only}; {stays}" if age.only else f"goes after {_days(age)}"
    secret = ", ".join(f"`{name}`" for name in holding.withheld)
    return f"| {owner} | `{holding.table.name}` | {leaves} | {stays} | {secret} |\n"


def _days(age: Age) -> str:
    return f"{age.days} days" if isinstance(age.days, int) else f"the days of `{_variable(age.days)}`"


def _variable(setting: str) -> str:
    return f"KOPPEL_{setting.upper()}"
