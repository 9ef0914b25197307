"""The schemas of the document as ``TypedDict``s: by datamodel-code-generator, with names that are ours to know."""

import json
import re
from collections.abc import Mapping
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import Formatter, PythonVersion
from datamodel_code_generator.parser import LiteralType

SCHEMAS = "#/components/schemas/"


def models_text(document: Mapping[str, Any]) -> str:
    """Return the module of models."""
    text = generate(
        json.dumps(document),
        input_filename="openapi.json",
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.TypingTypedDict,
        target_python_version=PythonVersion.PY_311,
        enum_field_as_literal=LiteralType.All,
        use_standard_collections=True,
        use_union_operator=True,
        disable_timestamp=True,
        use_schema_description=True,
        formatters=[Formatter.RUFF_FORMAT],
    )
    assert isinstance(text, str)
    return text


def prepared(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document as the models are made of it.

    Names are those of classes. Amounts are text: what a service takes as a number too has one type here. What a service
    refuses beyond its schema is no part of a type.

    Raises:
        ValueError: two schemas would have one name.
    """
    names = {name: class_name(name) for name in document["components"]["schemas"]}
    if len(set(names.values())) < len(names):
        raise ValueError("two schemas have one name")
    prepared: dict[str, Any] = _simplified(document, names)
    prepared["components"]["schemas"] = {
        names[name]: {**schema, "title": names[name]} for name, schema in prepared["components"]["schemas"].items()
    }
    return prepared


def class_name(name: str) -> str:
    """Return the name of a schema as that of a class: ``Page_Document_`` is ``PageDocument``.

    Where a service has two of one name FastAPI puts the modules in front: the last of them is kept.
    """
    known = "_".join(name.strip("_").split("__")[-2:])
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", known))


def _simplified(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_simplified(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    simple = {
        key: SCHEMAS + names[each.removeprefix(SCHEMAS)] if key == "$ref" else _simplified(each, names)
        for key, each in value.items()
        if key not in ("example", "examples") and not (key == "additionalProperties" and each is False)
    }
    alternatives: Any = simple.get("anyOf", ())
    if {"string", "number"} <= {each.get("type") for each in alternatives}:
        simple["anyOf"] = [each for each in alternatives if each.get("type") != "number"]
    return simple
