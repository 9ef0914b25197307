"""Which problems the code behind a route may answer, read from its source: a list kept by hand is wrong within a month.

From a function everything of ours that it names is followed. What ``HttpProblem`` is made with there is taken from the text:
literals as they stand, an argument from whoever calls, ``….rule`` from the rules that the function can find broken, ``….code``
from the service's catalogue. What cannot be known like this is said with ``raises_problem``; tests fail where it is not.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .problems import CATALOGUE, DECLARED, HttpProblem
from .source_types import Scope, bound_arguments, called, functions_of, node_of

RULE = "the rule that is broken"
UNKNOWN = "unknown"
_RULE_ARGUMENT = "rule"


@dataclass(frozen=True)
class Argument:
    """A value that whoever calls the function gives."""

    name: str


@dataclass(frozen=True)
class Answerable:
    """A problem that a function may answer; ``code`` may be ``CATALOGUE``: any of the service's own."""

    status: int
    code: str
    title: str = ""


@dataclass(frozen=True)
class _Template:
    status: Any
    code: Any
    title: Any


@dataclass
class _Found:
    """What one function says by itself."""

    templates: list[_Template] = field(default_factory=list)
    rules: list[Any] = field(default_factory=list)
    """Literals that it gives as the name of a rule, and arguments of its own that it passes on as one."""
    names: list[Callable[..., Any]] = field(default_factory=list)
    """Functions of ours that it uses."""


def problems_behind(functions: Sequence[Callable[..., Any]]) -> set[Answerable]:
    """Return what these functions, and all that they use, may answer.

    Raises:
        LookupError: the status or code of a problem is neither in the text nor declared; the message names the function.
    """
    found: set[Answerable] = set()
    for function in reached_from(functions):
        for template in _own(function).templates:
            found |= set(_answerables(function, template))
    return found


def reached_from(functions: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """Return these functions and all of ours that they use, directly or not."""
    reached: dict[Callable[..., Any], None] = {}
    waiting = list(functions)
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached[one] = None
            waiting += _own(one).names
    return list(reached)


def _answerables(function: Callable[..., Any], template: _Template) -> Iterator[Answerable]:
    if Argument in (type(template.status), type(template.code)):
        return  # said at each call of it
    where = f"{function.__module__}.{function.__qualname__}"
    statuses = template.status if isinstance(template.status, tuple) else ()
    codes = template.code if isinstance(template.code, tuple) else ()
    if RULE in codes:
        codes = tuple(sorted(_rules_behind(function)))
    if not statuses or not codes or UNKNOWN in (*statuses, *codes):
        raise LookupError(f"{where} makes a problem of a computed status or code: say which with @raises_problem")
    title = template.title[0] if isinstance(template.title, tuple) and template.title else ""
    yield from (Answerable(status, code, title) for status in statuses for code in codes)


def _rules_behind(function: Callable[..., Any]) -> set[str]:
    return {rule for each in reached_from([function]) for rule in _own(each).rules if isinstance(rule, str)}


_read: dict[Callable[..., Any], _Found] = {}


def _own(function: Callable[..., Any]) -> _Found:
    """Return what a function says; while it is being read, as when it calls itself in a circle, what is read so far."""
    if function not in _read:
        _read[function] = _Found()
        _fill(_read[function], function)
    return _read[function]


def _fill(found: _Found, function: Callable[..., Any]) -> None:
    if declared := getattr(function, DECLARED, None):
        found.templates = [_Template((status,), codes, ("",)) for status, codes in declared]
    node = node_of(function)
    if node is None:
        return
    scope = Scope(function, node)
    for expression in ast.walk(node):
        if isinstance(expression, ast.Name | ast.Attribute) and isinstance(expression.ctx, ast.Load):
            found.names += [used for used in functions_of(scope.resolve(expression)) if used is not function]
        elif isinstance(expression, ast.Call):
            _take_call(found, scope, expression, declared=bool(declared))


def _take_call(found: _Found, scope: Scope, call: ast.Call, *, declared: bool) -> None:
    callee = scope.resolve(call.func)
    if callee is None:
        return
    arguments = bound_arguments(callee, call)
    if inspect.isclass(callee) and issubclass(callee, HttpProblem):
        if not declared:
            values = [_values(scope, arguments.get(name)) for name in ("status", "code", "title")]
            found.templates.append(_Template(*values))
        return
    if (rule := arguments.get(_RULE_ARGUMENT)) is not None:
        found.rules += _passed_on(_values(scope, rule))
    target = called(callee)
    if target is None or target is scope.function:
        return
    found.names.append(target)
    used = _own(target)
    if not declared:
        for template in used.templates:
            if Argument in (type(template.status), type(template.code)):
                found.templates.append(
                    _Template(
                        *(_bound(scope, arguments, value) for value in (template.status, template.code, template.title))
                    )
                )
    for rule_argument in used.rules:
        if isinstance(rule_argument, Argument):
            found.rules += _passed_on(_bound(scope, arguments, rule_argument))


def _passed_on(value: Any) -> list[Any]:
    if isinstance(value, Argument):
        return [value]
    return [each for each in value if each not in (UNKNOWN, RULE, CATALOGUE)]


def _bound(scope: Scope, arguments: dict[str, ast.expr], value: Any) -> Any:
    """Return what a caller gives for a value of the function that it calls."""
    return _values(scope, arguments.get(value.name)) if isinstance(value, Argument) else value


def _values(scope: Scope, expression: ast.expr | None) -> Any:
    """Return the literals that an expression may be, as a tuple; or the argument that it is."""
    match expression:
        case None:
            return (UNKNOWN,)
        case ast.Constant(value=value):
            return (value,)
        case ast.JoinedStr(values=parts):
            return ("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts),)
        case ast.IfExp(body=body, orelse=orelse):
            return tuple(each for one in (body, orelse) for each in _tuple(_values(scope, one)))
        case ast.Attribute(attr="rule"):
            return (RULE,)
        case ast.Attribute(attr="code"):
            return (CATALOGUE,)
        case ast.Name(id=name):
            if name in scope.arguments:
                return Argument(name)
            if (assigned := scope.assigned.get(name)) is not None:
                return tuple(each for one in assigned for each in _tuple(_values(scope, one)))
            value = scope.resolve(expression)
            return (value,) if isinstance(value, str | int) else (UNKNOWN,)
    value = scope.resolve(expression)
    return (value,) if isinstance(value, str | int) else (UNKNOWN,)


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (UNKNOWN,)
