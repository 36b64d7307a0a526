"""What a report must say."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.adverse_event.rules import (
    DAMAGE,
    URGENT,
    Told,
    Whom,
    judged_issues,
    moment_of,
    told_issues,
    whom_issues,
)
from regulator_adapter.codesets import SEVERITY
from simulators.supervision.alerts.prescriptions import is_severe

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GOOD = {
    "happened_at": "2026-11-23T09:30", "description": "服药后皮疹", "cause": "药品过敏，待查", "measures": "停药观察",
    "damage": "mild", "improvements": "加强过敏史询问",
}  # fmt: skip


def issues(**changes: str) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in told_issues(Told(**GOOD | changes), NOW)]


def test_a_whole_account_has_no_issues() -> None:
    assert issues() == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    empty = dict.fromkeys(GOOD, "")

    assert [field for field, _ in issues(**empty)] == [
        "happened_at", "damage", "description", "cause", "measures", "improvements",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"happened_at": "2026-11-23T10:10"}, ("happened_at", "in_the_future")),
        ({"happened_at": "0202-11-23T10:10"}, ("happened_at", "wrong_format")),
        ({"happened_at": "0001-01-01T00:00"}, ("happened_at", "wrong_format")),
        ({"happened_at": "昨天"}, ("happened_at", "wrong_format")),
        ({"damage": "重度"}, ("damage", "not_allowed")),
        ({"cause": "   不明   "}, ("cause", "too_short")),
        ({"description": "长" * 451}, ("description", "too_long")),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, str], issue: tuple[str, str]) -> None:
    assert issues(**changes) == [issue]


def test_a_time_without_a_zone_is_on_a_clock_in_shanghai() -> None:
    assert moment_of("2026-11-23T00:05") == datetime(2026, 11, 22, 16, 5, tzinfo=UTC)
    assert moment_of("2026-11-23T00:05+00:00") == datetime(2026, 11, 23, 0, 5, tzinfo=UTC)


def test_the_minute_that_runs_is_not_the_future() -> None:
    moment = moment_of(GOOD["happened_at"])
    assert moment is not None

    assert told_issues(Told(**GOOD), moment - timedelta(seconds=59)) == []


@pytest.mark.parametrize(
    ("whom", "fields"),
    [
        (Whom("", "", ""), ["patient_name", "patient_phone"]),
        (Whom("", "林秀兰", "199"), ["patient_phone"]),
        (Whom("", "林秀兰", "021-59920000"), []),
        (Whom("任何编号", "", ""), []),
    ],
)
def test_without_a_visit_somebody_is_named(whom: Whom, fields: list[str]) -> None:
    assert [one.field for one in whom_issues(whom)] == fields


def test_a_classification_needs_kind_grade_and_a_note() -> None:
    assert [one.field for one in judged_issues("", "5", "")] == ["kind", "grade", "note"]


@pytest.mark.parametrize("code", DAMAGE)
def test_the_words_of_harm_mean_the_same_to_the_platforms(code: str) -> None:
    word = DAMAGE[code]

    assert is_severe("", word) == is_severe(SEVERITY.get(word, ""), word) == (code in URGENT)
    assert (word in SEVERITY) == (code != "none")
