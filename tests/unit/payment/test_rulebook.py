from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.payment.rulebook import (
    Cancellation,
    RefundReason,
    RuleBook,
    RuleError,
    book_on,
    books,
    in_order,
    read_book,
)
from backend.payment.rules import rule_for

TEXT = (files("backend.payment") / "data" / "refund_rules_2026.1.toml").read_text(encoding="utf-8")
START = datetime(2026, 11, 20, 2, tzinfo=UTC)
TIMES = Cancellation(cut_off_minutes=30, grace_minutes=15, doctor_late_minutes=15)
MINUTES = st.integers(-600, 600).map(lambda n: timedelta(minutes=n))


def test_what_ships_can_be_read_and_names_every_reason() -> None:
    """practice.md 17: each rule names trigger, share, deadline and approver."""
    for book in books():
        assert {rule.reason for rule in book.rule} == set(RefundReason)
        assert all(rule.trigger and rule.settle_within_hours for rule in book.rule)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('reason = "no_show"', 'reason = "declined"', "no rule for no_show"),
        ('reason = "no_show"', 'reason = "never_came"', "cannot be read"),
        ('id = "A03"', 'id = "A02"', "id twice: A02"),
        ("percent = 50", "percent = 101", "cannot be read"),
        ("percent = 50", "percent = 50.5", "cannot be read"),
        ("percent = 50", "percent = 50\nshare = 1", "cannot be read"),
        ('approver = "clerk"\napprove_within_hours = 24', 'approver = "clerk"', "needs both"),
        (
            "percent = 0\n",
            'percent = 0\napprover = "clerk"\napprove_within_hours = 1\n',
            "approval of nothing",
        ),
        ('words = "药品缺货"', 'words = "因诊断变更缺货"', "names a diagnosis"),
        ("cut_off_minutes = 30", "cut_off_minutes = -1", "cannot be read"),
        ("effective_from = 2026-01-01", 'effective_from = "soon"', "cannot be read"),
        ("[cancellation]", "[cancellation", "cannot be read"),
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name(old: str, new: str, says: str) -> None:
    assert old in TEXT

    with pytest.raises(RuleError, match=says):
        read_book(TEXT.replace(old, new, 1))


def later(book: RuleBook, version: str, day: date, **percent: int) -> RuleBook:
    rules = [
        msgspec.structs.replace(rule, percent=percent.get(rule.reason.value, rule.percent))
        for rule in book.rule
    ]
    return msgspec.structs.replace(book, version=version, effective_from=day, rule=rules)


def test_the_day_decides_which_version_judges() -> None:
    first = books()[0]
    second = later(first, "2026.2", date(2026, 12, 1), patient_cancelled_late=0)
    known = in_order([second, first])

    assert [book.version for book in known] == ["2026.1", "2026.2"]
    assert book_on(date(2026, 11, 30), known).of(RefundReason.PATIENT_CANCELLED_LATE).percent == 50
    assert book_on(date(2026, 12, 1), known).of(RefundReason.PATIENT_CANCELLED_LATE).percent == 0
    assert book_on(date(2020, 1, 1), known).version == "2026.1"


def test_versions_that_contradict_one_another_are_refused() -> None:
    first = books()[0]
    with pytest.raises(RuleError, match="version twice"):
        in_order([first, later(first, first.version, date(2027, 1, 1))])
    with pytest.raises(RuleError, match="day twice"):
        in_order([first, later(first, "2026.2", first.effective_from)])
    swapped = later(first, "2026.2", date(2027, 1, 1))
    rules = [
        msgspec.structs.replace(one, id=other.id)
        for one, other in zip(swapped.rule, swapped.rule[::-1], strict=True)
    ]
    with pytest.raises(RuleError, match="had another reason"):
        in_order([first, msgspec.structs.replace(swapped, rule=rules)])
    with pytest.raises(RuleError, match="no refund rules"):
        in_order([])


@given(st.sampled_from(RefundReason), st.integers(0, 10**9), st.integers(0, 100))
def test_a_share_is_rounded_in_the_patients_favour_and_never_more_than_all(
    reason: RefundReason, amount: int, percent: int
) -> None:
    rule = msgspec.structs.replace(rule_for(reason, date(2026, 11, 20))[0], percent=percent)

    share = rule.share(amount)

    assert amount * percent <= share * 100 < amount * percent + 100
    assert share <= amount


@pytest.mark.parametrize(
    ("before", "paid", "waiting", "expected"),
    [
        (31, 600, None, RefundReason.PATIENT_CANCELLED),
        (30, 600, None, RefundReason.PATIENT_CANCELLED),
        (29, 600, None, RefundReason.PATIENT_CANCELLED_LATE),
        (29, 40, None, RefundReason.PATIENT_CANCELLED),
        (20, 40, 25, RefundReason.PATIENT_CANCELLED_LATE),
        (-14, 600, 10, RefundReason.PATIENT_CANCELLED_LATE),
        (-15, 600, 10, RefundReason.DOCTOR_LATE),
        (-20, 600, -10, RefundReason.PATIENT_CANCELLED_LATE),
        (-25, 600, -10, RefundReason.DOCTOR_LATE),
    ],
    ids=str,
)
def test_which_case_a_cancellation_is(
    before: int, paid: int, waiting: int | None, expected: RefundReason
) -> None:
    """Minutes before the start: of the cancellation, of paying, of the check-in."""

    def at(minutes: int) -> datetime:
        return START - timedelta(minutes=minutes)

    found = TIMES.reason(
        now=at(before),
        starts_at=START,
        paid_at=at(paid),
        waiting_since=None if waiting is None else at(waiting),
    )

    assert found is expected


@given(MINUTES, MINUTES, st.none() | MINUTES)
def test_waiting_longer_never_makes_a_doctor_less_late(
    now: timedelta, paid: timedelta, waiting: timedelta | None
) -> None:
    moment, since = START + now, None if waiting is None else START + waiting
    late = TIMES.doctor_is_late(now=moment, starts_at=START, waiting_since=since)

    assert not late or TIMES.doctor_is_late(
        now=moment + timedelta(hours=1), starts_at=START, waiting_since=since
    )
    assert not (late and since is None)
    assert TIMES.free_until(starts_at=START, paid_at=START + paid) >= START - timedelta(minutes=30)
