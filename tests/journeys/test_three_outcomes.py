"""Eligible, the doctor decides, refused: each from the question to its end (practice.md 4, 5)."""

from datetime import timedelta
from typing import Any

import pytest

from standalone.journey import Doctor, Patient, Refused
from tests.unit.chat.material import jpeg
from tests.world import World


async def uploads(world: World, patient: Patient) -> str:
    """A discharge summary of last week."""
    day = world.clock.today() - timedelta(days=7)
    path = f"/persons/{patient.person_id}/papers?kind=discharge_summary&dated={day}"
    paper = await patient.api.call("POST", path, headers={"content-type": "image/jpeg"}, content=jpeg())
    return str(paper["id"])


async def waits_with(
    patient: Patient, decision: dict[str, Any], doctor: Doctor
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The held place and the visit that waits."""
    slot = await patient.free_slot(doctor=doctor.id)
    held = await patient.books(slot, decision)
    await patient.pays(held["payment_id"])
    return held, await patient.waits(held["id"])


async def refund(world: World, patient: Patient, payment_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        bill: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}")
        return bill if bill["refunds"] and bill["refunds"][0]["state"] == "succeeded" else None

    return await world.until(look, "the refund")


async def test_who_is_eligible_is_seen_and_staff_can_say_why(world: World) -> None:
    patient, doctor, clerk = await world.a_patient(), await world.doctor(), await world.staff("clerk")

    decision = await patient.asks()
    held, visit = await waits_with(patient, decision, doctor)
    accepted = await doctor.accepts(visit["id"])

    assert (decision["outcome"], decision["level"]) == ("eligible", "code")
    assert accepted["state"] == "in-progress"
    why = await clerk.api.call("GET", f"/eligibility/{decision['id']}/explanation")
    assert why["same"]
    assert any("六位编码相同" in step for step in why["steps"])
    assert "encounter.started" in await world.reported(held["id"], doctor)


async def test_where_the_system_cannot_tell_the_doctor_says_why_she_takes_it(world: World) -> None:
    patient = world.patient_named("patient_doctor_decides")
    await patient.is_ready()
    decision = await patient.asks()
    doctor = await world.doctor_new_to(patient.person)
    _, visit = await waits_with(patient, decision, doctor)
    path = f"/encounters/{visit['id']}"

    basis = await doctor.api.call("GET", f"{path}/basis")
    with pytest.raises(Refused) as silent:
        await doctor.api.call("POST", f"{path}/accept", {"follow_up_confirmed": True})
    body = {"follow_up_confirmed": True, "basis": "颈椎病与腰痛同为退行性病变，既往用药一致"}
    accepted = await doctor.api.call("POST", f"{path}/accept", body)

    assert (basis["outcome"], basis["reason"]) == ("doctor_decides", "same_category")
    assert silent.value.fields == ["basis"]
    assert accepted["state"] == "in-progress"


async def test_a_paper_is_judged_before_the_visit_and_no_gives_everything_back(world: World) -> None:
    patient = world.patient_named("patient_without_history")
    await patient.is_ready()
    doctor = await world.doctor("0310")
    refused = await patient.asks("I10.x00")
    paper = await uploads(world, patient)
    body = {"person_id": patient.person_id, "diagnosis_code": "I10.x00", "paper_ids": [paper]}

    decision = await patient.api.call("POST", "/eligibility/with-papers", body)
    held, visit = await waits_with(patient, decision, doctor)
    seen = await doctor.api.raw("GET", f"/encounters/{visit['id']}/papers/{paper}")
    reason = {"reason": "材料看不清，请到医院就诊", "not_a_follow_up": True}
    await doctor.api.call("POST", f"/encounters/{visit['id']}/decline", reason)

    assert (refused["outcome"], refused["papers_may_help"]) == ("refused", True)
    assert (decision["outcome"], decision["reason"]) == ("doctor_decides", "papers")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    bill = await refund(world, patient, held["payment_id"])
    assert bill["refunds"][0]["amount"] == bill["amount"]
    assert bill["refunds"][0]["reason"] == "医生判断不符合复诊条件"
    with pytest.raises(Refused) as over:
        await doctor.api.call("GET", f"/encounters/{visit['id']}/basis")
    assert over.value.code == "history_closed"


async def test_who_is_refused_hears_the_last_day_it_would_have_been_possible(world: World) -> None:
    patient = world.patient_named("patient_expired")
    await patient.is_ready()

    decision = await patient.asks()

    assert (decision["outcome"], decision["reason"]) == ("refused", "outside_window")
    assert decision["last_possible_day"] < world.clock.today().isoformat()
    assert "请到医院线下就诊" in decision["words"]


async def test_with_the_hospital_down_papers_are_no_way_around(world: World) -> None:
    patient = await world.a_patient()
    paper = await uploads(world, patient)
    body = {"person_id": patient.person_id, "diagnosis_code": "I10.x00", "paper_ids": [paper]}
    await world.faults("his", down=True)

    try:
        with pytest.raises(Refused) as refused:
            await patient.api.call("POST", "/eligibility/with-papers", body)
    finally:
        await world.faults("his")

    assert refused.value.status == 503
