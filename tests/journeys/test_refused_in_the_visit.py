"""The right-hand column of the journey, rows 6 to 12: paying, accepting, prescribing, reviewing, dispensing."""

from typing import Any

import pytest

from standalone.journey import Doctor, Patient, Refused
from standalone.journey.people import AMLODIPINE
from tests.world import World


async def in_progress(world: World, patient: Patient, doctor: Doctor) -> str:
    """A visit that the doctor has accepted; its id."""
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    return str(visit["id"])


async def draft(doctor: Doctor, encounter: str, items: list[dict[str, Any]], **more: Any) -> str:
    """A saved draft."""
    visit = await doctor.api.call("GET", f"/encounters/{encounter}")
    codes = [one["code"] for one in visit["diagnoses"]]
    body = {"items": items, "diagnosis_codes": codes, **more}
    return str((await doctor.api.call("POST", f"/encounters/{encounter}/prescriptions", body))["id"])


async def test_only_the_doctor_of_the_visit_gets_in(world: World) -> None:
    patient, doctor, other = await world.a_patient(), await world.doctor(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))

    for path in ("", "/history", "/record", "/messages"):
        with pytest.raises(Refused) as refused:
            await other.api.call("GET", f"/encounters/{visit['id']}{path}")
        assert refused.value.status == 404
    with pytest.raises(Refused) as refused:
        await other.accepts(visit["id"])
    assert refused.value.status == 404


