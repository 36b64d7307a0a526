"""GB 11643-1999: seventeen digits and a check character (ISO 7064, MOD 11-2)."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.patient.rules import (
    GUARDIAN_PRESENT_BELOW,
    IdNumber,
    age_on,
    check_character,
    grant_issues,
    name_issues,
    parse_id_number,
)

TODAY = date(2026, 11, 20)
BIRTHS = st.dates(date(1900, 1, 1), TODAY)
DISTRICTS = st.integers(110000, 659999).map(str)
SEQUENCES = st.integers(0, 999).map("{:03d}".format)


def codes(text: str) -> set[str]:
    parsed, issues = parse_id_number(text, TODAY)
    assert (parsed is None) == bool(issues)
    return {issue.code for issue in issues}


def mod_11_2(first17: str) -> str:
    """The check character by the standard's own recursion, not by weights."""
    product = 10
    for digit in first17:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product + 1) % 10)


def weighted(number: str) -> int:
    """ISO 7064: the number read with X as ten and weights 2^17 … 2^0 leaves one when divided by eleven."""
    values = [10 if char == "X" else int(char) for char in number]
    return sum(value * pow(2, 17 - place, 11) for place, value in enumerate(values)) % 11


@given(DISTRICTS, BIRTHS, SEQUENCES)
def test_every_valid_number_is_read_with_birth_date_and_sex(district: str, born: date, sequence: str) -> None:
    first17 = f"{district}{born:%Y%m%d}{sequence}"
    number = first17 + check_character(first17)

    parsed, issues = parse_id_number(number, TODAY)

    assert issues == []
    assert parsed == IdNumber(number, born, "male" if int(sequence[2]) % 2 else "female")
    assert weighted(number) == 1


@given(DISTRICTS, BIRTHS, SEQUENCES, st.integers(0, 17), st.integers(1, 9))
def test_one_changed_digit_is_refused(
    district: str, born: date, sequence: str, place: int, change: int
) -> None:
    first17 = f"{district}{born:%Y%m%d}{sequence}"
    number = first17 + check_character(first17)
    old = 10 if number[place] == "X" else int(number[place])
    new = (old + change) % (11 if place == 17 else 10)
    assume(new != old)
    wrong = number[:place] + ("X" if new == 10 else str(new)) + number[place + 1 :]

    assert codes(wrong) & {"wrong_check_digit", "wrong_birth_date"}


@given(DISTRICTS, BIRTHS, SEQUENCES, st.integers(0, 15))
def test_two_neighbours_exchanged_are_refused(district: str, born: date, sequence: str, place: int) -> None:
    first17 = f"{district}{born:%Y%m%d}{sequence}"
    number = first17 + check_character(first17)
    assume(number[place] != number[place + 1])

    assert codes(number[:place] + number[place + 1] + number[place] + number[place + 2 :])


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_standards_own_examples_have_the_right_check_character(number: str) -> None:
    assert check_character(number[:17]) == number[17]


def test_small_x_and_spaces_around_are_forgiven() -> None:
    parsed, _ = parse_id_number(" 11010519491231002x ", TODAY)

    assert parsed is not None
    assert parsed.number == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"wrong_format"}),
        ("11010519491231002", {"wrong_format"}),
        ("1101051949123100200", {"wrong_format"}),
        ("1101051949123100A2", {"wrong_format"}),
        ("１１０１０５１９４９１２３１００２X", {"wrong_format"}),
        ("110105194912310029", {"wrong_check_digit"}),
        ("110105194902310020", {"wrong_birth_date"}),
        ("110105189912310020", {"wrong_birth_date", "wrong_check_digit"}),
        ("110105202612310020", {"wrong_birth_date", "wrong_check_digit"}),
        ("440524188001010014", {"wrong_birth_date"}),
    ],
)
def test_what_is_wrong_with_a_number_is_said(text: str, expected: set[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2020, 11, 21), TODAY, 5),
        (date(2020, 11, 20), TODAY, 6),
        (date(2020, 11, 19), TODAY, 6),
        (date(2020, 2, 29), date(2026, 2, 28), 5),
        (date(2020, 2, 29), date(2026, 3, 1), 6),
        (TODAY, TODAY, 0),
    ],
)
def test_an_age_is_completed_years(born: date, day: date, age: int) -> None:
    """诊疗办法 Art 19 speaks of children under six: the sixth birthday is the first day they are not."""
    assert age_on(born, day) == age
    assert (age < GUARDIAN_PRESENT_BELOW) == (age_on(born, day) < 6)


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 40_000))
def test_nobody_grows_younger(born: date, days: int) -> None:
    day = born + timedelta(days=days)

    assert age_on(born, day) <= age_on(born, day + timedelta(days=1)) <= age_on(born, day) + 1


@pytest.mark.parametrize("name", ["王明", "欧阳小明", "阿依古丽·买买提", "Anna Maria", "𠮷永"])
def test_a_name_of_an_id_card_is_taken(name: str) -> None:
    assert name_issues(name) == []


@pytest.mark.parametrize("name", ["", "王", "王" * 31, "王1明", "<b>王</b>", "王\n明", "王明!"])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert [issue.field for issue in name_issues(name)] == ["name"]


@pytest.mark.parametrize(
    ("kind", "born", "has_self", "expected"),
    [
        ("self", date(1958, 3, 15), False, []),
        ("self", date(1958, 3, 15), True, ["already_self"]),
        ("guardian", date(2020, 1, 1), True, []),
        ("guardian", date(2008, 11, 21), True, []),
        ("guardian", date(2008, 11, 20), True, ["not_a_minor"]),
        ("guardian", date(2020, 1, 1), False, ["self_first"]),
        ("guardian", date(1958, 3, 15), False, ["self_first", "not_a_minor"]),
        ("proxy", date(1958, 3, 15), True, ["not_allowed"]),
    ],
)
def test_who_may_be_registered_as_what(kind: str, born: date, has_self: bool, expected: list[str]) -> None:
    """practice.md 1: guardians are for minors; an adult's proxy needs her own code."""
    assert [issue.code for issue in grant_issues(kind, born, TODAY, has_self=has_self)] == expected
