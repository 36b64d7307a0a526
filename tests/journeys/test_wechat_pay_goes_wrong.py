"""WeChat Pay at its worst: whatever it does, no fen is lost, none counts twice, and only its own receipt proves a refund.

A system of its own, for money alone: its clock moves and its WeChat misbehaves.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from standalone.journey import Patient
from standalone.journey.visiting import Refused
from tests.world import World, running_world

NEEDED = {"api", "worker", "gateway-a", "his", "supervision", "wechat", "identity", "ca", "ebill"}
CARD = {
    "way": "user_card",
    "bank_type": "ICBC_DEBIT",
    "card_number": "6200000000000009999",
    "card_holder": "林秀兰",
}


@pytest.fixture(scope="module")
async def hospital(worker: int) -> AsyncIterator[World]:
    """In public-key mode."""
    async with running_world(worker, NEEDED) as world:
        yield world


@pytest.fixture
async def world(hospital: World) -> AsyncIterator[World]:
    """WeChat behaves again after each test."""
    yield hospital
    await hospital.faults("wechat")


async def held(world: World) -> tuple[Patient, dict[str, Any]]:
    """A place some hours from now, and its unpaid bill."""
    patient = await world.a_patient()
    soonest = world.clock.now() + timedelta(hours=3)
    later = [
        one
        for one in await patient.times()
        if one["remaining"] and datetime.fromisoformat(one["starts_at"]) > soonest
    ]
    booked = await patient.books(later[0], await patient.asks())
    return patient, await bill(patient, booked["payment_id"])


async def bill(patient: Patient, payment_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}")
    return found


async def pays(patient: Patient, payment_id: str) -> None:
    """As `Patient.pays`, but she does not look at the result: nobody asks WeChat for her."""
    parameters = await patient.api.call("POST", f"/payments/{payment_id}/prepay")
    assert await patient.phone.pay(parameters) == "requestPayment:ok"


async def becomes(
    world: World, patient: Patient, payment_id: str, state: str, *, steps: int = 8, minutes: float = 2
) -> dict[str, Any]:
    """The bill once it (or its newest refund, `refund:…`) is in this state; the clock moves on while nothing happens."""

    async def look() -> dict[str, Any] | None:
        found = await bill(patient, payment_id)
        if not state.startswith("refund:"):
            return found if found["state"] == state else None
        return found if found["refunds"] and found["refunds"][-1]["state"] == state[7:] else None

    for _ in range(steps):
        try:
            return await world.until(look, state, 5)
        except TimeoutError:
            await world.moves_on(minutes=minutes)
    raise AssertionError(f"{state} never came: {await bill(patient, payment_id)}")


async def cancels(patient: Patient, paid: dict[str, Any]) -> None:
    await patient.api.call("POST", f"/appointments/{paid['subject_id']}/cancel")


async def refund_of(world: World, payment_id: str, view: str = "all") -> dict[str, Any]:
    clerk = await world.staff("clerk")
    found = [
        one for one in await clerk.api.call("GET", f"/refunds?view={view}") if one["payment_id"] == payment_id
    ]
    return dict(found[0])


async def ringing(world: World, kind: str) -> list[dict[str, Any]]:
    clerk = await world.staff("clerk")
    return [one for one in await clerk.api.call("GET", "/alarms") if one["kind"] == kind]


async def of_wechat(world: World, path: str) -> Any:
    """One of the mock's own pages for testers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{world.places.wechat}{path}")).json()


async def notices(world: World, number: str) -> list[dict[str, Any]]:
    found = (await of_wechat(world, "/_test/notifications"))["notifications"]
    return [one for one in found if one["subject"] == number]


# Notices


async def test_money_that_nobody_tells_us_about_is_found_by_asking(world: World) -> None:
    await world.faults("wechat", paid_not_notified=True)
    patient, unpaid = await held(world)

    await pays(patient, unpaid["id"])

    paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    assert (await patient.appointment(paid["subject_id"]))["state"] == "booked"


async def test_notices_doubled_late_out_of_order_and_forged_are_one_payment_and_one_refund(
    world: World,
) -> None:
    await world.faults(
        "wechat", duplicate_notifications=1.0, reorder_notifications=True, forge_notifications=1.0,
        delay_notifications_seconds=1, lose_answers=0.5,
    )  # fmt: skip
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    await cancels(patient, paid)

    done = await becomes(world, patient, unpaid["id"], "refund:succeeded")

    assert [one["amount"] for one in done["refunds"]] == [done["amount"]]
    number = unpaid["id"].replace("-", "")

    async def forgeries() -> list[str] | None:
        found = [attempt["note"] for one in await notices(world, number) for attempt in one["attempts"]]
        return found if any("forgery" in note for note in found) else None

    notes = await world.until(forgeries, "the forged notice")
    assert not any("accepted" in note for note in notes)


