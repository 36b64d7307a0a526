import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.formulary.facts import builtin_csv, parse
from backend.review.appropriateness import indicated
from backend.review.draft import ONCE, ROUTES, TIMES_PER_DAY, Category, Severity, amount_of
from backend.review.engine import blocked, needs_reason
from backend.review.form import packs_needed
from contracts.events import Diagnosis
from tests.unit.review.cases import ADULT, DRUG, HYPERTENSION, REFLUX, drug, item, looked_at, patient, rules

SIX = [drug(code=f"Y{n}", ingredients=[f"i{n}"], drug_class=f"c{n}") for n in range(6)]


def test_a_right_prescription_has_no_findings() -> None:
    assert looked_at(item()) == []


def test_findings_carry_rule_version_category_and_source() -> None:
    (found,) = looked_at(item(drug_code="nothing"))

    assert (found.rule, found.category, found.item) == ("legal.unknown_drug", Category.LEGALITY, 0)
    assert found.version
    assert found.source
    assert found.message


# Legality


@pytest.mark.parametrize(
    "control", ["narcotic", "psychotropic_1", "psychotropic_2", "toxic", "radioactive", "precursor"]
)
def test_a_specially_managed_drug_is_never_prescribed_online(control: str) -> None:
    """诊疗办法 Art 19; 医院办法 Art 20: narcotic, psychotropic and other specially managed drugs."""
    found = looked_at(item(), drugs=[drug(control_class=control)], reason="有理由")

    assert rules(found) == [("legal.controlled", "block")]


def test_a_drug_outside_the_hospitals_own_list_is_not_prescribed_online() -> None:
    assert rules(looked_at(item(), drugs=[drug(online_allowed=False)])) == [("legal.not_online", "block")]


def test_an_antibacterial_of_special_grade_is_not_prescribed() -> None:
    """抗菌药物临床应用管理办法: special grade is not used in outpatients."""
    assert rules(looked_at(item(), drugs=[drug(antibacterial_grade="special")])) == [
        ("legal.antibacterial_special", "block")
    ]
    assert looked_at(item(), drugs=[drug(antibacterial_grade="restricted")]) == []


@pytest.mark.parametrize(
    ("age", "present", "stops"), [(5, False, True), (5, True, False), (6, False, False), (0, False, True)]
)
def test_a_child_under_six_needs_guardian_and_specialist_present(
    age: int, present: bool, stops: bool
) -> None:
    """诊疗办法 Art 19: guardian and a doctor of the relevant specialty are with a child under six."""
    found = looked_at(item(), who=patient(age=age, guardian_present=present), drugs=[drug(age_min_years=0)])

    assert (("legal.under_six", "block") in rules(found)) is stops


def test_a_diagnosis_that_was_not_confirmed_in_this_visit_cannot_be_prescribed_for() -> None:
    """诊疗办法 Art 18; 医院办法 Art 20: prescribe only for what was clearly diagnosed."""
    found = looked_at(item(), diagnoses=[HYPERTENSION, REFLUX])

    assert ("legal.diagnosis_outside", "block") in rules(found)


# Form


def test_a_prescription_needs_drugs_and_a_diagnosis() -> None:
    assert rules(looked_at(diagnoses=[])) == [("form.no_item", "block"), ("form.no_diagnosis", "block")]


def test_five_drugs_are_allowed_and_six_are_not() -> None:
    """处方管理办法 Art 6: at most five drugs on one prescription."""
    items = [item(drug_code=one.code) for one in SIX]

    assert looked_at(*items[:5], drugs=SIX) == []
    assert rules(looked_at(*items, drugs=SIX)) == [("form.too_many", "block")]


@pytest.mark.parametrize(
    ("days", "reason", "chronic", "long_term", "expected"),
    [
        (0, "", True, True, ["form.days_missing"]),
        (-1, "", True, True, ["form.days_missing"]),
        (1, "", True, True, []),
        (7, "", True, True, []),
        (8, "", True, True, ["form.days_reason"]),
        (8, "  ", True, True, ["form.days_reason"]),
        (8, "长期用药", True, True, []),
        (30, "长期用药", False, True, []),
        (31, "长期用药", False, True, ["form.days_over"]),
        (31, "长期用药", True, False, ["form.days_over"]),
        (31, "长期用药", True, True, []),
        (84, "长期用药", True, True, []),
        (85, "长期用药", True, True, ["form.days_over"]),
    ],
)
def test_days_have_their_limits(
    days: int, reason: str, chronic: bool, long_term: bool, expected: list[str]
) -> None:
    """处方管理办法 Art 19: seven days, longer with a reason; 长期处方管理规范: twelve weeks for stable chronic disease."""
    found = looked_at(
        item(days=days, quantity=4),
        who=patient(chronic=chronic),
        drugs=[drug(long_term_allowed=long_term)],
        reason=reason,
    )

    assert [one.rule for one in found if one.rule.startswith("form.days")] == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (0, ("form.quantity_missing", "block")),
        (2, None),
        (3, ("form.quantity_over", "block")),
        (1, ("form.quantity_short", "info")),
    ],
)
def test_the_quantity_fits_the_course(quantity: int, expected: tuple[str, str] | None) -> None:
    found = looked_at(item(frequency="bid", dose="5", days=28, quantity=quantity), reason="长期用药")

    assert rules(found) == ([expected] if expected else [])


