"""The calculator against figures computed by hand and by others."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dosage.rules import Asked, cockcroft_gault, compute, egfr_2021, issues, stage_of

AGES = st.integers(18, 100)
CREATININE = st.floats(20, 1500)


def test_clearance_of_the_textbook_man() -> None:
    """(140 − 40) × 72 / (72 × 1.0) = 100, and 85 for a woman."""
    assert cockcroft_gault(40, "male", 72, 88.4) == pytest.approx(100)
    assert cockcroft_gault(40, "female", 72, 88.4) == pytest.approx(85)


@pytest.mark.parametrize(
    ("age", "sex", "mg_dl", "expected"),
    [(50, "male", 1.0, 92), (50, "female", 1.0, 69), (70, "male", 2.0, 35), (30, "female", 0.6, 124)],
)
def test_filtration_as_published_calculators_have_it(age: int, sex: str, mg_dl: float, expected: int) -> None:
    """CKD-EPI 2021, rounded as they show it."""
    assert round(egfr_2021(age, sex, mg_dl * 88.4)) == expected


@given(AGES, st.sampled_from(["male", "female"]), CREATININE, CREATININE)
def test_more_creatinine_is_never_a_better_kidney(age: int, sex: str, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert egfr_2021(age, sex, low) >= egfr_2021(age, sex, high)
    assert cockcroft_gault(age, sex, 60, low) >= cockcroft_gault(age, sex, 60, high)


@pytest.mark.parametrize(
    ("rate", "stage"), [(90, "G1"), (89.9, "G2"), (59.9, "G3a"), (44.9, "G3b"), (29.9, "G4"), (14.9, "G5")]
)
def test_stages_begin_where_kdigo_says(rate: float, stage: str) -> None:
    assert stage_of(rate) == stage


def test_a_childs_kidney_is_not_computed_like_a_grown_ups() -> None:
    got = compute(Asked(10, "male", weight=Decimal(30), creatinine=Decimal(50)))

    assert (got.egfr, got.clearance) == ("", "")
    assert "不适用" in got.notes[0]


def test_a_dose_by_weight_each_time_and_a_day() -> None:
    each = compute(Asked(6, "male", weight=Decimal(20), per_kg=Decimal(10), times=3))
    daily = compute(Asked(6, "male", weight=Decimal(20), per_kg=Decimal(30), per_day=True, times=3))

    assert (each.single, each.daily) == ("200", "600")
    assert (daily.single, daily.daily) == ("200", "600")


@given(
    st.decimals("1", "300", places=1), st.decimals("0.001", "1000", places=3), st.decimals("0.1", "5000", places=1),
    st.integers(1, 6), st.booleans(),
)  # fmt: skip
def test_a_single_dose_never_exceeds_its_maximum(
    weight: Decimal, per_kg: Decimal, most: Decimal, times: int, per_day: bool
) -> None:
    got = compute(Asked(40, "female", weight=weight, per_kg=per_kg, most=most, times=times, per_day=per_day))

    assert Decimal(got.single) <= most
    assert Decimal(got.daily) <= most * times


def test_units_of_a_strength_are_said_to_be_a_figure_to_round() -> None:
    got = compute(Asked(6, "male", weight=Decimal(20), per_kg=Decimal(10), strength=Decimal(250)))

    assert got.units == "0.8"
    assert any("取整" in one for one in got.notes)


def test_figures_that_no_person_has_are_all_named() -> None:
    found = issues(Asked(40, "male", weight=Decimal("0.5"), height=Decimal(400), creatinine=Decimal(5)))

    assert [one.field for one in found] == ["weight", "height", "creatinine"]


def test_without_figures_nothing_is_computed() -> None:
    got = compute(Asked(40, "male"))

    assert (got.clearance, got.egfr, got.surface, got.single) == ("", "", "", "")