async def test_a_probe_is_refused_and_its_true_twin_is_taken(world: World) -> None:
    patient, unpaid = await held(world)
    parameters = await patient.api.call("POST", f"/payments/{unpaid['id']}/prepay")
    await world.faults("wechat", signtest=1.0)
    assert await patient.phone.pay(parameters) == "requestPayment:ok"
    number = unpaid["id"].replace("-", "")

    async def refused() -> bool:
        found = await notices(world, number)
        return bool(found and found[0]["attempts"] and found[0]["attempts"][0]["note"] == "probe refused")

    await world.until(refused, "the probe")
    await world.faults("wechat")
    await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)


# Orders


async def test_pressing_pay_until_it_works_pays_once(world: World) -> None:
    patient, unpaid = await held(world)
    for fault in ("server_error_after", "too_many_requests"):
        await world.faults("wechat", only_path="jsapi", **{fault: 1.0})
        with pytest.raises(Refused) as refused:
            await patient.api.call("POST", f"/payments/{unpaid['id']}/prepay")
        assert refused.value.status == 503
    await world.faults("wechat")

    await pays(patient, unpaid["id"])

    await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    with pytest.raises(Refused) as again:
        await patient.api.call("POST", f"/payments/{unpaid['id']}/prepay")
    assert again.value.code == "payment_not_open"


async def test_a_slow_wechat_only_makes_her_wait(world: World) -> None:
    await world.faults("wechat", slow_seconds=1.5)
    patient, unpaid = await held(world)

    await pays(patient, unpaid["id"])

    await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)


async def test_money_that_was_faster_than_the_end_of_the_hold_comes_back_though_nobody_told_us(
    world: World,
) -> None:
    """practice.md 17: the order is closed at the hold's end, WeChat Pay says that it is paid, the query decides."""
    await world.faults("wechat", paid_not_notified=True, server_error=1.0, only_path="out-trade-no")
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    await world.moves_on(minutes=11)
    await becomes(world, patient, unpaid["id"], "cancelled", minutes=0.1)
    await world.faults("wechat")

    done = await becomes(world, patient, unpaid["id"], "refund:succeeded")

    assert (done["state"], done["refunds"][0]["amount"]) == ("confirmed", done["amount"])
    assert done["refunds"][0]["reason"] == "支付时号源保留时间已过"


async def test_an_order_whose_hold_is_over_cannot_be_paid_any_more(world: World) -> None:
    patient, unpaid = await held(world)
    parameters = await patient.api.call("POST", f"/payments/{unpaid['id']}/prepay")
    await world.moves_on(minutes=11)
    await becomes(world, patient, unpaid["id"], "cancelled")

    assert (await patient.phone.pay(parameters)).startswith("requestPayment:fail")


# Refunds


async def an_abnormal_refund(world: World) -> tuple[Patient, dict[str, Any], dict[str, Any]]:
    """Patient, bill and refund."""
    await world.faults("wechat", refund_outcome="ABNORMAL")
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    await cancels(patient, paid)
    await becomes(world, patient, unpaid["id"], "refund:abnormal")
    return patient, paid, await refund_of(world, paid["id"], "abnormal")


async def test_a_refund_that_cannot_arrive_is_sent_to_her_card_by_the_money_desk(world: World) -> None:
    patient, paid, refund = await an_abnormal_refund(world)
    clerk = await world.staff("clerk")
    (rung,) = [one for one in await ringing(world, "refund_abnormal") if refund["id"] in one["link"]]
    assert rung["link"] == f"/desk/refunds/{refund['id']}"

    sent = await clerk.api.call("POST", f"/refunds/{refund['id']}/redirect", CARD)

    assert (sent["card_tail"], sent["accepted_at"]) == ("9999", None)
    done = await becomes(world, patient, paid["id"], "refund:succeeded", minutes=31)
    assert done["refunds"][0]["amount"] == paid["amount"]
    assert not [one for one in await ringing(world, "refund_abnormal") if refund["id"] in one["link"]]


async def test_what_went_back_to_the_hospital_is_refunded_when_she_has_it(world: World) -> None:
    patient, paid, refund = await an_abnormal_refund(world)
    clerk = await world.staff("clerk")
    await clerk.api.call("POST", f"/refunds/{refund['id']}/redirect", {"way": "hospital"})

    async def with_us() -> bool:
        return any(refund["id"] in one["link"] for one in await ringing(world, "refund_to_hand_over"))

    await world.until(with_us, "the money at the hospital", 20)
    assert (await bill(patient, paid["id"]))["refunds"][0]["state"] == "abnormal"
    evidence = {"evidence": "银行转账 20261123-0001"}
    with pytest.raises(Refused) as refused:
        await (await world.staff("clerk")).api.call("POST", f"/refunds/{refund['id']}/hand-over", evidence)
    assert refused.value.code == "four_eyes"

    await (await world.staff("admin")).api.call("POST", f"/refunds/{refund['id']}/hand-over", evidence)

    assert (await bill(patient, paid["id"]))["refunds"][0]["state"] == "succeeded"


