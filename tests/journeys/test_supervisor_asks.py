"""A supervisor asks the hospital about a complaint: console, gateway, desk, and the answer back at the console."""

from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import httpx
import pytest

from tests.world import World

ORDER = {"authority": "沪卫监〔2026〕12号", "words": "请说明等候时间过长的原因"}


@pytest.fixture
async def console(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in at the city's console."""
    address = world.places.supervision
    async with httpx.AsyncClient(
        base_url=address, headers={"origin": address}, trust_env=False, timeout=20, follow_redirects=True
    ) as client:
        person = world.demo["supervisor"]
        await client.post("/login", data={"login": person["login"], "password": person["password"]})
        yield client


async def a_complaint(world: World, console: httpx.AsyncClient) -> dict[str, Any]:
    """Filed by a patient, and heard by the city: its record."""
    patient = await world.a_patient()
    body = {"person_id": str(patient.person_id), "text": "等候时间太长，没有人说明原因。"}
    filed = await patient.api.call("POST", "/complaints", body)

    async def heard() -> dict[str, Any] | None:
        found = (await console.get("/_test/records", params={"business_no": str(filed["id"])})).json()[
            "records"
        ]
        return found[0] if found else None

    record: dict[str, Any] = await world.until(heard, "the complaint at the city")
    return record


@pytest.mark.parametrize("gone", ["", "gateway-a"])
async def test_a_question_about_a_complaint_is_answered_and_closed(
    world: World, console: httpx.AsyncClient, gone: str
) -> None:
    record = await a_complaint(world, console)
    matter = (await console.post(f"/complaints/{record['id']}")).url.path
    if gone:
        await world.system.kill(gone)
    try:
        asked = await console.post(f"{matter}/ask", data=ORDER)
    finally:
        if gone:
            await world.system.start(gone)
    quality = await world.staff("quality")
    waiting = await quality.api.call("GET", "/inquiries")
    [mine] = [one for one in waiting if one["words"] == ORDER["words"] and one["state"] == "open"]
    await quality.api.call(
        "POST", f"/inquiries/{mine['id']}/answer", {"text": "当日候诊人多，已增派医师并致歉。"}
    )

    answered = await console.post(f"{matter}/answers")
    closed = await console.post(f"{matter}/close", data={"note": "答复属实"})

    assert "已送达，等待答复" in asked.text
    assert "当日候诊人多，已增派医师并致歉。" in unescape(answered.text)
    assert "医院已答复" in answered.text
    assert "答复属实" in closed.text
