"""How this connector names itself and its problems to people."""

from dataclasses import dataclass

from koppel_mesh.messages import ProblemData

from .contract.problems import Problem, ProblemCatalogue


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
        return self.catalogue.render(Problem(problem.code, problem.detail, **{"vendor": self.title, **problem.params}))