@given(
    st.sampled_from(sorted(TIMES_PER_DAY)), st.integers(1, 84), st.sampled_from(["2.5", "5", "7.5", "10", "0.001"]),
    st.integers(1, 100),
)  # fmt: skip
def test_the_packs_are_enough_and_one_less_is_not(frequency: str, days: int, dose: str, size: int) -> None:
    written = item(frequency=frequency, days=days, dose=dose)
    each = math.ceil(Fraction(dose) / 5)
    doses = 1 if frequency == ONCE else math.ceil(TIMES_PER_DAY[frequency][0] * days)

    packs = packs_needed(written, drug(pack_size=size))

    assert packs is not None
    assert packs * size >= each * doses > (packs - 1) * size


@pytest.mark.parametrize(
    ("frequency", "days", "doses"),
    [("qd", 7, 7), ("bid", 7, 14), ("q8h", 2, 6), ("qod", 7, 4), ("qod", 8, 4), ("qw", 7, 1), ("qw", 8, 2), ("qw", 14, 2),
     ("qw", 28, 4), ("qw", 84, 12), ("biw", 7, 2), ("biw", 28, 8)],
)  # fmt: skip
def test_a_week_has_seven_days_also_in_fractions(frequency: str, days: int, doses: int) -> None:
    assert packs_needed(item(frequency=frequency, days=days, dose="5"), drug(pack_size=1)) == doses


@pytest.mark.parametrize(
    "changes", [{"strength_amount": ""}, {"pack_size": 0}, {"dose_unit": "ml", "unit": "瓶"}]
)
def test_what_has_no_figures_is_not_counted(changes: dict[str, object]) -> None:
    assert packs_needed(item(), drug(**changes)) is None


# Appropriateness


@pytest.mark.parametrize("group", ["penicillin", "penicillin|nsaid", "nsaid|penicillin"])
def test_an_allergy_stops_the_prescription_whatever_the_reason(group: str) -> None:
    found = looked_at(
        item(),
        who=patient(allergy_groups=frozenset({"penicillin"})),
        drugs=[drug(allergy_group=group)],
        reason="有理由",
    )

    assert rules(found) == [("fit.allergy", "block")]


def test_an_allergy_to_something_else_stops_nothing() -> None:
    found = looked_at(
        item(), who=patient(allergy_groups=frozenset({"nsaid"})), drugs=[drug(allergy_group="penicillin")]
    )

    assert found == []


def test_a_hospital_that_gave_no_answer_is_not_a_patient_without_allergies() -> None:
    unknown = patient(allergy_groups=None)

    assert rules(looked_at(item(), who=unknown)) == [("fit.allergy_unknown", "reason")]
    assert looked_at(item(), who=unknown, reason="已向患者核实无过敏") == []


@pytest.mark.parametrize(
    ("dose", "frequency", "expected"),
    [
        ("10", "qd", []),
        ("10.001", "qd", ["fit.single_max", "fit.daily_max"]),
        ("5", "bid", []),
        ("5.1", "bid", ["fit.daily_max"]),
        ("10", "qw", []),
        ("0", "qd", ["fit.dose_missing"]),
        ("-5", "qd", ["fit.dose_missing"]),
        ("", "qd", ["fit.dose_missing"]),
        ("NaN", "qd", ["fit.dose_missing"]),
        ("Infinity", "qd", ["fit.dose_missing"]),
        ("适量", "qd", ["fit.dose_missing"]),
        ("5", "", ["fit.frequency"]),
        ("5", "遵医嘱", ["fit.frequency"]),
    ],
)
def test_doses_up_to_the_maximum_are_allowed_and_nothing_above(
    dose: str, frequency: str, expected: list[str]
) -> None:
    found = [one for one in looked_at(item(dose=dose, frequency=frequency)) if one.severity is Severity.BLOCK]

    assert [one.rule for one in found] == expected


def test_once_a_week_is_once_on_that_day() -> None:
    weekly = drug(single_max="", daily_max="10")

    assert ("fit.daily_max", "block") in rules(looked_at(item(dose="11", frequency="qw"), drugs=[weekly]))


@pytest.mark.parametrize(("route", "stops"), [("1", False), ("403", True), ("", True), ("77", True)])
def test_a_drug_is_given_by_its_own_route(route: str, stops: bool) -> None:
    assert (("fit.route", "block") in rules(looked_at(item(route=route)))) is stops


