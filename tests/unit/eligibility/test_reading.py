"""What a hospital writes: codes of several editions, pairs, words instead of codes, doubts in names."""

from datetime import date

import pytest

from backend.eligibility.asking import names
from backend.eligibility.codes import codes_in, six, subcategory
from backend.eligibility.names import normal, says
from backend.eligibility.reading import facts_of, is_acute
from backend.eligibility.rules import RULES, Fact, Level, level_between
from contracts import his

DAY = date(2026, 11, 20)


def read(code: str, name: str = "某病", certainty: str = "confirmed", **more: str) -> list[Fact]:
    one = his.VisitDiagnosis(code, name, certainty, 1)
    values = {"kind": "outpatient", "status": "finished", "department_name": "老年科"} | more
    visit = his.HospitalVisit(
        visit_id="V1", resource_hash="ab" * 32, day=DAY, doctor_name="", diagnoses=[one], **values
    )
    return facts_of([visit], RULES, names(), {"老年科": "0310"})


@pytest.mark.parametrize(
    ("written", "six_characters", "four"),
    [
        ("I10.x00", "I10.X00", "I10.X"), ("I10", "I10.X00", "I10.X"), ("E11.900", "E11.900", "E11.9"),
        ("e11.9", "E11.900", "E11.9"), ("E11.900x001", "E11.900", "E11.9"), ("I25.103", "I25.103", "I25.1"),
        ("高血压", "", ""),
    ],
)  # fmt: skip
def test_codes_have_six_characters_and_extensions(written: str, six_characters: str, four: str) -> None:
    assert (six(written), subcategory(written)) == (six_characters, four)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("E11.900", ["E11.900"]), ("E11.4†G63.2*", ["E11.4", "G63.2"]), ("G63.2* E11.4+", ["E11.4", "G63.2"]),
        ("E14.300+H28.0*", ["E14.300", "H28.0"]), ("", []), ("高血压", []),
    ],
)  # fmt: skip
def test_a_pair_of_cause_and_manifestation_is_two_codes_the_cause_first(
    written: str, found: list[str]
) -> None:
    assert codes_in(written) == found


def test_either_half_of_a_pair_is_evidence() -> None:
    assert [fact.code for fact in read("E11.4†G63.2*")] == ["E11.4", "G63.2"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("高血压病", "I10.x00"), ("高血压3级（极高危）", "I10.x00"), ("高血压病3级 很高危组", ""), ("Ⅱ型糖尿病", "E11.900"),
        ("ＩＩ型糖尿病", "E11.900"), ("慢性乙型病毒性肝炎", "B18.100"), ("COPD", "J44.900"), ("全身不适", ""),
    ],
)  # fmt: skip
def test_words_are_read_by_the_synonyms_of_the_rule(name: str, code: str) -> None:
    (fact,) = read("", name)

    assert (fact.code, fact.read) == (code, "synonym" if code else "unresolved")


def test_words_are_read_by_the_names_of_the_code_list() -> None:
    (fact,) = read("", "泌尿生殖系滴虫病")

    assert (fact.code, fact.read) == ("A59.000", "synonym")


@pytest.mark.parametrize(
    "name", ["高血压？", "高血压?", "冠心病 待查", "疑似甲亢", "高血压疑诊", "可能为痛风"]
)
def test_a_doubt_in_the_name_is_no_confirmed_diagnosis(name: str) -> None:
    (fact,) = read("I10.x00", name)

    assert fact.certainty == "suspected"


def test_a_status_that_does_not_confirm_is_not_healed_by_a_name() -> None:
    (fact,) = read("I10.x00", "高血压", "suspected")

    assert fact.certainty == "suspected"


@pytest.mark.parametrize(
    ("name", "acute", "danger"),
    [
        ("2型糖尿病", False, False), ("2型糖尿病性酮症", True, False), ("2型糖尿病性酮症酸中毒", True, True),
        ("2型糖尿病不伴昏迷", False, False), ("2型糖尿病伴昏迷", True, True), ("糖尿病，无酮症", False, False),
        ("慢性阻塞性肺疾病急性加重", True, False), ("急性咽炎", True, False), ("慢性胃炎", False, False),
    ],
)  # fmt: skip
def test_words_of_danger_are_seen_and_what_takes_them_back_too(name: str, acute: bool, danger: bool) -> None:
    (fact,) = read("E11.900", name)

    assert (fact.acute, fact.danger) == (acute, danger)
    assert is_acute(name, RULES) == acute


def test_of_the_hospitals_words_nothing_is_left_in_a_fact() -> None:
    (fact,) = read("I10.x00", "金丝雀诊断名称-急性", status="finished")

    assert "金丝雀" not in repr(fact)
    assert (fact.department, fact.kind) == ("0310", "outpatient")


def test_an_older_code_is_compared_as_it_is_written_now() -> None:
    assert level_between("I48.900", "I48.x00") is Level.SUBCATEGORY
    assert level_between("I48.900", "I48.000") is Level.CATEGORY
    assert level_between("K64.900", "I84.900") is Level.CATEGORY
    assert level_between("I84.9", "I84.900") is Level.CODE


@pytest.mark.parametrize("name", ["高血压病 3级（极高危）", "高血压病3级(极高危)", "高血压病III级，极高危"])
def test_names_are_compared_without_widths_brackets_and_grades_of_risk(name: str) -> None:
    assert normal(name) == "高血压病3级"


def test_a_word_is_found_beside_one_that_was_taken_back() -> None:
    assert says("不伴昏迷，后昏迷", ["昏迷"], ["不伴"]) == "昏迷"
    assert says("不伴昏迷", ["昏迷"], ["不伴"]) == ""
