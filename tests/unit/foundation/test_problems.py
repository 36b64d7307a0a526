import inspect

import msgspec
import pytest

from foundation import errors
from foundation.errors import AppError, Invalid, Issue, TooMany, invalid
from foundation.web.problems import Problem, as_problem, problem_response

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AppError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_one_body_with_a_code_and_chinese_words(kind: type[AppError]) -> None:
    problem = msgspec.json.decode(bytes(problem_response(kind()).body), type=Problem)

    assert problem.status == kind.status
    assert problem.code == kind.code
    assert any("\u4e00" <= char <= "\u9fff" for char in problem.detail)


def test_the_tree_of_errors_is_drawn_where_it_is_declared() -> None:
    drawn = errors.__doc__ or ""

    assert [
        kind.__name__ for kind in KINDS if f"{kind.__name__} " not in drawn and kind.__name__ not in drawn
    ] == []


def test_a_problem_names_its_fields() -> None:
    problem = as_problem(Invalid(issues=[Issue("items.0.days", "too_large", "不能大于 5")]))

    assert msgspec.json.decode(msgspec.json.encode(problem))["issues"] == [
        {"field": "items.0.days", "code": "too_large", "message": "不能大于 5"}
    ]


def test_a_single_field_is_refused_in_one_word() -> None:
    refused = invalid("code", "code_refused", "授权码不正确")

    assert (refused.detail, refused.issues) == (
        "授权码不正确",
        (Issue("code", "code_refused", "授权码不正确"),),
    )


def test_who_comes_too_often_hears_when_to_come_again() -> None:
    response = problem_response(TooMany(retry_after=900))

    assert (response.status_code, response.headers["retry-after"]) == (429, "900")
    assert response.headers["cache-control"] == "no-store"
