"""Money and times as people say them."""

from datetime import date

import pytest

from miniapp_mock.front import words
from miniapp_mock.front.journey import stage_of

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("amount", "said"), [(0, "¥0.00"), (5, "¥0.05"), (3000, "¥30.00"), (123456789, "¥1,234,567.89")]
)
def test_fen_are_said_in_yuan(amount: int, said: str) -> None:
    assert words.fen(amount) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-22T06:05:00Z", "今天 14:05"),
        ("2026-11-21T16:00:00Z", "今天 00:00"),
        ("2026-11-22T16:30:00+00:00", "明天 00:30"),
        ("2026-11-21T06:05:00Z", "昨天 14:05"),
        ("2026-11-25T06:05:00Z", "11月25日 周三 14:05"),
        ("2027-01-01T00:00:00Z", "2027年1月1日 周五 08:00"),
    ],
)
def test_a_moment_is_said_by_the_shanghai_clock(text: str, said: str) -> None:
    assert words.when(text, TODAY) == said


def test_a_deadline_at_midnight_belongs_to_the_day_it_ends() -> None:
    assert words.deadline("2026-11-22T16:00:00Z", TODAY) == "今天 24:00"
    assert words.deadline("2026-11-22T15:00:00Z", TODAY) == "今天 23:00"


def test_a_slot_that_ends_at_midnight_ends_at_24() -> None:
    said = words.period("2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z", TODAY)

    assert said.replace(words.GLUE, "") == "今天 23:00–24:00"


@pytest.mark.parametrize(("given", "said"), [("0.500", "0.5"), ("5", "5"), ("10", "10"), ("2.0", "2")])
def test_a_dose_has_no_empty_decimals(given: str, said: str) -> None:
    assert words.decimal(given) == said


@pytest.mark.parametrize(
    ("appointment", "encounter", "name"),
    [
        ("pending", "", "unpaid"),
        ("booked", "planned", "booked"),
        ("checked-in", "planned", "waiting"),
        ("fulfilled", "in-progress", "talking"),
        ("fulfilled", "on-hold", "talking"),
        ("fulfilled", "completed", "ended"),
        ("fulfilled", "discontinued", "referred"),
        ("fulfilled", "", "ended"),
        ("cancelled", "cancelled", "cancelled"),
        ("noshow", "planned", "missed"),
    ],
)
def test_every_state_of_a_visit_has_a_stage(appointment: str, encounter: str, name: str) -> None:
    assert stage_of({"state": appointment}, {"state": encounter} if encounter else None).name == name
