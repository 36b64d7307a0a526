"""The OpenAPI 3.1 document of a table of endpoints; schemas come from the structs themselves."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from foundation.web.endpoint import Endpoint
from foundation.web.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{name}"


def openapi(title: str, version: str, endpoints: Iterable[Endpoint[Any]], prefix: str = "") -> dict[str, Any]:
    """The whole document, ready to be sent as JSON."""
    table = list(endpoints)
    types = [
        kind for line in table for kind in (line.body, line.reply, line.query) if kind not in (None, bytes)
    ]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    by_type = dict(zip([id(kind) for kind in types], schemas[:-1], strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for line in table:
        paths.setdefault(prefix + line.path, {})[line.method.lower()] = _operation(line, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(line: Endpoint[Any], by_type: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    problem = {
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
        "description": "problem",
    }
    content = (
        {"application/json": {"schema": by_type[id(line.reply)]}} if line.reply not in (None, bytes) else {}
    )
    operation: dict[str, Any] = {
        "operationId": line.name,
        "summary": line.summary,
        "tags": [line.family.value],
        "parameters": _path_parameters(line.path) + _query_parameters(line, by_type, components),
        "responses": {str(line.status): {"description": "ok", "content": content}, "default": problem},
    }
    if line.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_type[id(line.body)]}},
        }
    if line.roles:
        operation["security"] = [{"session": sorted(line.roles)}]
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)(?::\w+)?}", path)
    ]


def _query_parameters(
    line: Endpoint[Any], by_type: dict[int, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    if line.query is None:
        return []
    schema = components[by_type[id(line.query)]["$ref"].rsplit("/", 1)[1]]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]
