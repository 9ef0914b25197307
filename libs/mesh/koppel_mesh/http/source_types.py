"""What the names in a function's text stand for: enough of types to follow calls, and no more.

Arguments have the type of their annotation, locals that of what they are assigned. What cannot be told is None.
"""

import ast
import builtins
import inspect
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

SHARED = ("koppel_mesh", "koppel_connector", "koppel_bookkeeping")
"""Our libraries that know HTTP, or are known by those that do."""
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Instance:
    """Some value of a class."""

    of: type


class Scope:
    """The names that a function sees."""

    def __init__(self, function: Callable[..., Any], node: FunctionNode) -> None:
        self.function = function
        self.arguments = {each.arg for each in _all_arguments(node)}
        self._node = node
        self._locals: dict[str, Any] = {}
        annotations = inspect.get_annotations(function)
        for name in self.arguments:
            self._locals[name] = _instance_of(annotations.get(name), function.__globals__)
        if node.args.args and node.args.args[0].arg in ("self", "cls") and (owner := _owner_of(function)) is not None:
            self._locals[node.args.args[0].arg] = Instance(owner)
        for _ in range(2):  # what is assigned from what is assigned later in the text, as in a loop
            self._take_locals()

    @cached_property
    def assigned(self) -> dict[str, list[ast.expr]]:
        """Every expression that is assigned to a local, by its name."""
        found: dict[str, list[ast.expr]] = {}
        for each in ast.walk(self._node):
            if isinstance(each, ast.Assign):
                for target in each.targets:
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(each.value)
        return found

    def resolve(self, expression: ast.expr) -> Any:
        """Return what an expression is: an object, an ``Instance``, or None where it cannot be told."""
        match expression:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=value, attr=attr):
                return _attribute(self.resolve(value), attr)
            case ast.Call(func=func):
                return _result_of(self.resolve(func))
            case ast.Await(value=value):
                return self.resolve(value)
        return None

    def _named(self, name: str) -> Any:
        if name in self._locals:
            return self._locals[name]
        code = self.function.__code__
        if name in code.co_freevars and self.function.__closure__:
            try:
                return self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:
                return None
        return self.function.__globals__.get(name, getattr(builtins, name, None))

    def _take_locals(self) -> None:
        for each in ast.walk(self._node):
            match each:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.NamedExpr(target=ast.Name(id=name), value=value)
                ):
                    self._locals[name] = self.resolve(value)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    self._locals[name] = _as_instance(self.resolve(annotation))
                case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                    self._locals[name] = self.resolve(value)


def function_of(value: Any) -> Callable[..., Any] | None:
    """Return the function of ours that a value is, or is made of: behind decorators, of a method, of a property."""
    if isinstance(value, property):
        value = value.fget
    value = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else None
    return value if isinstance(value, types.FunctionType) and is_ours(value.__module__) else None


def functions_of(value: Any) -> list[Callable[..., Any]]:
    """Return the functions of ours that a value is, or holds: those of a table of functions too."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else (value,)
    return [found for each in held if (found := function_of(each)) is not None]


def called(callee: Any) -> Callable[..., Any] | None:
    """Return the function of ours that runs when ``callee`` is called."""
    if inspect.isclass(callee):
        return function_of(callee.__init__)
    if isinstance(callee, Instance):
        return function_of(vars(callee.of).get("__call__"))
    return function_of(callee)


def bound_arguments(callee: Any, call: ast.Call) -> dict[str, ast.expr]:
    """Return the expressions of a call by the names of the arguments, defaults that are literals included."""
    target = getattr(callee, "__func__", callee)
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [each.name for each in parameters if each.name not in ("self", "cls")]
    found: dict[str, ast.expr] = {
        each.name: ast.Constant(each.default) for each in parameters if isinstance(each.default, str | int)
    }
    found |= dict(zip(names, call.args, strict=False))
    found |= {each.arg: each.value for each in call.keywords if each.arg is not None}
    return found


def node_of(function: Callable[..., Any]) -> FunctionNode | None:
    """Return the text of a function, parsed."""
    return _functions_in(function.__module__).get(function.__code__.co_firstlineno)


def is_ours(module: str) -> bool:
    """Return whether a module belongs to a service or to a library that knows HTTP."""
    top = module.partition(".")[0]
    return top in SHARED or top in _packages_of_services()


@cache
def _packages_of_services() -> frozenset[str]:
    from importlib.metadata import entry_points

    return frozenset(entry.module.partition(".")[0] for entry in entry_points(group="koppel.services"))


@cache
def _functions_in(module: str) -> dict[int, FunctionNode]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)]): each
        for each in ast.walk(tree)
        if isinstance(each, FunctionNode)
    }


def _all_arguments(node: FunctionNode) -> list[ast.arg]:
    given = node.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _owner_of(function: Callable[..., Any]) -> type | None:
    found: Any = sys.modules[function.__module__]
    for name in function.__qualname__.split(".")[:-1]:
        found = getattr(found, name, None)
    return found if inspect.isclass(found) else None


def _attribute(base: Any, name: str) -> Any:
    if base is None:
        return None
    if isinstance(base, types.ModuleType) or inspect.isclass(base):
        return getattr(base, name, None)
    owner = base.of if isinstance(base, Instance) else type(base)
    if (found := inspect.getattr_static(owner, name, None)) is not None:
        if isinstance(found, cached_property):
            found = property(found.func)
        return _result_of(found.fget) if isinstance(found, property) else getattr(owner, name, None)
    for each in owner.__mro__:
        if (annotation := inspect.get_annotations(each).get(name)) is not None:
            return _instance_of(annotation, vars(sys.modules[each.__module__]))
    return None


def _result_of(callee: Any) -> Any:
    if inspect.isclass(callee):
        return Instance(callee)
    function = inspect.unwrap(getattr(callee, "__func__", callee)) if callable(callee) else None
    if not isinstance(function, types.FunctionType):
        return None
    return _instance_of(function.__annotations__.get("return"), function.__globals__)


def _instance_of(annotation: Any, names: dict[str, Any]) -> Any:
    """Return some value of an annotation; of several types, of the first that is a class of ours."""
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, dict(names))  # noqa: S307 - an annotation of our own code
        except (NameError, AttributeError, TypeError):
            return None
    return _as_instance(annotation)


def _as_instance(annotation: Any) -> Any:
    if isinstance(annotation, Instance):
        return annotation
    if inspect.isclass(annotation) and typing.get_origin(annotation) is None:
        return Instance(annotation)
    for each in typing.get_args(annotation):
        if (found := _as_instance(each)) is not None and is_ours(found.of.__module__):
            return found
    return None
