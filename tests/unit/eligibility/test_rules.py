"""Who may be seen again online: 诊疗办法 Art 16, 18 and 医院办法 Art 20 (the same disease, clearly diagnosed); the month is the
hospital's own rule (seeds 003, 3.2.2)."""

import calendar
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.eligibility.rulebook import RuleSet, book_of
from backend.eligibility.rules import (
    RULES,
    Fact,
    Outcome,
    PaperFact,
    add_months,
    category,
    decide,
    last_day,
    red_flag,
    relevant,
    require_department,
    subcategory,
)
from backend.eligibility.window import Window
from foundation.errors import Conflict

DAY = date(2026, 11, 20)
DAYS = st.dates(date(2023, 1, 1), date(2029, 12, 31))
ORDINARY = ("K21.000", "K21.001", "K21.900", "M54.500", "M54.5", "L20.900", "L20.8", "J30.100")
CODES = st.sampled_from(ORDINARY)


def a_fact(code: str, day: date = DAY, **more: str) -> Fact:
    values: dict[str, Any] = {"certainty": "confirmed", "status": "finished", "source": "offline"} | more
    return Fact("V-1", "ab" * 32, day, code, **values)


def one_month_later(day: date) -> date:
    """Written without the code's arithmetic: the last day of next month that is not after the day's number."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    candidates = [one for one in calendar.Calendar().itermonthdates(year, month) if one.month == month]
    return max(one for one in candidates if one.day <= day.day)


facts = st.lists(
    st.builds(
        a_fact, CODES, DAYS, certainty=st.sampled_from(["confirmed", "suspected"]),
        status=st.sampled_from(["finished", "cancelled", "entered-in-error", "in-progress"]),
        source=st.sampled_from(["offline", "online"]),
    ),
    max_size=6,
)  # fmt: skip


@given(CODES, facts, DAYS)
def test_eligible_is_who_has_the_same_confirmed_subcategory_within_a_calendar_month(
    wanted: str, found: list[Fact], day: date
) -> None:
    expected = any(
        fact.code.replace(".", "")[:4] == wanted.replace(".", "")[:4]
        and fact.certainty == "confirmed"
        and fact.status in ("finished", "in-progress")
        and fact.source == "offline"
        and fact.day <= day <= one_month_later(fact.day)
        for fact in found
    )

    decision = decide(wanted, found, day)

    assert (decision.outcome is Outcome.ELIGIBLE) == expected
    if expected:
        assert decision.evidence in found
        assert decision.reason == "same_subcategory"


@given(CODES, facts, DAYS)
def test_the_order_of_the_hospitals_answers_does_not_matter(
    wanted: str, found: list[Fact], day: date
) -> None:
    forward, backward = decide(wanted, found, day), decide(wanted, list(reversed(found)), day)

    assert (forward.outcome, forward.reason) == (backward.outcome, backward.reason)


@given(CODES, DAYS, DAYS)
def test_what_is_refused_for_the_window_names_the_last_possible_day(
    wanted: str, visited: date, day: date
) -> None:
    """practice.md 4: refused names the last day on which it would have been possible."""
    decision = decide(wanted, [a_fact(wanted, visited)], day)

    if decision.reason == "outside_window":
        assert decision.last_possible_day == one_month_later(visited)
        assert f"{decision.last_possible_day:%Y年%m月%d日}" in decision.words
    else:
        assert decision.outcome is Outcome.ELIGIBLE


@pytest.mark.parametrize(
    ("visited", "last"),
    [
        (date(2026, 1, 27), date(2026, 2, 27)),
        (date(2026, 1, 28), date(2026, 2, 28)),
        (date(2026, 1, 29), date(2026, 2, 28)),
        (date(2026, 1, 30), date(2026, 2, 28)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 2, 28), date(2026, 3, 28)),
        (date(2028, 2, 29), date(2028, 3, 29)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 4, 30), date(2026, 5, 30)),
        (date(2026, 6, 30), date(2026, 7, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_a_month_ends_on_the_same_day_or_on_the_last_one(visited: date, last: date) -> None:
    found = [a_fact("K21.000", visited)]

    assert last_day(visited, "K21.000") == last
    assert decide("K21.000", found, last).outcome is Outcome.ELIGIBLE
    assert decide("K21.000", found, last + timedelta(days=1)).outcome is Outcome.REFUSED
    assert decide("K21.000", found, visited).outcome is Outcome.ELIGIBLE
    assert decide("K21.000", found, visited - timedelta(days=1)).outcome is Outcome.REFUSED


@given(DAYS, st.integers(-30, 30))
def test_adding_months_never_leaves_the_month_it_aims_at(day: date, months: int) -> None:
    moved = add_months(day, months)

    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == min(day.day, calendar.monthrange(moved.year, moved.month)[1])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("E11.900", ("E11", "E11.9")),
        ("e11.9", ("E11", "E11.9")),
        ("I10", ("I10", "I10.X")),
        ("I10.x00", ("I10", "I10.X")),
        ("I10.X00x002", ("I10", "I10.X")),
        (" M54.5 ", ("M54", "M54.5")),
        ("高血压", ("", "")),
        ("", ("", "")),
        ("I1", ("", "")),
    ],
)
def test_codes_are_read_with_and_without_extensions(code: str, expected: tuple[str, str]) -> None:
    assert (category(code), subcategory(code)) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "outcome", "reason"),
    [
        ("E11.900", "E11.900", Outcome.ELIGIBLE, "same_subcategory"),
        ("E11.9", "E11.900x001", Outcome.ELIGIBLE, "same_subcategory"),
        ("E11.200", "E11.900", Outcome.ELIGIBLE, "same_chronic_category"),
        ("I10.x00", "I10", Outcome.ELIGIBLE, "same_subcategory"),
        ("I10.x00", "I11.900", Outcome.DOCTOR_DECIDES, "same_group"),
        ("E11.900", "E10.900", Outcome.REFUSED, "no_such_diagnosis"),
        ("E11.900", "E14.900", Outcome.DOCTOR_DECIDES, "same_group"),
        ("B18.000", "B18.100", Outcome.DOCTOR_DECIDES, "same_category"),
        ("K21.000", "K21.900", Outcome.DOCTOR_DECIDES, "same_category"),
        ("K21.000", "K22.000", Outcome.REFUSED, "no_such_diagnosis"),
        ("R05.x00", "R05.x00", Outcome.ELIGIBLE, "same_subcategory"),
        ("R52.000", "R52.900", Outcome.REFUSED, "no_such_diagnosis"),
        ("E11.900", "E11.100", Outcome.REFUSED, "red_flag_since"),
        ("K64.900", "I84.900", Outcome.DOCTOR_DECIDES, "same_category"),
        ("I84.900", "I84.900", Outcome.ELIGIBLE, "same_subcategory"),
        ("I48.900", "I48.x00", Outcome.ELIGIBLE, "same_subcategory"),
        ("I21.900", "I21.900", Outcome.REFUSED, "red_flag"),
        ("E11.100", "E11.100", Outcome.REFUSED, "red_flag"),
        ("无此诊断", "K21.000", Outcome.REFUSED, "unknown_code"),
    ],
)
def test_how_far_two_diagnoses_are_the_same_disease(
    wanted: str, found: str, outcome: Outcome, reason: str
) -> None:
    decision = decide(wanted, [a_fact(found)], DAY)

    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.words


def test_an_acute_form_of_a_chronic_disease_does_not_open_the_door() -> None:
    """诊疗办法 Art 19 in spirit: what may turn quickly is not treated online."""
    assert red_flag("E11.000")
    assert red_flag("I21.400")
    assert red_flag("J44.100")
    assert not red_flag("J44.900")
    assert decide("E11.900", [a_fact("E11.000")], DAY).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "more", [{"certainty": "suspected"}, {"status": "cancelled"}, {"status": "entered-in-error"}]
)
def test_a_suspicion_or_a_visit_that_did_not_take_place_is_no_diagnosis(more: dict[str, str]) -> None:
    """诊疗办法 Art 16: clearly diagnosed."""
    assert decide("K21.000", [a_fact("K21.000", DAY, **more)], DAY).reason == "no_such_diagnosis"


def test_words_that_nobody_could_read_as_a_code_are_for_the_doctor() -> None:
    """facts: text only diagnoses: unresolved → doctor."""
    decision = decide("K21.000", [a_fact("")], DAY)

    assert (decision.outcome, decision.reason) == (Outcome.DOCTOR_DECIDES, "text_only")
    assert decide("K21.000", [a_fact("", DAY - timedelta(days=60))], DAY).outcome is Outcome.REFUSED
    assert (
        decide("K21.000", [a_fact("")], DAY, replace(RULES, unresolved="ignore")).outcome is Outcome.REFUSED
    )


def test_an_online_visit_does_not_renew_the_window_unless_the_hospital_says_so() -> None:
    """practice.md 5: written-back online visits carry a source mark and by default do not renew the window."""
    found = [a_fact("I10.x00", source="online")]

    assert decide("I10.x00", found, DAY).outcome is Outcome.REFUSED
    assert decide("I10.x00", found, DAY, replace(RULES, online="always")).outcome is Outcome.ELIGIBLE


def test_the_window_can_be_longer_for_a_chronic_disease() -> None:
    """practice.md 5: prescriptions of 4 to 12 weeks outlast a month."""
    rules = RuleSet(windows={"I10": Window(months=3)})
    visited = date(2026, 8, 31)

    assert last_day(visited, "I10.x00", rules) == date(2026, 11, 30)
    assert (
        decide("I10.x00", [a_fact("I10.x00", visited)], date(2026, 11, 30), rules).outcome is Outcome.ELIGIBLE
    )
    assert (
        decide("K21.000", [a_fact("K21.000", visited)], date(2026, 10, 1), rules).outcome is Outcome.REFUSED
    )


def test_the_newest_visit_is_the_evidence() -> None:
    found = [a_fact("K21.000", DAY - timedelta(days=days)) for days in (20, 3, 11)]

    assert decide("K21.000", found, DAY).evidence == found[1]


def test_a_record_of_tomorrow_proves_nothing_today() -> None:
    assert decide("K21.000", [a_fact("K21.000", DAY + timedelta(days=1))], DAY).outcome is Outcome.REFUSED


def papered(day: date, kind: str = "discharge_summary") -> PaperFact:
    return PaperFact(kind, day, "cd" * 32)


@given(CODES, facts, DAYS)
def test_what_is_kept_of_the_hospitals_records_decides_as_all_of_them_did(
    wanted: str, found: list[Fact], day: date
) -> None:
    """Only what is near the disease is frozen; the rest of her history is not."""
    others = [a_fact("F20.000", day), a_fact("B20.x00", day)]
    kept = relevant(wanted, [*found, *others])

    first, again = decide(wanted, [*found, *others], day), decide(wanted, kept, day)

    assert (first.outcome, first.reason, first.last_possible_day) == (
        again.outcome, again.reason, again.last_possible_day,
    )  # fmt: skip
    assert not {fact.code for fact in kept} & {"F20.000", "B20.x00"}
    assert all(fact.visit_id == "" for fact in kept)


@given(CODES, facts, DAYS)
def test_the_first_version_still_decides_as_it_did(wanted: str, found: list[Fact], day: date) -> None:
    """Its evidence was frozen before names, groups and kinds of visits counted."""
    old = book_of("2026-1")
    assert old is not None
    day_inside = [
        fact for fact in found
        if subcategory(fact.code) == subcategory(wanted) and fact.certainty == "confirmed" and fact.source == "offline"
        and fact.status not in ("cancelled", "entered-in-error") and fact.day <= day <= one_month_later(fact.day)
    ]  # fmt: skip

    assert (decide(wanted, found, day, old).outcome is Outcome.ELIGIBLE) == bool(day_inside)


@pytest.mark.parametrize(
    ("wanted", "found", "reason"),
    [
        ("R10.4", "R10.3", "no_such_diagnosis"),
        ("S82.1", "S82.2", "no_such_diagnosis"),
        ("U07.1", "U07.2", "red_flag"),
    ],
)
def test_symptoms_injuries_and_provisional_codes_are_never_matched_broadly(
    wanted: str, found: str, reason: str
) -> None:
    assert decide(wanted, [a_fact(found)], DAY).reason == reason


def test_an_acute_name_forbids_a_broad_match_on_either_side() -> None:
    chronic = a_fact("J45.900")
    acute = replace(a_fact("J45.800"), acute=True)

    assert decide("J45.000", [chronic], DAY).reason == "same_chronic_category"
    assert decide("J45.000", [acute], DAY).outcome is Outcome.REFUSED
    assert decide("J45.000", [chronic], DAY, acute=True).outcome is Outcome.REFUSED
    assert decide("J45.800", [acute], DAY).outcome is Outcome.ELIGIBLE


def test_danger_since_the_evidence_keeps_her_offline_until_a_calmer_visit() -> None:
    before, danger = a_fact("E11.900", DAY - timedelta(days=9)), a_fact("E11.100", DAY - timedelta(days=5))
    after = a_fact("E11.900", DAY - timedelta(days=2))

    assert decide("E11.900", [before, danger], DAY).reason == "red_flag_since"
    assert decide("E11.900", [before, danger, after], DAY).outcome is Outcome.ELIGIBLE
    assert decide("E11.900", [replace(before, danger=True)], DAY).reason == "red_flag_since"
    assert decide("K21.000", [a_fact("K21.000"), danger], DAY).outcome is Outcome.ELIGIBLE


def test_an_in_patient_who_is_still_there_has_no_window_yet() -> None:
    staying = replace(a_fact("J44.900"), kind="inpatient", status="in-progress")

    assert decide("J44.900", [staying], DAY).outcome is Outcome.REFUSED
    assert decide("J44.900", [replace(staying, status="finished")], DAY).outcome is Outcome.ELIGIBLE


def test_a_chain_of_online_visits_counts_as_far_as_it_leads_back_to_the_hospital() -> None:
    rules = replace(RULES, online="chained")
    offline = a_fact("I10.x00", DAY - timedelta(days=70))
    online = [a_fact("I10.x00", DAY - timedelta(days=days), source="online") for days in (45, 20)]

    assert decide("I10.x00", [offline, *online], DAY, rules).outcome is Outcome.ELIGIBLE
    assert decide("I10.x00", online, DAY, rules).outcome is Outcome.REFUSED
    assert decide("I10.x00", [offline, online[1]], DAY, rules).outcome is Outcome.REFUSED
    assert decide("I10.x00", [offline, *online], DAY).reason == "outside_window"


def test_the_main_diagnosis_alone_counts_where_the_hospital_says_so() -> None:
    second = replace(a_fact("K21.000"), rank=2)

    assert decide("K21.000", [second], DAY).outcome is Outcome.ELIGIBLE
    assert decide("K21.000", [second], DAY, replace(RULES, ranks="main")).outcome is Outcome.REFUSED


def test_the_department_of_the_visit_binds_where_the_hospital_says_so() -> None:
    visit = replace(a_fact("K21.000"), department="0310")

    assert decide("K21.000", [visit], DAY).only_department == ""
    bound = decide("K21.000", [visit], DAY, replace(RULES, same_department=True)).only_department
    assert bound == "0310"
    require_department(bound, "0310")
    with pytest.raises(Conflict) as refused:
        require_department(bound, "0700")
    assert refused.value.code == "other_department"


def test_papers_make_a_missing_record_the_doctors_matter_and_nothing_else() -> None:
    """practice.md 4."""
    recent, old = papered(DAY - timedelta(days=20)), papered(DAY - timedelta(days=40))

    healed = decide("K21.000", [], DAY, papers=[recent])
    assert (healed.outcome, healed.reason, healed.level) == (Outcome.DOCTOR_DECIDES, "papers", "papers")
    late = a_fact("K21.000", DAY - timedelta(days=50))
    assert decide("K21.000", [late], DAY, papers=[recent]).outcome is Outcome.DOCTOR_DECIDES
    assert decide("K21.000", [], DAY, papers=[old]).outcome is Outcome.REFUSED
    assert decide("K21.000", [], DAY, papers=[papered(DAY + timedelta(days=1))]).outcome is Outcome.REFUSED
    assert decide("E11.100", [], DAY, papers=[recent]).reason == "red_flag"
    assert decide("E11.900", [a_fact("E11.100")], DAY, papers=[recent]).reason == "red_flag_since"
    assert decide("K21.000", [a_fact("K21.000")], DAY, papers=[recent]).outcome is Outcome.ELIGIBLE


def test_every_step_is_told_without_a_word_of_the_hospital() -> None:
    found = [
        a_fact("K21.000", DAY - timedelta(days=40)), a_fact("K21.900", certainty="suspected"), replace(a_fact(""), day=DAY),
        a_fact("I10.x00"),
    ]  # fmt: skip

    steps = decide("K21.000", found, DAY).steps

    told = "\n".join(steps)
    assert all(words in told for words in ("不在期限内", "疑似诊断", "文字诊断"))
    assert "I10" not in told
