import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from backend.app import ENDPOINTS, PREFIX, VERSION
from backend.chat.rules import FILE_LIMIT
from backend.edge import EVERYBODY, Family
from foundation.web.openapi import openapi
from foundation.web.parsing import MAX_BODY

DOCUMENT = openapi("互联网医院", VERSION, ENDPOINTS, PREFIX)
FIVE = ("个人就医", "患者管理", "第三方协作", "线上诊疗", "医疗协同")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    ]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(part) for part in value.values()))
    return set().union(*(references(part) for part in value)) if isinstance(value, list) else set()


def test_every_endpoint_is_in_the_document_once() -> None:
    declared = {(PREFIX + line.path, line.method.lower()) for line in ENDPOINTS}

    assert {(path, method) for path, method, _ in operations()} == declared
    assert len(declared) == len(ENDPOINTS) > 50


def test_every_endpoint_belongs_to_one_of_the_five_service_families() -> None:
    """Seeds 003, 3.1.1: the platform offers five families of services, nothing stands beside them."""
    assert tuple(Family) == FIVE
    assert [line.path for line in ENDPOINTS if line.family not in FIVE] == []
    assert {operation["tags"][0] for _, _, operation in operations()} == set(FIVE)


def test_operation_ids_are_unique_and_summaries_are_there() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in operations())


def test_every_reference_leads_to_a_schema() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

    assert references(DOCUMENT) <= known


def test_every_parameter_of_a_path_is_described() -> None:
    for path, _, operation in operations():
        described = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path)), path


def test_every_operation_says_how_it_refuses() -> None:
    for path, _, operation in operations():
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}, path


def test_roles_are_words_that_exist() -> None:
    assert {role for line in ENDPOINTS for role in line.roles} <= set(EVERYBODY)


def test_what_needs_no_login_is_a_short_list() -> None:
    assert {line.path for line in ENDPOINTS if not line.roles} == {
        "/login/wechat", "/login/staff", "/hospital", "/documents", "/documents/{kind}", "/prices", "/departments",
        "/doctors", "/slots", "/prices/versions", "/prices/versions/{version}", "/refund-rules", "/fairness",
        "/verifier",
    }  # fmt: skip


def test_no_body_may_be_larger_than_a_megabyte() -> None:
    assert max(line.limit for line in ENDPOINTS if line.body is not None) <= MAX_BODY


def test_a_file_may_be_no_larger_than_one_of_a_conversation() -> None:
    assert max(line.limit for line in ENDPOINTS) <= FILE_LIMIT


@pytest.mark.parametrize(
    "line", [line for line in ENDPOINTS if line.body is not None], ids=lambda line: line.name
)
def test_a_body_refuses_what_it_does_not_know(line: Any) -> None:
    assert line.body.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize(
    "line", [line for line in ENDPOINTS if line.query is not None], ids=lambda line: line.name
)
def test_a_query_refuses_what_it_does_not_know(line: Any) -> None:
    assert line.query.__struct_config__.forbid_unknown_fields


def test_the_document_is_valid_openapi_and_every_operation_can_be_called_from_it() -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)

    schema.validate()
    assert [type(found).__name__ for found in schema.get_all_operations()] == ["Ok"] * len(ENDPOINTS)
    jsonschema_rs.meta.validate(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **DOCUMENT["components"]}
    )
