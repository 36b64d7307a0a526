from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from standalone.people.id_numbers import IdNumbers, check_character


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.sampled_from(["1", "2"]), st.integers(0, 2**32))
def test_a_number_agrees_with_birth_date_and_sex(birth_date: date, sex: str, seed: int) -> None:
    number = IdNumbers(Random(seed)).new(birth_date, sex)

    assert number is not None
    assert len(number) == 18
    assert number[:6] == "310114"
    assert number[6:14] == f"{birth_date:%Y%m%d}"
    assert int(number[16]) % 2 == (1 if sex == "1" else 0)
    weighted = sum((2 ** (17 - place) % 11) * int(digit) for place, digit in enumerate(number[:17]))
    check = 10 if number[17] == "X" else int(number[17])
    assert (weighted + check) % 11 == 1


def test_known_check_characters_come_out() -> None:
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"


def test_no_number_is_given_twice_and_a_full_day_says_so() -> None:
    ids = IdNumbers(Random(1))

    numbers = [ids.new(date(1958, 3, 5), "2") for _ in range(49)]

    assert numbers[-1] is None
    assert len(set(numbers)) == 49
