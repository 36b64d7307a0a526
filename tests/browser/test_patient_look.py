"""Every patient's screen is readable and can be hit, in normal and large print, by day and by night. Measured in the page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.on_the_phone import CARE, NORMAL, flaws, flaws_by_day_and_night, front, on_the_phone_of
from tests.world import World

pytestmark = pytest.mark.anyio

Ids = dict[str, str]
SCREENS: dict[str, Callable[[Ids], str]] = {
    "home": lambda _: "/",
    "login": lambda _: "/login",
    "phone": lambda _: "/phone",
    "persons": lambda _: "/persons",
    "person": lambda ids: f"/persons/{ids['person']}",
    "real name": lambda _: "/persons/new",
    "child": lambda _: "/persons/new?kind=guardian",
    "code": lambda _: "/grants/new",
    "consent": lambda ids: f"/persons/{ids['person']}/consent",
    "diagnoses": lambda ids: f"/book/{ids['person']}",
    "doctors": lambda ids: f"/book/{ids['person']}/doctors?decides=1",
    "times": lambda ids: f"/book/{ids['person']}/doctors/{ids['doctor']}",
    "confirm": lambda ids: f"/book/{ids['person']}/doctors/{ids['doctor']}/slots/{ids['slot']}",
    "bill": lambda ids: f"/payments/{ids['unpaid']}",
    "paid": lambda ids: f"/payments/{ids['paid']}/result",
    "unpaid visit": lambda ids: f"/visits/{ids['unpaid visit']}",
    "waiting": lambda ids: f"/visits/{ids['waiting']}",
    "chat": lambda ids: f"/visits/{ids['ended']}/chat",
    "ended": lambda ids: f"/visits/{ids['ended']}",
    "record": lambda ids: f"/visits/{ids['ended']}/record",
    "prescription": lambda ids: f"/prescriptions/{ids['prescription']}",
    "evaluation": lambda ids: f"/visits/{ids['ended']}/evaluation",
    "visits": lambda _: "/visits",
    "payments": lambda _: "/payments",
    "messages": lambda _: "/messages",
    "mine": lambda _: "/mine",
    "complaints": lambda _: "/complaints",
    "complaint": lambda _: "/complaints/new",
    "documents": lambda _: "/documents",
    "document": lambda _: "/documents/booking_rules",
    "prices": lambda _: "/prices",
    "price versions": lambda _: "/prices/versions",
    "price version": lambda _: "/prices/versions/2026.1",
    "refund rules": lambda _: "/refund-rules",
    "who got the places": lambda _: "/fairness",
    "paying for others": lambda _: "/pay",
    "doctors' list": lambda _: "/doctors",
    "offline": lambda _: "/offline",
    "nowhere": lambda _: "/nowhere",
}
RUNNING: dict[str, Callable[[Ids], str]] = {
    "chat": lambda ids: f"/visits/{ids['talking']}/chat",
    "recording": lambda ids: f"/visits/{ids['talking']}/video",
}


@pytest.fixture(scope="session")
async def lived(world: World) -> tuple[Any, Ids]:
    """Somebody who has been through everything, and ids of what she has."""
    patient, doctor, other = await world.a_patient(), await world.doctor(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    await doctor.says(visit["id"], "您好")
    await doctor.writes_record(visit["id"])
    prescription = await doctor.prescribes(visit["id"], reason="患者行动不便")
    await doctor.finishes(visit["id"])
    await world.passes(prescription)
    first = await patient.appointment(visit["appointment_id"])
    waiting = await patient.sees_doctor(await patient.free_slot(doctor=other.id))
    slot = await patient.free_slot(doctor=(await world.doctor()).id)
    unpaid = await patient.books(slot, await patient.asks())
    return patient, {
        "person": patient.person_id, "doctor": slot["practitioner_id"], "slot": slot["id"], "paid": first["payment_id"],
        "unpaid": unpaid["payment_id"], "unpaid visit": unpaid["id"], "waiting": waiting["appointment_id"],
        "ended": visit["appointment_id"], "prescription": prescription,
    }  # fmt: skip


async def all_flaws(
    page: Page, world: World, ids: Ids, screens: Any, least: tuple[float, float]
) -> dict[str, list[str]]:
    """By screen."""
    found = {}
    for name, path in screens.items():
        await page.goto(front(world, path(ids)))
        await expect(page.locator(".ghost, .loading")).to_have_count(0)
        if seen := await flaws_by_day_and_night(page, least):
            found[name] = seen
    return found


async def test_every_screen_is_readable_and_can_be_hit(
    world: World, browser: Browser, lived: tuple[Any, Ids]
) -> None:
    patient, ids = lived
    async with on_the_phone_of(browser, world, patient) as page:
        assert await all_flaws(page, world, ids, SCREENS, NORMAL) == {}


async def test_every_screen_in_large_print_is_larger_still(
    world: World, browser: Browser, lived: tuple[Any, Ids]
) -> None:
    patient, ids = lived
    async with on_the_phone_of(browser, world, patient) as page:
        await page.get_by_role("button", name="长辈版").first.click()
        await expect(page.locator("html.care")).to_have_count(1)

        assert await all_flaws(page, world, ids, SCREENS, CARE) == {}


@pytest.mark.parametrize("least", [NORMAL, CARE])
async def test_conversation_and_call_are_readable_while_they_run(
    world: World, browser: Browser, least: tuple[float, float]
) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    await doctor.says(visit["id"], "您好，请把近一周的血压写给我。")
    await patient.says(visit["id"], "好的，早上 150/95，晚上 140/90。")
    ids = {"talking": visit["appointment_id"]}
    options = {"permissions": ["camera", "microphone"]}
    async with on_the_phone_of(browser, world, patient, **options) as page:
        if least == CARE:
            await page.get_by_role("button", name="长辈版").first.click()

        assert await all_flaws(page, world, ids, RUNNING, least) == {}
        await page.get_by_role("button", name="同意录像").click()
        await page.click("#call-start")
        await expect(page.locator("#call-keys")).to_be_visible()
        assert await flaws(page, least) == []


async def test_the_entry_to_large_print_is_on_the_first_page_and_under_mine(
    world: World, browser: Browser
) -> None:
    async with on_the_phone_of(browser, world, await world.a_patient()) as page:
        await expect(page.locator(".hero").get_by_role("button", name="长辈版")).to_be_visible()
        await page.goto(front(world, "/mine"))
        switch = page.get_by_role("switch", name="长辈版")
        await expect(switch).to_have_attribute("aria-checked", "false")

        await switch.click()

        await expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
        await expect(page.locator("html")).to_have_css("font-size", "21px")
