from typing import Any

import pytest

from regulator_adapter import profiles
from regulator_adapter.codesets import Unknown
from regulator_adapter.profiles.checking import CLIP_MARK, check
from regulator_adapter.profiles.reading import Profile, read

TABLE = """
name = "test"
path = "/x"
service = "s"
timing = "at once"
batch = 1
deduplicates = false
order = "events"
header = "organID M text 3"
[methods.upload]
makes = "thing id"
events = ["thing.happened"]
fields = \"\"\"
id          O text 5
age         O integer 0..150
guardian    C:age<6 text 5
card        C:age>=14 text 5
flag        O code yesNo
why         C:flag=0|2 text 20 clip
both        C:flag=1&age<6 text 5
price       O decimal 8,2
cents       O fen
at          O time
on          O date
slot        O span
when        O iso
digest      O hex 4
subject     O subject
subjects    O subjects
class       O drugclass
icd         O icd
icds        O icds
kinds       O codes yesNo
notes       O strings 3
event       O eventtype
lines       O list
\"\"\"
lists.lines = "name M text 3"
[codes]
yesNo = "0 否, 1 是, 2 未知"
subject = "03 内科"
drugClass = "06 心血管"
"""


@pytest.fixture
def profile() -> Profile:
    return read(TABLE)


def issues(profile: Profile, **values: Any) -> list[str]:
    _, found = check(profile, profile.methods["upload"], {"organID": "H1"} | values)
    return [f"{issue.field} {issue.code}" for issue in found]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"organID": " "}, ["organID missing"]),
        ({"organID": "H123"}, ["organID too_long"]),
        ({"age": 5}, ["guardian missing"]),
        ({"age": 5, "guardian": "", "flag": "0"}, ["guardian missing", "why missing"]),
        ({"age": 14}, ["card missing"]),
        ({"age": 6, "flag": "1"}, []),
        ({"age": 5, "guardian": "x", "flag": "1"}, ["both missing"]),
        ({"age": "5"}, ["guardian missing", "age malformed"]),
        ({"age": 151, "card": "x"}, ["age out_of_range"]),
        ({"age": True, "guardian": "x"}, ["age malformed"]),
        ({"flag": "7"}, ["flag unknown_code"]),
        ({"flag": Unknown("seven")}, ["flag unknown_code"]),
        ({"colour": "red"}, ["colour unknown_field"]),
        ({"colour": None}, ["colour unknown_field"]),
        ({"id": 7}, ["id malformed"]),
        ({"id": "a\0"}, ["id malformed"]),
        ({"lines": [{"name": "abc"}, {"name": ""}, {"name": "abcd"}]}, ["lines[1].name missing", "lines[2].name too_long"]),
        ({"kinds": ["0", Unknown("x")]}, ["kinds unknown_code"]),
        ({"kinds": ["0", "9"]}, ["kinds unknown_code"]),
        ({"notes": ["abc", "abcd"]}, ["notes too_long"]),
        ({"notes": "abc"}, ["notes malformed"]),
        ({"event": "thing.broke"}, ["event unknown_code"]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_named_at_once(
    profile: Profile, values: dict[str, Any], expected: list[str]
) -> None:
    assert sorted(issues(profile, **values)) == sorted(expected)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("price", ["1", "1.5", "123456.78"], ["1.234", "1234567.00", "-1", "", "x", 1.5]),
        ("cents", [0, 5], [-1, "5", 1.5]),
        ("at", ["2026-11-22 08:00:00"], ["2026-11-22T08:00:00", "2026-13-22 08:00:00", 7]),
        ("on", ["2026-11-22"], ["2026-11-31", "22.11.2026"]),
        ("slot", ["2026-11-22 08:00-08:15"], ["2026-11-22 08:00"]),
        ("when", ["2026-11-22T08:00:00+08:00"], ["2026-11-22T08:00:00", "soon"]),
        ("digest", ["00ff"], ["00FF", "00f", "00fg"]),
        ("subject", ["03", "03.10"], ["04", "03.1", "03.", "0310"]),
        ("subjects", [["03", "03.01"]], [["03", "99"]]),
        ("class", ["06", "0603", "060303"], ["07", "6", "060", "06030303"]),
        ("icd", ["I10", "I10.x00x002", "M80.0"], ["I1", "高血压", "i10"]),
        ("icds", ["I10|E11.9"], ["I10|", "I10,E11"]),
    ],
)
def test_every_kind_of_value_is_checked(
    profile: Profile, field: str, good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        assert issues(profile, **{field: value}) == [], value
    for value in bad:
        if value != "":
            assert issues(profile, **{field: value}), value


def test_what_people_wrote_is_clipped_with_a_mark_and_nothing_else_is(profile: Profile) -> None:
    clean, found = check(profile, profile.methods["upload"], {"organID": "H1", "flag": "0", "why": "长" * 21})

    assert found == []
    assert len(clean["why"]) == 20
    assert clean["why"].endswith(CLIP_MARK)


def test_empty_values_do_not_travel(profile: Profile) -> None:
    clean, _ = check(
        profile,
        profile.methods["upload"],
        {"organID": "H1", "id": None, "at": "", "notes": [], "age": 0, "guardian": "x"},
    )

    assert clean == {"organID": "H1", "age": 0, "guardian": "x"}


def test_mandatory_fields_of_tianjin_are_those_of_the_interface() -> None:
    """Facts, part (b): what is marked mandatory without condition, by method; the header's three names come with each."""
    methods = profiles.profile("tianjin-1.0").methods
    expected = {
        "uploadDrugCatalogue": "drugClass hospDrcode hospDrugName hospDrugPacking hospDrugManuf useFlag",
        "uploadAppointRecord": "subjectCode subjectName deptID deptName doctorId doctorCertID doctorName patientCertType "
        "patientCertID patientName age sex mobile appointDate workDate startTime endTime price",
        "uploadReferralIndicators": "returnVisitType diseasesHistory mainDiagnoseCode thisDiagnosis referralFlag applyDate "
        "returnVisitPrice answerFlag",
        "uploadElectMedicalRecord": "caseNo furtherConsultNo diagnosisCode furtherConsultDiagnosis phone chiefComplaint "
        "presentHistory diagnosticOpinion",
        "uploadRecipeIndicators": "auditDoctorId auditDoctorCertID auditDoctor patientCardType diseasesHistory recipeUniqueID "
        "recipeID rationalFlag icdCode icdName recipeType datein effectivePeriod startDate endDate totalFee isPay orderList",
        "uploadRecipeVerificationIndicators": "recipeUniqueID recipeID deliveryType VerificationTime deliveryPeople totalFee isPay",
        "uploadBusinessInfoAfter": "evaluateID bussID businessType satisfaction scoring evaluation evaluationPeople evaluationTime",
        "pushMedicalDispute": "eventID businessType patientName mobile eventDescription eventDate eventReason takeSteps "
        "damageDegree Improvements reportDept reportPerson reportDate",
    }  # fmt: skip

    for name, fields in expected.items():
        mandatory = {field.name for field in methods[name].fields if field.when == ()}
        assert set(fields.split()) <= mandatory, name
        assert {"organID", "unitID", "organName", "updateTime"} <= mandatory, name


def test_a_malformed_table_is_refused() -> None:
    with pytest.raises(ValueError, match="not a condition"):
        read(TABLE.replace("C:age<6 text 5", "C:age text 5"))
