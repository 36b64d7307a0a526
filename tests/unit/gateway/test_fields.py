"""What a line does not let out stays inside, and the reply is still the contract's."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import his
from front_gateway.policy.fields import all_fields, field_mistakes, plan

VISIT = his.HospitalVisit(
    visit_id="v1",
    resource_hash="0" * 64,
    kind="outpatient",
    day=date(2026, 11, 12),
    department_name="老年科",
    doctor_name="某医生",
    status="finished",
    diagnoses=[his.VisitDiagnosis("I10.x00", "高血压", "confirmed", 1)],
)
REPLY = his.VisitsReply([VISIT])
NEEDED = ["visits.resource_hash", "visits.day"]
"""What cannot be blanked."""


def cut(reply: Any, fields: list[str]) -> Any:
    assert field_mistakes(type(reply), fields) == []
    return msgspec.json.decode(msgspec.json.encode(plan(type(reply), fields)(reply)))


def test_a_whole_part_goes_out_when_it_is_named() -> None:
    assert msgspec.convert(cut(REPLY, ["visits"]), his.VisitsReply) == REPLY


def test_text_that_is_withheld_is_empty_and_the_reply_still_fits() -> None:
    out = cut(REPLY, [*NEEDED, "visits.visit_id"])

    found = msgspec.convert(out, his.VisitsReply).visits[0]
    assert (found.doctor_name, found.department_name, found.diagnoses) == ("", "", [])
    assert found.visit_id == "v1"


def test_a_path_goes_through_lists() -> None:
    out = cut(REPLY, [*NEEDED, "visits.diagnoses.code"])

    assert out["visits"][0]["diagnoses"] == [{"code": "I10.x00", "name": "", "certainty": "", "rank": 0}]


def test_the_wider_of_two_paths_counts() -> None:
    assert cut(REPLY, ["visits.day", "visits"])["visits"][0]["doctor_name"] == "某医生"


def test_nothing_found_stays_nothing() -> None:
    reply = his.FindPatientReply(None)

    assert cut(reply, ["patient.patient_id", "patient.birth_date"]) == {"patient": None}


@pytest.mark.parametrize("field", ["visits.day", "visits.resource_hash"])
def test_a_date_or_digest_cannot_be_withheld(field: str) -> None:
    [mistake] = field_mistakes(his.VisitsReply, [one for one in NEEDED if one != field])

    assert field in mistake


def test_a_path_below_a_plain_field_is_a_mistake() -> None:
    assert field_mistakes(his.VisitsReply, ["visits.day.year"]) != []


@given(st.sets(st.sampled_from(all_fields(his.VisitsReply))))
def test_only_named_fields_carry_content(names: set[str]) -> None:
    fields = sorted(names | set(NEEDED))

    out = cut(REPLY, fields)

    msgspec.convert(out, his.VisitsReply)
    visit = out["visits"][0]
    for path in all_fields(his.VisitsReply):
        top, _, below = path.removeprefix("visits.").partition(".")
        values = [line.get(below) for line in visit.get(top, [])] if below else [visit.get(top)]
        if path not in fields:
            assert all(value in ("", 0, None, []) for value in values)
