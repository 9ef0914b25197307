"""The generated files, and where they are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from koppel_mesh.http.docs_page import installed_document
from koppel_mesh.service import installed_services

from .calls import Call, calls_of
from .models import models_text, prepared

FOLDER = Path(__file__).parents[2] / "libs" / "client" / "koppel_client" / "generated"
HEADER = "# Generated from the joined OpenAPI document by `make client`.\n"
CONNECTOR = "connector"
_IMPORTS = """\
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models
"""


def generated() -> dict[str, str]:
    """Return every generated file, by its name."""
    document = prepared(installed_document())
    services = installed_services()
    calls = {name: tuple(calls_of(name, document)) for name in services}
    connectors = [name for name, service in services.items() if service.kind == "connector"]
    common = _common([calls[name] for name in connectors])
    texts = {"models.py": models_text(document), "connector.py": _module(_connector(common))}
    for name, own in calls.items():
        if name in connectors:
            rest = [each for each in own if each not in common]
            text = f"{_head(name, 'Connector')}{_methods(rest)}"
            imports = (
                f"{_IMPORTS}\nfrom .connector import Connector\n" if rest else "from .connector import Connector\n"
            )
            texts[f"{_module_name(name)}.py"] = f"{imports}\n\n{text}"
        else:
            texts[f"{_module_name(name)}.py"] = _module(_head(name, None) + _init(f"/{name}") + _methods(own))
    texts["__init__.py"] = '"""The calls and models that the OpenAPI document describes."""\n'
    texts["services.py"] = _services(list(services), connectors)
    return {name: _formatted(HEADER + text) for name, text in texts.items()}


def write() -> None:
    """Write every file, and remove those that are not generated any more."""
    texts = generated()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.py"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, "utf-8")


def _common(of_connectors: list[tuple[Call, ...]]) -> list[Call]:
    """Return what every connector answers in the same way."""
    first, *others = of_connectors
    return [each for each in first if all(each in other for other in others)]


def _connector(common: list[Call]) -> str:
    about = '"""What every connector answers."""'
    init = (
        "    def __init__(self, koppel: Caller, name: str) -> None:\n"
        '        self._koppel, self._base = koppel, f"/{name}"\n\n'
    )
    return f"class Connector:\n    {about}\n\n{init}{_methods(common)}"


def _head(service: str, base: str | None) -> str:
    return f'class {_class_name(service)}{f"({base})" if base else ""}:\n    """The calls of {service}."""\n\n'


def _init(base: str) -> str:
    return f'    def __init__(self, koppel: Caller) -> None:\n        self._koppel, self._base = koppel, "{base}"\n\n'


def _methods(calls: Any) -> str:
    return "".join(each.text() for each in calls)


def _module(text: str) -> str:
    return f"{_IMPORTS}\n\n{text}"


def _services(services: list[str], connectors: list[str]) -> str:
    lines = [
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING, cast",
        "",
        "if TYPE_CHECKING:",
    ]
    lines += ["    from koppel_client.caller import Caller", "", "    from .connector import Connector"]
    lines += [f"    from .{_module_name(name)} import {_class_name(name)}" for name in services]
    lines += ["", "", "class Services:", '    """The services; each is imported when it is first used."""', ""]
    for name in services:
        made = f'cast("Caller", self), "{name}"' if name in connectors else 'cast("Caller", self)'
        lines += [
            "    @property",
            f"    def {_module_name(name)}(self) -> {_class_name(name)}:",
            f'        """Return the calls of {name}."""',
            f"        from .{_module_name(name)} import {_class_name(name)}",
            "",
            f"        return {_class_name(name)}({made})",
            "",
        ]
    lines += [
        "    def connector(self, name: str) -> Connector:",
        '        """Return what every connector answers, of the one of that name."""',
        "        from .connector import Connector",
        "",
        '        return Connector(cast("Caller", self), name)',
    ]
    return "\n".join(lines) + "\n"


def _module_name(service: str) -> str:
    return service.replace("-", "_")


def _class_name(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))


def _formatted(text: str) -> str:
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    options = ["--isolated", "--line-length", "120", "--target-version", "py311"]
    fix = [*ruff, "check", *options, "--select", "F401,I", "--fix-only", "--quiet", "-"]
    tidy = subprocess.run(fix, input=text, capture_output=True, text=True, check=True).stdout
    return subprocess.run(
        [*ruff, "format", *options, "-"], input=tidy, capture_output=True, text=True, check=True
    ).stdout