async def test_another_patients_visit_looks_like_none(world: World) -> None:
    patient, stranger, doctor = await world.a_patient(), await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    booked = await patient.appointment(visit["appointment_id"])

    for path in (
        f"/encounters/{visit['id']}", f"/encounters/{visit['id']}/messages", f"/appointments/{booked['id']}",
        f"/payments/{booked['payment_id']}",
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            await stranger.api.call("GET", path)
        assert refused.value.status == 404


async def test_a_doctor_without_a_shift_accepts_nobody(world: World) -> None:
    """监管细则 2022: fresh authentication before receiving patients."""
    patient, doctor = await world.a_patient("1300"), await world.doctor("1300")
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.api.call("DELETE", "/shifts/current")

    with pytest.raises(Refused) as refused:
        await doctor.accepts(visit["id"])

    assert refused.value.code == "no_shift"


async def test_a_wrong_pin_opens_no_shift_and_says_how_many_tries_are_left(world: World) -> None:
    doctor = await world.doctor("0403")

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", "/shifts", {"pin": "000000"})

    assert refused.value.code == "wrong_pin"
    assert "还可以尝试" in refused.value.body["detail"]
    await doctor.opens_shift()


async def test_the_doctor_must_confirm_that_it_is_a_follow_up(world: World) -> None:
    """诊疗办法 Art 16."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/encounters/{visit['id']}/accept", {"follow_up_confirmed": False})

    assert refused.value.code == "follow_up_not_confirmed"


async def test_a_visit_ends_only_with_a_signed_record(world: World) -> None:
    """医院办法 Art 21."""
    patient, doctor = await world.a_patient(), await world.doctor()
    encounter = await in_progress(world, patient, doctor)

    with pytest.raises(Refused) as refused:
        await doctor.finishes(encounter)
    assert refused.value.code == "record_not_signed"

    await doctor.api.call("PUT", f"/encounters/{encounter}/record", {"chief_complaint": "复诊"})
    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/encounters/{encounter}/record/sign")
    assert refused.value.fields == ["present_history", "opinion"]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("fit.single_max", {"dose": "20", "quantity": 4}),
        ("fit.daily_max", {"dose": "10", "frequency": "bid", "quantity": 1}),
        ("fit.route", {"route": "5"}),
        ("form.quantity_over", {"quantity": 9}),
        ("form.days_over", {"days": 31, "quantity": 2, "drug_code": "YP045", "dose": "500"}),
    ],
)
async def test_hard_stops_refuse_the_signature(world: World, rule: str, change: dict[str, Any]) -> None:
    """医疗机构处方审核规范."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    prescription = await draft(doctor, encounter, [{**AMLODIPINE, **change}])

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")

    assert refused.value.code == "review_blocked"
    assert rule in {issue["code"] for issue in refused.value.body["issues"]}


async def drug(doctor: Doctor, **wanted: str) -> dict[str, Any]:
    """A drug of the formulary by a field."""
    found = await doctor.api.call("GET", "/drugs?q=")
    more = await doctor.api.call("GET", f"/drugs?q={wanted.pop('q', '')}")
    return next(one for one in [*more, *found] if all(one[name] == value for name, value in wanted.items()))


def line(chosen: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plausible line for a drug."""
    return {
        "drug_code": chosen["code"], "dose": chosen["strength_amount"] or "1", "frequency": "qd",
        "route": chosen["routes"][0], "days": 3, "quantity": 1, **more,
    }  # fmt: skip


async def test_controlled_drugs_are_never_prescribed_online(world: World) -> None:
    """互联网诊疗管理办法 Art 19."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    banned = await drug(doctor, q="地西泮", control_class="psychotropic_2")
    prescription = await draft(doctor, encounter, [line(banned)], reason="睡眠差")

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")

    assert "legal.controlled" in {issue["code"] for issue in refused.value.body["issues"]}


async def test_what_the_patient_is_allergic_to_is_blocked(world: World) -> None:
    patient, doctor = world.patient_named("allergic_patient"), await world.doctor()
    await patient.is_ready()
    encounter = await in_progress(world, patient, doctor)
    penicillin = await drug(doctor, q="阿莫西林", allergy_group="penicillin")
    prescription = await draft(doctor, encounter, [line(penicillin)])

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")

    assert "fit.allergy" in {issue["code"] for issue in refused.value.body["issues"]}


async def test_a_prescription_names_confirmed_diagnoses_only(world: World) -> None:
    """医院办法 Art 20."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    body = {"items": [AMLODIPINE], "diagnosis_codes": ["J45.900"]}
    prescription = await doctor.api.call("POST", f"/encounters/{encounter}/prescriptions", body)

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription['id']}/sign")

    assert "legal.diagnosis_outside" in {issue["code"] for issue in refused.value.body["issues"]}


async def test_more_than_five_drugs_are_refused(world: World) -> None:
    """处方管理办法 Art 6."""
    patient, doctor = await world.a_patient(), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    found = await doctor.api.call("GET", "/drugs?q=")
    prescription = await draft(doctor, encounter, [line(one) for one in found[:6]], reason="示范")

    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")

    assert "form.too_many" in {issue["code"] for issue in refused.value.body["issues"]}


async def test_more_than_seven_days_need_a_reason(world: World) -> None:
    """处方管理办法 Art 19."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    longer = {**AMLODIPINE, "days": 28}

    prescription = await draft(doctor, encounter, [longer])
    with pytest.raises(Refused) as refused:
        await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")
    assert "form.days_reason" in {issue["code"] for issue in refused.value.body["issues"]}

    assert await doctor.prescribes(encounter, [longer], reason="慢性病病情稳定")


async def test_a_child_under_six_needs_guardian_and_specialist_present(world: World) -> None:
    """诊疗办法 Art 19."""
    guardian, child = world.patient_named("guardian"), world.demo["child_under_six"]
    await guardian.logs_in()
    await guardian.verifies()
    await guardian.verifies("guardian", child, "父亲")
    await guardian.consents()
    doctor = await world.doctor_new_to(child)
    slot = await guardian.free_slot(child["department"], doctor.id)
    booked = await guardian.books(slot, await guardian.asks(child["asks_for"]))
    await guardian.pays(booked["payment_id"])
    visit = await guardian.waits(booked["id"])
    await doctor.accepts(visit["id"])

    found = await doctor.api.call(
        "POST", f"/encounters/{visit['id']}/prescriptions/check",
        {"items": [], "diagnosis_codes": [child["asks_for"]]},
    )  # fmt: skip

    assert "legal.under_six" in {one["rule"] for one in found["findings"]}


async def test_nothing_is_paid_before_a_pharmacist_approved_it(world: World) -> None:
    """医院办法 Art 20: effective only after review."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    prescription = await doctor.prescribes(encounter)

    with pytest.raises(Refused) as refused:
        await patient.orders(prescription)

    assert (refused.value.status, refused.value.code) == (409, "prescription_order_refused")


async def test_a_returned_prescription_is_mended_signed_again_and_approved(world: World) -> None:
    """practice.md 14."""
    patient, doctor, pharmacist = (
        await world.a_patient(code="I10"),
        await world.doctor(),
        await world.pharmacist(),
    )
    encounter = await in_progress(world, patient, doctor)
    prescription = await doctor.prescribes(encounter)

    await pharmacist.returns(prescription, "请核对剂量")
    shown = await doctor.api.call("GET", f"/prescriptions/{prescription}")
    assert (shown["state"], shown["return_reason"]) == ("returned", "请核对剂量")
    with pytest.raises(Refused):
        await pharmacist.approves(prescription)

    body = {
        "items": [{**AMLODIPINE, "dose": "2.5"}],
        "reason": "续用，余药不足",
        "diagnosis_codes": [one["code"] for one in shown["diagnoses"]],
    }
    await doctor.api.call("PUT", f"/prescriptions/{prescription}", body)
    await doctor.api.call("POST", f"/prescriptions/{prescription}/sign")

    await world.passes(prescription)
    assert (await doctor.api.call("GET", f"/prescriptions/{prescription}"))["state"] == "approved"


async def test_an_unpaid_prescription_expires_and_cannot_be_paid(world: World) -> None:
    """处方管理办法 Art 18: valid on the day of signing."""
    patient, doctor = await world.a_patient(code="I10"), await world.doctor()
    encounter = await in_progress(world, patient, doctor)
    prescription = await doctor.prescribes(encounter)
    await world.passes(prescription)
    await world.moves_on(hours=25)

    async def expired() -> bool:
        return bool((await patient.api.call("GET", f"/prescriptions/{prescription}"))["state"] == "expired")

    await patient.logs_in()
    await world.until(expired, "the expiry")
    with pytest.raises(Refused):
        await patient.orders(prescription)


async def test_drugs_leave_the_pharmacy_only_when_paid(world: World) -> None:
    """监管细则 2022."""
    patient, doctor, pharmacist = (
        await world.a_patient(code="I10"),
        await world.doctor(),
        await world.pharmacist(),
    )
    encounter = await in_progress(world, patient, doctor)
    prescription = await doctor.prescribes(encounter)
    await world.passes(prescription)
    await patient.orders(prescription)

    with pytest.raises(Refused) as refused:
        await pharmacist.hands_over(prescription)

    assert refused.value.code == "not_paid"


async def test_an_unsigned_courier_callback_moves_nothing(world: World) -> None:
    api = world.api()
    body = {"id": "callback-1", "waybill": "unknown", "status": "delivered"}
    response = await api.http.post("/notify/courier", json=body)

    assert response.status_code == 401
    assert response.json()["code"] == "bad_signature"


async def test_a_notification_not_from_wechat_pay_moves_nothing(world: World) -> None:
    api = world.api()
    response = await api.http.post(
        "/notify/wechat-pay/payment", json={"id": "x", "event_type": "TRANSACTION.SUCCESS"}
    )

    assert response.status_code == 401
