"""The running service's context, as a parameter of routes."""

from typing import Annotated, Any

from fastapi import Depends, Request


def current_context(request: Request) -> Any:
    """Return the running service's context."""
    return request.state.context


CurrentContext = Annotated[Any, Depends(current_context)]
"""The running service's ``Context``, as a route's parameter."""
