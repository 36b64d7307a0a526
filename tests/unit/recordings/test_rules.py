from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.video import rules
from foundation.clock import local

RECORDED = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def codes(today: date, *, held: bool = False, ended: bool = True) -> list[str]:
    return [issue.code for issue in rules.deletion_issues(RECORDED, today, held=held, ended=ended)]


def test_a_recording_is_kept_for_three_years() -> None:
    """互联网诊疗监管细则(试行) 2022: process data, three years at least."""
    assert codes(date(2029, 11, 20)) == ["retention_not_over"]
    assert codes(date(2029, 11, 21)) == []


def test_the_day_counts_in_shanghai() -> None:
    late_evening_utc = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)

    assert rules.last_kept_day(late_evening_utc) == date(2029, 11, 21)


def test_a_recording_of_a_leap_day_has_a_last_day() -> None:
    assert rules.last_kept_day(datetime(2028, 2, 29, 4, tzinfo=UTC)) == date(2031, 2, 28)


def test_a_hold_keeps_it_however_old_it_is() -> None:
    assert codes(date(2050, 1, 1), held=True) == ["legal_hold"]


def test_every_reason_is_named() -> None:
    assert codes(date(2026, 11, 21), held=True, ended=False) == [
        "still_recording", "retention_not_over", "legal_hold",
    ]  # fmt: skip


@given(moments, st.integers(0, 4000))
def test_no_recording_is_deleted_before_three_years_have_passed(recorded: datetime, days: int) -> None:
    today = local(recorded).date() + timedelta(days=days)

    if not rules.deletion_issues(recorded, today, held=False, ended=True):
        assert days >= 3 * 365
    else:
        assert days <= 3 * 365 + 1


def test_a_reason_has_words() -> None:
    assert [issue.code for issue in rules.reason_issues("  看 ")] == ["too_short"]
    assert rules.reason_issues("投诉处理需要") == []