@pytest.mark.parametrize(("age", "stops"), [(17, True), (18, False)])
def test_a_drug_for_adults_is_not_for_children(age: int, stops: bool) -> None:
    found = looked_at(item(), who=patient(age=age), drugs=[drug(age_min_years=18)])

    assert (("fit.age", "block") in rules(found)) is stops


def test_a_drug_that_fits_no_diagnosis_needs_a_reason() -> None:
    found = {"who": patient(confirmed_codes=frozenset({"K21.000"})), "diagnoses": [REFLUX]}

    assert rules(looked_at(item(), **found)) == [("fit.indication", "reason")]  # type: ignore[arg-type]
    assert rules(looked_at(item(), **found, reason="有理由")) == [("fit.indication", "info")]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "code", "fits"),
    [("I10-I15", "I10.x00", True), ("I10-I15", "I15.900", True), ("I10-I15", "I16.000", False), ("I10-I15", "I09.900", False),
     ("E11", "E11.900", True), ("E11", "E12.900", False), ("E11.2", "E11.900", True), ("I10-I15", "", False)],
)  # fmt: skip
def test_indications_are_ranges_of_categories(span: str, code: str, fits: bool) -> None:
    assert indicated(drug(indications=[span]), code) is fits


def test_what_needs_a_skin_test_cannot_be_prescribed_online() -> None:
    """医疗机构处方审核规范: skin-test drugs carry test and result."""
    assert rules(looked_at(item(), drugs=[drug(skin_test=True)])) == [("fit.skin_test", "block")]


def test_the_same_ingredient_twice_is_stopped_and_the_same_class_is_shown() -> None:
    one, two, three = (
        drug(code="A", ingredients=["甲"], drug_class="同类"),
        drug(code="B", ingredients=["甲", "乙"], drug_class="复方"),
        drug(code="C", ingredients=["丙"], drug_class="同类"),
    )

    found = looked_at(*(item(drug_code=code) for code in "ABC"), drugs=[one, two, three])

    assert [(one.rule, one.severity.value, one.item) for one in found] == [
        ("fit.duplicate", "block", 1), ("fit.same_class", "info", 2),
    ]  # fmt: skip


# The engine


def test_the_worst_comes_first_and_everything_is_said() -> None:
    found = looked_at(
        item(days=8, quantity=1), item(drug_code="nothing"), who=patient(allergy_groups=None),
        drugs=[drug(pack_size=1)],
    )  # fmt: skip

    assert rules(found) == [
        ("legal.unknown_drug", "block"), ("form.days_reason", "reason"), ("fit.allergy_unknown", "reason"),
        ("form.quantity_short", "info"),
    ]  # fmt: skip
    assert blocked(found)
    assert needs_reason(found)
    assert not blocked(found[1:])
    assert not needs_reason(found[3:])


@given(
    st.text(max_size=6), st.text(max_size=4), st.text(max_size=4), st.integers(-5, 400), st.integers(-5, 400),
    st.integers(0, 120),
)  # fmt: skip
def test_whatever_is_written_gets_findings_and_no_fault(
    dose: str, frequency: str, route: str, days: int, quantity: int, age: int
) -> None:
    written = item(dose=dose, frequency=frequency, route=route, days=days, quantity=quantity)

    found = looked_at(written, who=patient(age=age))

    assert frequency in TIMES_PER_DAY or blocked(found)
    assert route == "1" or blocked(found)


@given(st.text(max_size=8))
def test_an_amount_is_positive_or_none(text: str) -> None:
    amount = amount_of(text)

    assert amount is None or amount > 0


OF_THE_PATIENT = {
    "fit.age_dose", "fit.age_avoid", "fit.age_contra", "fit.sex", "fit.diagnosis", "fit.renal_unknown", "fit.renal_unknown_elderly",
}  # fmt: skip
"""A woman of 68 may not have everything."""


def test_every_drug_of_the_formulary_can_be_prescribed_or_says_why_not() -> None:
    drugs, _ = parse(builtin_csv())
    for one in drugs:
        code = (one.indications[0].partition("-")[0] if one.indications else "I10") + ".900"
        written = item(
            drug_code=one.code, route=one.routes[0], dose=one.single_max or "1", days=1, quantity=1
        )
        found = looked_at(
            written,
            who=patient(confirmed_codes=frozenset({code})),
            drugs=[one],
            diagnoses=[Diagnosis(code, "")],
        )
        allowed = one.online_allowed and one.control_class == "none" and not one.skin_test
        assert all(route in ROUTES for route in one.routes)
        if not allowed:
            assert blocked(found), one.code
        else:
            gone = {"form.quantity_short", "fit.daily_max", "fit.frequency_unusual", *OF_THE_PATIENT}
            assert {found.rule for found in found} <= gone, (one.code, found)


def test_facts_of_a_right_case_stay_right() -> None:
    assert ADULT.age > DRUG.age_min_years
