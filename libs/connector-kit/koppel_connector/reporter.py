"""How this connector names itself and its problems to people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from koppel_mesh.messages import ProblemData

from .contract.problems import Problem, ProblemCatalogue


class RenderedProblem(Problem):
    """A problem that was told before, and is told again in the same words."""

    def __init__(self, data: ProblemData) -> None:
        super().__init__(data.code, data.detail)
        self.data = data


@dataclass(frozen=True)
class Reporter:
    """Renders the problems of one connector in three languages (P6)."""

    connector: str
    """Name of the service, as messages carry it: ``connector-exact``."""
    title: str
    """What people call the vendor."""
    catalogue: ProblemCatalogue

    def render(self, problem: Problem) -> ProblemData:
        """Return ``problem`` in three languages, with the vendor's name."""
        if isinstance(problem, RenderedProblem):
            return problem.data
        return self.catalogue.render(Problem(problem.code, problem.detail, **{"vendor": self.title, **problem.params}))

    def warnings(self, kept: Sequence[Mapping[str, str | None]] | None) -> tuple[ProblemData, ...]:
        """Return what ``DeliveryContext.warn`` kept, in three languages."""
        return tuple(self.render(Problem(str(each["code"]), each["detail"])) for each in kept or ())
