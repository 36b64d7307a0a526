"""`make pictures`: plays one visit in a browser and writes the pictures of both READMEs, with the lines that show them.

The system is started afresh with its own people, so that a picture never shows what somebody typed into a demo.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from standalone.journey import Doctor, Patient
from tests.browser.on_the_phone import front, log_in
from tests.browser.screens import PHONE, WIDE, chrome
from tests.browser.signing_in import fill_login
from tests.world import HYPERTENSION, World, running_world

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
BEGIN, END = "<!-- tour: pictures are put between these marks by tests/pictures.py -->", "<!-- /tour -->"
WORKER = 40
"""Ports of its own, beside those of test runs."""


@dataclass(frozen=True)
class Picture:
    """A file of docs/pictures and what the two READMEs say under it."""

    name: str
    english: str
    chinese: str
    wide: bool = False


TOUR = (
    Picture("home", "The patient's first page", "患者首页"),
    Picture("waiting", "Waiting: how many are ahead", "候诊：前面还有几位"),
    Picture("chat", "The consultation", "图文问诊"),
    Picture("prescribing", "The engine answers while the doctor chooses", "选药时即时审方提示"),
    Picture("prescription", "A prescription on its way home", "处方与配送"),
    Picture("care", "The same in large type", "长辈版"),
    Picture("review", "The pharmacist's desk", "药师审方", wide=True),
    Picture("console", "The supervisor's console", "监管员工作台", wide=True),
)


@asynccontextmanager
async def a_page(browser: Browser, size: tuple[int, int]) -> AsyncIterator[Page]:
    """A window that draws two dots for each pixel."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, device_scale_factor=2, locale="zh-CN"
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def keep(page: Page, name: str) -> None:
    """The window as it is now, once nothing loads any more."""
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82, animations="disabled")
    sys.stderr.write(f"{name}\n")


async def as_patient(world: World, browser: Browser, patient: Patient, shown: list[tuple[str, str]]) -> None:
    """Pages of the patient: (picture, path)."""
    async with a_page(browser, PHONE) as page:
        await log_in(page, world, str(patient.person["openid"]))
        for name, path in shown:
            await page.goto(front(world, path))
            await page.locator(".loading").first.wait_for(state="detached")
            await keep(page, name)


async def in_large_type(world: World, browser: Browser, patient: Patient) -> None:
    """Her first page after the button for old eyes."""
    async with a_page(browser, PHONE) as page:
        await log_in(page, world, str(patient.person["openid"]))
        await page.get_by_role("button", name="长辈版").first.click()
        await page.locator("html.care").wait_for()
        await keep(page, "care")


async def prescribing(world: World, browser: Browser, doctor: Doctor, visit: dict[str, Any]) -> None:
    """A dose that is too high, and what the engine says beside it."""
    async with a_page(browser, PHONE) as page:
        path = f"/doctor/visits/{visit['id']}/prescriptions/new"
        await page.goto(front(world, path))
        await fill_login(page, world, doctor.person)
        await page.goto(front(world, path))
        await page.fill("#find", "苯磺酸氨氯")
        await page.locator("#found [role=option]", has_text="苯磺酸氨氯地平片").first.click()
        await page.fill("[name=dose]", "100")
        await page.locator(".line-findings", has_text="超过最大").wait_for()
        await page.locator("[name=dose]").scroll_into_view_if_needed()
        await keep(page, "prescribing")


async def reviewing(world: World, browser: Browser, prescription: str) -> None:
    """The pharmacist before she decides."""
    async with a_page(browser, WIDE) as page:
        await page.goto(f"{world.places.api}/desk")
        await fill_login(page, world, world.demo["second_pharmacist"])
        await page.goto(f"{world.places.api}/desk/shift")
        await page.fill("[name=pin]", str(world.demo["second_pharmacist"]["pin"]))
        await page.get_by_role("button", name="开始上班").click()
        await page.goto(f"{world.places.api}/desk/reviews/{prescription}")
        await keep(page, "review")


async def watching(world: World, browser: Browser) -> None:
    """The city's side."""
    supervisor = world.demo["supervisor"]
    async with a_page(browser, WIDE) as page:
        await page.goto(world.places.supervision)
        await page.fill("[name=login]", str(supervisor["login"]))
        await page.fill("[name=password]", str(supervisor["password"]))
        await page.press("[name=password]", "Enter")
        await page.get_by_role("heading", name="监管看板").wait_for()
        await keep(page, "console")


async def tour(world: World, browser: Browser) -> None:
    """One visit, with a picture where there is something to see."""
    doctor = await world.doctor()
    others = [await world.a_patient() for _ in range(2)]
    for other in others:
        await other.sees_doctor(await other.free_slot(doctor=doctor.id))
    patient = await world.a_patient(code=HYPERTENSION)
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    shown = [("home", "/"), ("waiting", f"/visits/{visit['appointment_id']}")]
    await as_patient(world, browser, patient, shown)
    await in_large_type(world, browser, patient)
    await doctor.accepts(visit["id"])
    await doctor.says(visit["id"], "您好，最近按时吃药了吗？血压量过吗？")
    await patient.says(visit["id"], "每天早上都吃，今早 138/86。")
    await doctor.says(visit["id"], "控制得不错，我们继续原来的方案。")
    await as_patient(world, browser, patient, [("chat", f"/visits/{visit['appointment_id']}/chat")])
    await prescribing(world, browser, doctor, visit)
    await doctor.writes_record(visit["id"])
    prescription = await doctor.prescribes(visit["id"], reason="病情稳定，续用原方案")
    await doctor.finishes(visit["id"])
    await reviewing(world, browser, prescription)
    pharmacist = await world.pharmacist()
    await world.passes(prescription)
    ordered = await patient.orders(prescription)
    await patient.pays(ordered["payment_id"])
    await pharmacist.hands_over(prescription)
    parcel = await world.until(lambda: _waybill(patient, prescription), "a waybill")
    await world.courier().reports(parcel, "collected")
    await as_patient(world, browser, patient, [("prescription", f"/prescriptions/{prescription}")])
    await watching(world, browser)


async def _waybill(patient: Patient, prescription: str) -> str | None:
    return (await patient.dispense(prescription))["waybill"] or None


def lines(chinese: bool) -> str:
    """What stands between the marks of a README."""
    said = []
    for one in TOUR:
        words = one.chinese if chinese else one.english
        width = 640 if one.wide else 210
        said.append(f'<img src="docs/pictures/{one.name}.jpg" width="{width}" alt="{words}" title="{words}">')
    return "\n".join([BEGIN, *said, END])


def between_the_marks(file: Path, text: str) -> None:
    """Put `text` where the marks are."""
    whole = file.read_text(encoding="utf-8")
    before, _, rest = whole.partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(before + text + after, encoding="utf-8")


async def main() -> None:
    """Pictures first, then the lines that show them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with running_world(WORKER) as world, chrome() as browser:
        await tour(world, browser)
    between_the_marks(ROOT / "README.md", lines(chinese=False))
    between_the_marks(ROOT / "README.zh-CN.md", lines(chinese=True))


if __name__ == "__main__":
    asyncio.run(main())
