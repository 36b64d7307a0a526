"""The right-hand column of the journey, rows 1 to 5: login, real name, consent, eligibility, booking."""

import pytest

from standalone.journey import Refused
from tests.world import World


async def test_a_login_code_can_be_used_once(world: World) -> None:
    patient = world.patient_named("patient_expired")
    code = await patient.phone.login_code()
    await patient.api.call("POST", "/login/wechat", {"code": code})

    with pytest.raises(Refused) as refused:
        await patient.api.call("POST", "/login/wechat", {"code": code})

    assert (refused.value.status, refused.value.code) == (401, "login_code_refused")


async def test_an_old_login_code_is_refused(world: World) -> None:
    patient = world.patient_named("patient_expired")
    code = await patient.phone.login_code()
    await world.moves_on(minutes=6)

    with pytest.raises(Refused) as refused:
        await patient.api.call("POST", "/login/wechat", {"code": code})

    assert refused.value.code == "login_code_refused"


async def test_a_name_that_does_not_fit_the_number_is_refused(world: World) -> None:
    """监管细则 2022: real name before booking."""
    patient = await world.a_newcomer()

    with pytest.raises(Refused) as refused:
        await patient.verifies(person={**patient.person, "name": "王不是"})

    assert (refused.value.status, refused.value.code, refused.value.fields) == (422, "invalid", ["name"])
    assert await patient.api.call("GET", "/persons") == []


async def test_a_wrong_check_digit_never_reaches_the_real_name_service(world: World) -> None:
    """GB 11643."""
    patient = await world.a_newcomer()
    number = patient.person["id_number"]
    wrong = number[:17] + ("1" if number[17] != "1" else "2")

    with pytest.raises(Refused) as refused:
        await patient.verifies(person={**patient.person, "id_number": wrong})

    assert refused.value.body["issues"][0]["code"] == "wrong_check_digit"


async def test_nobody_is_verified_while_the_real_name_service_is_down(world: World) -> None:
    patient = await world.a_newcomer()
    await world.faults("identity", down=True)

    try:
        with pytest.raises(Refused) as refused:
            await patient.verifies()
    finally:
        await world.faults("identity")

    assert refused.value.status == 503
    assert await patient.api.call("GET", "/persons") == []


async def test_a_person_exists_once_whoever_registers_her(world: World) -> None:
    """practice.md 1."""
    first = await world.a_patient()
    other = await world.a_newcomer()

    same = await other.verifies(person=first.person)

    assert same == first.person_id


async def test_booking_without_consent_is_refused(world: World) -> None:
    """医院办法 Art 18."""
    patient = await world.a_newcomer()
    await patient.verifies()
    decision = await patient.asks()

    with pytest.raises(Refused) as refused:
        await patient.books(await patient.free_slot(), decision)

    assert (refused.value.status, refused.value.code) == (403, "no_consent")


async def test_consent_to_an_outdated_text_is_refused(world: World) -> None:
    patient = await world.a_newcomer()
    await patient.verifies()
    body = {"kind": "informed_consent", "version": "0.9", "content_hash": "0" * 64}

    with pytest.raises(Refused) as refused:
        await patient.api.call("POST", f"/persons/{patient.person_id}/consents", body)

    assert refused.value.code == "consent_outdated"


@pytest.mark.parametrize(
    ("part", "outcome", "reason"),
    [
        ("patient_expired", "refused", "outside_window"),
        ("patient_day_too_late", "refused", "outside_window"),
        ("patient_last_day", "eligible", "same_subcategory"),
        ("patient_without_history", "refused", "no_such_diagnosis"),
        ("patient_suspected", "refused", "no_such_diagnosis"),
        ("patient_text_only", "eligible", "same_subcategory"),
        ("patient_cancelled", "refused", "no_such_diagnosis"),
        ("patient_red_flag", "refused", "red_flag"),
        ("patient_three_character", "eligible", "same_chronic_category"),
        ("patient_doctor_decides", "doctor_decides", "same_category"),
        ("patient_merged", "eligible", "same_subcategory"),
        ("patient_inpatient", "eligible", "same_subcategory"),
    ],
)
async def test_eligibility_is_decided_from_the_hospitals_own_records(
    world: World, part: str, outcome: str, reason: str
) -> None:
    """诊疗办法 Art 16; seeds 003, 3.2.2; practice.md 4."""
    patient = world.patient_named(part)
    await patient.is_ready()
    if part == "patient_last_day" and world.clock.today() > world.system.installation.world_made_on:
        outcome, reason = "refused", "outside_window"  # another test let that day pass

    decision = await patient.asks(patient.person.get("asks_for") or "I10.x00")

    assert (decision["outcome"], decision["reason"]) == (outcome, reason)
    if reason == "outside_window":
        assert decision["last_possible_day"] is not None


