"""What laboratory and imaging say of a patient reaches her doctor: results by their own systems, and word that there are new ones."""

import json

import httpx

from tests.world import World


async def number_of(world: World, id_number: str) -> str:
    """The number of her record at the hospital."""
    path = world.system.installation.folder.world / "residents.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    return next(str(one["id"]) for one in found if one["id_number"] == id_number)


async def test_a_pushed_result_is_news_until_the_doctor_looks_and_a_silent_system_is_named(
    world: World,
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    path = f"/encounters/{visit['id']}"
    number = await number_of(world, str(patient.person["id_number"]))
    assert (await doctor.api.call("GET", f"{path}/hospital-news"))["newest"] is None

    async with httpx.AsyncClient(base_url=world.system.health_url("lis_ris"), timeout=10) as laboratory:
        said = await laboratory.post("/_test/push", json={"kind": "ORU^R01", "number": number})

    assert said.json()["code"] == "AA"
    assert (await doctor.api.call("GET", f"{path}/hospital-news"))["newest"] is not None
    await world.faults("lis_ris", down=True)
    try:
        found = await doctor.api.call("GET", f"{path}/history")
        assert set(found["missing"]) == {"laboratory", "imaging"}
    finally:
        await world.faults("lis_ris")
