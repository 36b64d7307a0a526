"""Days of money, from the phone to the closed books: a system of its own, for its clock moves by days."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from standalone.journey import Patient
from standalone.journey.visiting import Refused
from tests.world import World, running_world

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEEDED = {"api", "worker", "gateway-a", "his", "supervision", "wechat", "identity", "ca", "ebill"}


@pytest.fixture(scope="module")
async def hospital(worker: int) -> AsyncIterator[World]:
    """No video, no couriers, no feed: money alone."""
    async with running_world(worker, NEEDED) as world:
        yield world


async def to(world: World, hour: int, minute: int, *, days: int = 0) -> None:
    """To that time of day in Shanghai, so many days on."""
    now = world.clock.now()
    there = (now.astimezone(SHANGHAI) + timedelta(days=days)).replace(hour=hour, minute=minute, second=0)
    await world.moves_on(seconds=(there - now).total_seconds())


async def pays_for_a_visit(world: World) -> tuple[Patient, dict[str, Any]]:
    """A patient with a paid place some hours from now."""
    patient = await world.a_patient()
    soonest = world.clock.now() + timedelta(hours=3)
    later = [one for one in await patient.times() if one["remaining"] and starts(one) > soonest]
    held = await patient.books(later[0], await patient.asks())
    await patient.pays(held["payment_id"])
    return patient, await patient.appointment(held["id"])


def starts(slot: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(slot["starts_at"])


async def day(world: World, back: int = 1) -> dict[str, Any]:
    """Yesterday's books, as the clerk sees them."""
    clerk = await world.staff("clerk")
    wanted = ((world.clock.now()).astimezone(SHANGHAI) - timedelta(days=back)).date().isoformat()
    found = {one["day"]: one for one in await clerk.api.call("GET", "/reconciliation")}
    return dict(found.get(wanted, {}))


async def compared(world: World, state: str) -> dict[str, Any]:
    """Yesterday's books, once they are in this state."""

    async def look() -> dict[str, Any] | None:
        row = await day(world)
        return row if row.get("state") == state else None

    return await world.until(look, f"the books to be {state}", 60)


async def refunded(world: World, patient: Patient, payment_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        bill: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}")
        return bill if bill["refunds"] and bill["refunds"][0]["state"] == "succeeded" else None

    for _ in range(5):
        try:
            return await world.until(look, "the refund", 8)
        except TimeoutError:
            await world.moves_on(minutes=2)
    raise AssertionError("the refund never came")


async def test_a_day_without_differences_closes_itself(hospital: World) -> None:
    world = hospital
    await to(world, 9, 0, days=1)
    first, _ = await pays_for_a_visit(world)
    second, booked = await pays_for_a_visit(world)
    await second.api.call("POST", f"/appointments/{booked['id']}/cancel")
    bill = await refunded(world, second, booked["payment_id"])
    assert bill["refunds"][0]["reason"] == "您在就诊开始前取消了预约"
    assert first.api.token != second.api.token

    await to(world, 10, 5, days=1)

    closed = await compared(world, "closed")
    run = closed["last_run"]
    assert (run["differences"], run["entries"] >= 7) == (0, True)
    assert run["ours_charged"] == run["provider_charged"] == run["hospital_charged"] >= 2 * 3000
    assert run["ours_refunded"] == run["provider_refunded"] == run["hospital_refunded"] == bill["amount"]