async def test_an_unreachable_hospital_never_means_eligible(world: World) -> None:
    patient = await world.a_patient()
    await world.faults("his", down=True)

    try:
        with pytest.raises(Refused) as refused:
            await patient.asks()
    finally:
        await world.faults("his")

    assert refused.value.status == 503
    assert "稍后" in refused.value.body["detail"]


async def test_somebody_elses_records_are_never_taken_for_an_answer(world: World) -> None:
    patient = await world.a_patient()
    await world.faults("his", wrong_patient=True)

    try:
        with pytest.raises(Refused) as refused:
            await patient.asks()
    finally:
        await world.faults("his")

    assert refused.value.status in (502, 503)


async def test_a_refused_decision_books_nothing(world: World) -> None:
    patient = world.patient_named("patient_expired")
    await patient.is_ready()
    decision = await patient.asks()

    with pytest.raises(Refused) as refused:
        await patient.books(await patient.free_slot(), decision)

    assert refused.value.code == "not_eligible"


async def test_another_persons_decision_books_nothing(world: World) -> None:
    patient, other = await world.a_patient(), await world.a_patient()
    decision = await other.asks()

    with pytest.raises(Refused) as refused:
        await patient.books(await patient.free_slot(), decision)

    assert refused.value.status == 404


async def test_the_same_press_twice_books_one_place(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    slot, decision = await patient.free_slot(doctor=doctor.id), await patient.asks()

    first = await patient.books(slot, decision, key="the-same-press")
    second = await patient.books(slot, decision, key="the-same-press")

    assert first["id"] == second["id"]
    with pytest.raises(Refused) as refused:
        await patient.books(slot, decision)
    assert refused.value.code == "already_booked"


async def test_a_person_holds_at_most_three_places_a_day(world: World) -> None:
    """Against scalpers (seeds 003, 3.2.1)."""
    patient = await world.a_patient()
    decision = await patient.asks()
    slots = await patient.times()
    day = slots[-1]["starts_at"][:10]
    later = [slot for slot in slots if slot["starts_at"][:10] == day][:4]

    for slot in later[:3]:
        await patient.books(slot, decision)
    with pytest.raises(Refused) as refused:
        await patient.books(later[3], decision)

    assert refused.value.code == "quota_used"


async def test_a_child_under_six_is_booked_by_a_verified_guardian(world: World) -> None:
    """诊疗办法 Art 19."""
    guardian, child = world.patient_named("guardian"), world.demo["child_under_six"]
    unknown = await world.a_newcomer()
    with pytest.raises(Refused) as refused:
        await unknown.verifies("guardian", child, "父亲")
    assert refused.value.body["issues"][0]["code"] == "self_first"

    await guardian.logs_in()
    await guardian.verifies()
    await guardian.verifies("guardian", child, "父亲")
    await guardian.consents()
    doctor = await world.doctor_new_to(child)
    slot = await guardian.free_slot(doctor=doctor.id)
    booked = await guardian.books(slot, await guardian.asks(child["asks_for"]))

    assert booked["state"] == "pending"


async def test_an_adult_is_nobodys_ward(world: World) -> None:
    patient = await world.a_patient()

    with pytest.raises(Refused) as refused:
        await patient.verifies("guardian", world.person(), "母亲")

    assert refused.value.body["issues"][0]["code"] == "not_a_minor"


async def test_an_adults_own_code_makes_somebody_her_proxy_and_can_be_taken_back(world: World) -> None:
    """practice.md 1."""
    mother, daughter = await world.a_patient(code="I10"), world.patient_named("proxy")
    await daughter.logs_in()
    code = (await mother.api.call("POST", f"/persons/{mother.person_id}/grant-codes"))["code"]

    granted = await daughter.api.call("POST", "/grants", {"code": code, "relation": "女儿"})
    with pytest.raises(Refused):
        await daughter.api.call("POST", "/grants", {"code": code})
    daughter.person_id = granted["id"]
    assert (await daughter.asks(mother.person["asks_for"]))["outcome"] == "eligible"
    await mother.api.call("DELETE", f"/persons/{mother.person_id}/grants/{granted['grant_id']}")

    with pytest.raises(Refused) as refused:
        await daughter.asks(mother.person["asks_for"])
    assert refused.value.status == 404
