from datetime import UTC, datetime, timedelta

import pytest

from backend.desk.rendering import mask_address, sex, span, when, yuan


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "0 分钟"),
        (timedelta(minutes=12, seconds=50), "12 分钟"),
        (timedelta(hours=1, minutes=5), "1 小时 5 分"),
        (timedelta(days=2, hours=3, minutes=4), "2 天 3 小时"),
        (timedelta(seconds=-5), "0 分钟"),
    ],
)
def test_how_long_is_said_as_a_person_says_it(length: timedelta, words: str) -> None:
    assert span(length) == words


@pytest.mark.parametrize(
    ("fen", "words"),
    [(0, "¥0.00"), (5, "¥0.05"), (1860, "¥18.60"), (123456789, "¥1,234,567.89"), (-50, "-¥0.50")],
)
def test_money_is_shown_in_yuan(fen: int, words: str) -> None:
    assert yuan(fen) == words


def test_times_are_those_of_shanghai() -> None:
    assert when(datetime(2026, 11, 21, 16, 30, tzinfo=UTC)) == "11-22 00:30"
    assert when(None) == "—"


def test_house_and_room_are_hidden() -> None:
    assert mask_address("上海市嘉定区示范路 1 号 101 室") == "上海市嘉定区示范路****"
    assert mask_address("示范路 1 号") == "****"
    assert mask_address("") == ""


def test_an_unknown_sex_is_not_guessed() -> None:
    assert (sex("male"), sex("female"), sex("")) == ("男", "女", "未说明")