async def test_a_refund_that_wechat_closed_is_asked_for_anew(world: World) -> None:
    await world.faults("wechat", refund_outcome="CLOSED")
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    await cancels(patient, paid)
    await becomes(world, patient, unpaid["id"], "refund:closed")
    await world.faults("wechat")
    closed = await refund_of(world, paid["id"], "abnormal")

    await (await world.staff("clerk")).api.call("POST", f"/refunds/{closed['id']}/renew")

    done = await becomes(world, patient, paid["id"], "refund:succeeded")
    assert [one["state"] for one in done["refunds"]] == ["closed", "succeeded"]


async def test_an_empty_merchant_account_rings_and_the_refund_waits_for_it(world: World) -> None:
    await world.faults("wechat", not_enough=1.0)
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
    await cancels(patient, paid)

    async def rung() -> bool:
        return bool(await ringing(world, "refund_not_enough"))

    await world.until(rung, "the alarm")
    assert (await bill(patient, paid["id"]))["refunds"][0]["state"] == "requested"
    await world.faults("wechat")

    await becomes(world, patient, paid["id"], "refund:succeeded", minutes=31)
    assert await ringing(world, "refund_not_enough") == []


# Keys and clocks


async def test_a_new_public_key_is_refused_with_an_alarm_until_somebody_brings_it(world: World) -> None:
    await world.faults("wechat", rotated_key=True)
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])

    async def rung() -> bool:
        return bool(await ringing(world, "wechat_pay_unknown_key"))

    await world.until(rung, "the alarm")
    ((serial, pem),) = (await of_wechat(world, "/_test/keys"))["successors"].items()
    folder = world.system.folder.secrets / "wechat" / "more-public-keys"
    (folder / f"{serial}.pem").write_text(pem, encoding="ascii")
    await world.moves_on(seconds=16)
    number = unpaid["id"].replace("-", "")

    async def taken() -> bool:
        return any(one["accepted"] for one in await notices(world, number))

    await world.until(taken, "the notice that comes again")
    assert await ringing(world, "wechat_pay_unknown_key") == []
    await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)


async def test_a_merchant_who_is_moved_from_certificates_hears_both(world: World) -> None:
    """Notices by certificate, answers by public key: the certificates are fetched when the first one comes."""
    await world.faults("wechat", merchant_kind="migrating")
    patient, unpaid = await held(world)

    await pays(patient, unpaid["id"])

    number = unpaid["id"].replace("-", "")

    async def taken() -> bool:
        return any(one["accepted"] for one in await notices(world, number))

    for _ in range(4):
        try:
            await world.until(taken, "the notice by certificate", 5)
            break
        except TimeoutError:
            await world.moves_on(seconds=61)
    assert await taken()
    await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)


async def test_clocks_that_drift_apart_ring_before_they_hurt(world: World) -> None:
    ahead = (world.clock.now() - datetime.now(world.clock.now().tzinfo)).total_seconds() + 120

    async def wechats_clock(offset: float) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(f"{world.places.wechat}/_test/clock", json={"offset_seconds": offset})

    await wechats_clock(ahead)
    patient, unpaid = await held(world)
    await pays(patient, unpaid["id"])
    await becomes(world, patient, unpaid["id"], "confirmed", steps=1)

    (rung,) = await ringing(world, "wechat_pay_clock")
    assert "慢" in rung["detail"]
    await wechats_clock(ahead - 120)
    await patient.api.call("POST", f"/payments/{unpaid['id']}/refresh")


async def test_the_whole_way_in_certificate_mode(worker: int) -> None:
    """An old merchant: certificates fetched before the first call, and exchanged in mid-run."""
    async with running_world(
        worker, NEEDED, WECHAT_KEY_MODE="certificate", WECHAT_MERCHANT_KIND="old"
    ) as world:
        patient, unpaid = await held(world)
        await pays(patient, unpaid["id"])
        paid = await becomes(world, patient, unpaid["id"], "confirmed", minutes=0.5)
        await world.faults("wechat", rotated_key=True)
        await world.moves_on(minutes=2)

        await cancels(patient, paid)

        done = await becomes(world, patient, paid["id"], "refund:succeeded")
        assert done["refunds"][0]["amount"] == paid["amount"]
