"""A patient sees her doctor again, from login to the parcel, and the supervisor hears of all of it."""

from standalone.journey.play import Play
from tests.world import World


async def test_one_follow_up_from_login_to_delivered_medicine_supervised(world: World) -> None:
    seen: list[str] = []
    patient = world.patient_named("patient")
    doctor, pharmacist = await world.doctor(), await world.pharmacist()
    courier = world.courier()

    summary = await Play(
        world.places,
        patient,
        doctor,
        pharmacist,
        courier,
        shown=lambda _, __, what, ___, ____: seen.append(what),
        shared=True,
    ).run()

    assert summary["journey"] == "ok"
    assert summary["steps"] == len(seen) == 15
    assert summary["supervision_accepted"] > 0


async def test_every_key_event_of_a_visit_reaches_the_supervisor_in_order(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))

    await doctor.reads_history(visit["id"])
    await doctor.accepts(visit["id"])
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])
    await patient.rates(visit["id"])

    assert await world.reported(visit["appointment_id"], doctor) == [
        "payment.confirmed",
        "appointment.booked",
        "record.viewed",
        "encounter.started",
        "record.signed",
        "encounter.completed",
        "evaluation.submitted",
    ]