async def test_one_fen_is_a_difference_that_a_person_settles(hospital: World) -> None:
    world = hospital
    patient, booked = await pays_for_a_visit(world)
    bill = await patient.api.call("GET", f"/payments/{booked['payment_id']}")
    await to(world, 9, 55, days=1)
    await world.faults("wechat", bill_off_by_one=True)
    try:
        await to(world, 10, 5)
        differing = await compared(world, "differing")
    finally:
        await world.faults("wechat")

    clerk = await world.staff("clerk")
    found = await clerk.api.call("GET", f"/reconciliation/{differing['id']}")
    amounts = [one for one in found["differences"] if one["kind"] == "amount_provider"]
    assert [(one["theirs"] - one["mine"], one["payment_id"]) for one in amounts] == [
        (1, booked["payment_id"])
    ]
    assert amounts[0]["mine"] == bill["amount"]
    with pytest.raises(Refused) as refused:
        await clerk.api.call(
            "POST", f"/differences/{amounts[0]['id']}/settle", {"resolution": "written_off", "note": ""}
        )
    assert refused.value.fields == ["note"]
    for one in found["differences"]:
        await clerk.api.call(
            "POST", f"/differences/{one['id']}/settle",
            {"resolution": "explained_by_provider", "note": "微信支付已更正账单"},
        )  # fmt: skip

    closed = await compared(world, "closed")
    assert (closed["open_differences"], closed["closed_at"] is not None) == (0, True)
    report = await clerk.api.raw("GET", f"/reconciliation/{differing['id']}/csv")
    assert report.content.startswith(b"\xef\xbb\xbf")
    assert "微信支付已说明原因" in report.content.decode("utf-8-sig")


async def test_prices_change_for_everybody_with_the_day_and_not_before(hospital: World) -> None:
    world = hospital
    clerk, admin = await world.staff("clerk"), await world.staff("admin")
    before = await clerk.api.call("GET", "/prices")
    draft = await clerk.api.call("POST", "/price-lists", {"note": "年度调价（示例）"})
    here = f"/price-lists/{draft['sheet']['id']}"
    for one in before:
        if one["code"].startswith("visit."):
            body = {
                "code": one["code"],
                "name": one["name"],
                "yuan": f"{one['amount'] // 100 + 5}",
                "basis": "示例",
            }
            draft = await clerk.api.call("POST", f"{here}/set", body)
    tomorrow = ((world.clock.now()).astimezone(SHANGHAI) + timedelta(days=1)).date().isoformat()
    approval = {"effective_on": tomorrow, "seen": draft["sheet"]["content_hash"]}
    with pytest.raises(Refused) as refused:
        await clerk.api.call("POST", f"{here}/approve", approval)
    assert refused.value.code == "four_eyes"
    await admin.api.call("POST", f"{here}/approve", approval)
    assert await clerk.api.call("GET", "/prices") == before

    await to(world, 8, 0, days=1)
    patient, booked = await pays_for_a_visit(world)

    bill = await patient.api.call("GET", f"/payments/{booked['payment_id']}")
    assert {line["price_version"] for line in bill["lines"]} == {draft["sheet"]["version"]}
    assert bill["amount"] in {one["amount"] + 500 for one in before}
    versions = await patient.api.call("GET", "/prices/versions")
    assert [one["version"] for one in versions][:2] == [draft["sheet"]["version"], before[0]["version"]]
    assert versions[1]["ended_on"] == tomorrow


async def test_a_refund_by_agreement_takes_two_people(hospital: World) -> None:
    world = hospital
    patient, booked = await pays_for_a_visit(world)
    clerk, admin = await world.staff("clerk"), await world.staff("admin")
    proposed = await clerk.api.call(
        "POST", f"/payments/{booked['payment_id']}/refunds", {"yuan": "10", "note": "等候过久，协商退还"}
    )
    assert proposed["state"] == "proposed"
    with pytest.raises(Refused) as refused:
        await clerk.api.call("POST", f"/refunds/{proposed['id']}/approve", {})
    assert refused.value.code == "four_eyes"

    await admin.api.call("POST", f"/refunds/{proposed['id']}/approve", {"note": "同意"})

    bill = await refunded(world, patient, booked["payment_id"])
    assert bill["refunds"][0]["amount"] == 1000
    shown = await clerk.api.call("GET", f"/refunds/{proposed['id']}")
    assert (shown["rule_id"], shown["state"], bool(shown["provider_refund_id"])) == ("M01", "succeeded", True)
