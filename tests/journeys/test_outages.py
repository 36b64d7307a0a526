"""What goes on when a neighbour is down, and what heals afterwards."""

from typing import Any

from tests.world import World


async def test_either_gateway_may_fail(world: World) -> None:
    patient = await world.a_patient()
    for name in ("gateway-a", "gateway-b"):
        await world.system.kill(name)
        try:
            assert (await patient.asks())["outcome"] == "eligible"
        finally:
            await world.system.start(name)


async def test_the_visit_goes_on_while_the_hospital_takes_nothing_and_is_written_back_later(
    world: World,
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    await world.faults("his", refuse_writes="系统维护")
    try:
        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
        await doctor.accepts(visit["id"])

        async def refused() -> bool:
            steps = await doctor.api.call("GET", f"/appointments/{visit['appointment_id']}/write-backs")
            return bool(steps and steps[0]["refused_code"])

        await world.until(refused, "the hospital's refusal")
    finally:
        await world.faults("his")

    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])

    async def written() -> list[dict[str, Any]] | None:
        steps = await doctor.api.call("GET", f"/appointments/{visit['appointment_id']}/write-backs")
        done = [step for step in steps if step["acknowledged_at"]]
        return done if any(step["step"] == "record" for step in done) else None

    await world.until(written, "the record in the hospital")


async def test_nothing_is_lost_while_the_adapter_is_down(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    await world.system.stop("adapter")
    try:
        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
        feed = await doctor.api.call("GET", f"/appointments/{visit['appointment_id']}/feed")
        assert feed["undelivered"] == len(feed["events"]) > 0
    finally:
        await world.system.start("adapter")

    assert "appointment.booked" in await world.reported(visit["appointment_id"], doctor)

    async def whole() -> bool | None:
        return (await world.figures())["gaps"] == 0 or None

    await world.until(whole, "a feed without a gap")


async def test_a_worker_that_dies_loses_no_work(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
    await world.system.kill("worker")
    try:
        await patient.phone.allow([])
        await patient.phone.pay(await patient.api.call("POST", f"/payments/{held['payment_id']}/prepay"))
    finally:
        await world.system.start("worker")

    await patient.payment(held["payment_id"], "confirmed")
    assert (await patient.appointment(held["id"]))["state"] == "booked"


async def test_the_supervisor_being_out_delays_and_loses_nothing(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    await world.faults("supervision", outage=True)
    try:
        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
        await world.reported(visit["appointment_id"], doctor)
    finally:
        await world.faults("supervision")

    feed = await doctor.api.call("GET", f"/appointments/{visit['appointment_id']}/feed")

    async def accepted() -> bool:
        for event_id in feed["event_ids"]:
            found = (await world.adapter("GET", f"/submissions?event_id={event_id}"))["submissions"]
            if any(one["state"] != "accepted" for one in found):
                return False
        return True

    await world.until(accepted, "the receipts", 60)
