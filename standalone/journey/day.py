"""A small day of a hospital, so that desks and the supervisor's console have something to show: a few visits with different ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from standalone.journey.people import Doctor, Patient, Pharmacist
from standalone.journey.visiting import Places, Refused

HYPERTENSION = "I10"
Say = Callable[[str, str], None]
"""Called after each visit: who it was, how it ended."""


@dataclass
class Scene:
    """One visit of somebody who booked and waits."""

    patient: Patient
    doctor: Doctor
    pharmacists: tuple[Pharmacist, Pharmacist]
    visit: dict[str, Any]

    @property
    def number(self) -> str:
        """Of the encounter."""
        return str(self.visit["id"])

    async def talks(self) -> None:
        """Accepted after a look into the history, a few words."""
        await self.doctor.reads_history(self.number)
        await self.doctor.accepts(self.number)
        await self.doctor.says(self.number, "您好，最近按时吃药了吗？血压量过吗？")
        await self.patient.says(self.number, "每天都吃，今早 138/86。")

    async def is_approved(self) -> str:
        """Prescribed and reviewed, by both where the doctor had to give a reason: the prescription's id."""
        prescription, (first, second) = await self.is_prescribed(), self.pharmacists
        if (await first.approves(prescription))["state"] == "checking":
            await second.approves(prescription)
        return prescription

    async def is_prescribed(self) -> str:
        """Recorded, prescribed, over: the prescription's id."""
        await self.talks()
        await self.doctor.writes_record(self.number)
        prescription = await self.doctor.prescribes(self.number)
        await self.doctor.finishes(self.number)
        return prescription


async def dispensed(scene: Scene) -> str:
    """To its end, picked up at the window."""
    prescription = await scene.is_approved()
    ordered = await scene.patient.orders(prescription, "pickup")
    await scene.patient.pays(ordered["payment_id"])
    await scene.pharmacists[0].hands_over(prescription)
    await scene.patient.rates(scene.number)
    return "处方已审核、支付、取药，已评价"


async def waits_for_payment(scene: Scene) -> str:
    """Approved and not yet paid."""
    await scene.is_approved()
    return "处方已审核，待支付"


async def returned(scene: Scene) -> str:
    """The pharmacist does not agree."""
    await scene.pharmacists[0].returns(await scene.is_prescribed(), "请补充近一周的血压记录后再开具")
    return "处方被药师退回"


async def declined(scene: Scene) -> str:
    """Not one for the internet."""
    await scene.doctor.reads_history(scene.number)
    body = {"reason": "血压波动较大，请到医院当面就诊"}
    await scene.doctor.api.call("POST", f"/encounters/{scene.number}/decline", body)
    return "医师未接诊，已退费"


async def referred(scene: Scene) -> str:
    """Begun, and stopped."""
    await scene.talks()
    body = {"reason": "需要查体和心电图", "advice_given": False}
    await scene.doctor.api.call("POST", f"/encounters/{scene.number}/refer-offline", body)
    return "问诊中止，转线下"


async def complained(scene: Scene) -> str:
    """Over, and not content."""
    await scene.talks()
    await scene.doctor.writes_record(scene.number)
    await scene.doctor.finishes(scene.number)
    body = {
        "person_id": scene.patient.person_id,
        "encounter_id": scene.number,
        "text": "候诊时间较长，希望能提前告知。",
    }
    await scene.patient.api.call("POST", "/complaints", body)
    return "问诊完成，患者投诉"


async def cancelled(scene: Scene) -> str:
    """She does not wait after all."""
    await scene.patient.api.call("POST", f"/appointments/{scene.visit['appointment_id']}/cancel")
    return "患者取消预约"


SCENES: tuple[Callable[[Scene], Awaitable[str]], ...] = (
    dispensed, waits_for_payment, returned, declined, referred, complained, cancelled,
)  # fmt: skip


async def play_day(where: Places, demo: dict[str, Any], crowd: list[dict[str, Any]], say: Say) -> int:
    """One visit for each end; one that does not work out is said and left. How many did."""
    people = [one for one in crowd if one["asks_for"].startswith(HYPERTENSION)]
    pharmacists = (Pharmacist(where, demo["second_pharmacist"]), Pharmacist(where, demo["pharmacist"]))
    doctors: dict[str, Doctor] = {}
    played = 0
    try:
        for one in pharmacists:
            await one.is_on_duty()
        for scene, person in zip(SCENES, people, strict=False):
            own = [one for one in demo["doctors"] if one["department"] == person["department"]][-1]
            doctor = doctors.setdefault(str(own["login"]), Doctor(where, own))  # who is signed in stays so
            patient = Patient(where, person)
            try:
                if not doctor.id:
                    await doctor.is_on_duty()
                await patient.is_ready()
                visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
                say(str(person["name"]), await scene(Scene(patient, doctor, pharmacists, visit)))
                played += 1
            except (Refused, TimeoutError, IndexError) as problem:
                say(str(person["name"]), f"没有演完：{problem}")
            finally:
                await patient.close()
    finally:
        for staff in (*pharmacists, *doctors.values()):
            await staff.close()
    return played
