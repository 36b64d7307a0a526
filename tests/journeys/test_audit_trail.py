"""What touched a person or money is in the audit trail, refusals included."""

from typing import Any

import pytest

from standalone.journey import Refused
from tests.world import World


async def lines(world: World, subject: str) -> list[dict[str, Any]]:
    """The trail of a subject, oldest first."""
    quality = await world.staff("quality")
    found: list[dict[str, Any]] = await quality.api.call("GET", f"/audit-events?subject_id={subject}")
    return found[::-1]


async def test_a_refused_look_at_somebody_elses_visit_is_written_down(world: World) -> None:
    patient, stranger, doctor = await world.a_patient(), await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))

    with pytest.raises(Refused):
        await stranger.api.call("GET", f"/encounters/{visit['id']}")

    refused = [line for line in await lines(world, visit["id"]) if line["outcome"] == "refused"]
    me = await stranger.api.call("GET", "/me")
    assert [(line["actor_id"], line["code"]) for line in refused] == [(me["id"], "not_found")]


async def test_every_verb_of_a_visit_is_a_line_with_its_actor(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.reads_history(visit["id"])
    await doctor.accepts(visit["id"])
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])

    found = [(line["action"], line["actor_kind"]) for line in await lines(world, visit["id"])]

    for action in ("encounter.accept", "record.view", "record.write", "encounter.finish"):
        assert (action, "staff") in found
    booked = [line["action"] for line in await lines(world, visit["appointment_id"])]
    for action in (
        "appointment.request",
        "appointment.confirm",
        "appointment.check_in",
        "appointment.fulfil",
    ):
        assert action in booked


async def test_the_trail_is_sealed_into_a_chain(world: World) -> None:
    patient = await world.a_patient()

    async def numbered() -> bool:
        found = await lines(world, patient.person_id)
        return bool(found) and all(line["number"] is not None for line in found)

    await world.until(numbered, "the sealer")


async def test_a_wrong_password_is_a_refused_line_and_never_the_password(world: World) -> None:
    api, clerk = world.api(), world.demo["clerk"]
    body = {"login": clerk["login"], "password": "not-this-one", "totp": "000000"}

    response = await api.raw("POST", "/login/staff", body)

    assert (response.status_code, response.json()["code"]) == (401, "login_refused")
    quality = await world.staff("quality")
    found = await quality.api.call("GET", "/audit-events?outcome=refused")
    assert any(line["action"] == "account.login" and line["code"] == "login_refused" for line in found)


async def test_a_notification_with_a_wrong_amount_is_only_a_hint(world: World) -> None:
    await world.faults("wechat", wrong_amount=True)
    try:
        patient, doctor = await world.a_patient(), await world.doctor()
        held = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
        bill = await patient.pays(held["payment_id"])
    finally:
        await world.faults("wechat")

    assert bill["amount"] == sum(line["amount"] for line in bill["lines"])


async def test_patients_and_doctors_do_not_read_the_trail(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()

    for somebody in (patient.api, doctor.api):
        assert (await somebody.raw("GET", "/audit-events")).status_code == 403
