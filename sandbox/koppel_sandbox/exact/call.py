"""One call of the API: who makes it, in which company, on which resource."""

from dataclasses import dataclass, field

from starlette.requests import Request

from .state import App, Division, Record, State, User


@dataclass
class Call:
    """One call, known to be somebody's."""

    state: State
    base_url: str
    request: Request
    app: App
    user: User
    division: Division
    path: str
    """Path of the resource, without key."""
    key: str | None = None
    collection: str | None = None
    body: Record = field(default_factory=dict)
    touched: str | None = None
    """Key of what a write made or changed."""

    @property
    def language(self) -> str:
        """The language of the user's messages."""
        return self.user.language

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return dict(self.request.query_params)

    def uri(self, path: str) -> str:
        """Return an absolute link into this company."""
        return f"{self.base_url}/api/v1/{self.division.code}/{path}"
