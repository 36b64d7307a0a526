from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.pricing.rules import (
    NEEDED,
    Price,
    day_issues,
    difference,
    digest,
    list_issues,
    next_version,
    price_issues,
)

TODAY = date(2026, 11, 20)
CODES = st.sampled_from([*NEEDED, "visit.consultation", "delivery.station"])
PRICES = st.builds(
    Price, CODES, st.sampled_from(["甲", "乙"]), st.integers(0, 99_999), st.sampled_from(["", "依据"])
)
LISTS = st.lists(PRICES, max_size=5, unique_by=lambda one: one.code)


@given(LISTS, LISTS)
def test_a_difference_names_every_code_once_and_applied_gives_the_new_list(
    before: list[Price], after: list[Price]
) -> None:
    changes = difference(before, after)

    assert len({change.code for change in changes}) == len(changes)
    assert {change.after for change in changes if change.after} == set(after)
    assert {change.before for change in changes if change.before} == set(before)
    assert {change.code for change in changes if change.kind == "same"} == {
        one.code for one in before if one in after
    }


@given(LISTS)
def test_a_list_compared_with_itself_changes_nothing(prices: list[Price]) -> None:
    assert {change.kind for change in difference(prices, prices)} <= {"same"}


@given(LISTS, st.randoms(use_true_random=False))
def test_the_digest_sees_every_change_and_no_order(prices: list[Price], random: object) -> None:
    shuffled = sorted(prices, key=lambda one: one.name + one.code, reverse=True)

    assert digest("2026.2", prices) == digest("2026.2", shuffled)
    assert digest("2026.3", prices) != digest("2026.2", prices)
    for place, one in enumerate(prices):
        dearer = [*prices[:place], Price(one.code, one.name, one.amount + 1, one.basis), *prices[place + 1 :]]
        assert digest("2026.2", dearer) != digest("2026.2", prices)


def test_a_list_without_a_price_the_hospital_charges_cannot_begin() -> None:
    full = [Price(code, name, 100) for code, name in NEEDED.items()]

    assert list_issues(full) == []
    for place in range(len(full)):
        assert [issue.code for issue in list_issues(full[:place] + full[place + 1 :])] == [
            "needed_price_missing"
        ]


def test_a_list_begins_tomorrow_at_the_earliest_and_on_a_day_of_its_own() -> None:
    tomorrow = TODAY + timedelta(days=1)

    assert day_issues(tomorrow, TODAY, []) == []
    assert [one.code for one in day_issues(TODAY, TODAY, [])] == ["too_early"]
    assert [one.code for one in day_issues(tomorrow, TODAY, [tomorrow])] == ["taken"]
    assert [one.code for one in day_issues(TODAY + timedelta(days=400), TODAY, [])] == ["too_late"]


def test_a_slip_of_the_keyboard_is_no_price() -> None:
    assert price_issues(Price("a", "甲", 0)) == []
    assert [one.code for one in price_issues(Price("a", "甲", 100_000_00))] == ["out_of_range"]


def test_versions_count_up_within_a_year() -> None:
    assert next_version(2026, []) == "2026.1"
    assert next_version(2026, ["2026.9", "2026.10", "2025.44"]) == "2026.11"
    assert next_version(2027, ["2026.9"]) == "2027.1"
