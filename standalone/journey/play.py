"""One whole visit in the fifteen steps of the design, each with who does it and how long it took."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from standalone.journey.people import Courier, Doctor, Patient, Pharmacist
from standalone.journey.picture import a_picture
from standalone.journey.visiting import Api, Places, Refused, until

Shown = Callable[[int, str, str, str, float], None]
"""Called after each step: number, who, what, resulting state, milliseconds."""


@dataclass
class Play:
    """A visit being played; `facts` collects what later steps and the summary need. `shared`: others use the system too."""

    places: Places
    patient: Patient
    doctor: Doctor
    pharmacist: Pharmacist
    courier: Courier
    shown: Shown
    shared: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    steps: int = 0

    async def run(self) -> dict[str, Any]:
        """All steps; returns the summary line."""
        begun = time.monotonic()
        table: list[tuple[str, str, Callable[[], Awaitable[str]]]] = [
            ("患者", "微信登录，绑定手机号", self.login),
            ("患者", "实名认证", self.verify),
            ("患者", "签署知情同意书", self.consent),
            ("患者", "复诊资格核对（经前置机查询医院）", self.eligibility),
            ("患者", "预约号源", self.book),
            ("患者", "支付诊查费并候诊", self.pay_registration),
            ("医生", "手机收到通知，查阅病历，接诊", self.accept),
            ("双方", "文字、图片问诊，同意视频录像", self.talk),
            ("医生", "书写并签署病历，开具并签署处方", self.write),
            ("药师", "审核处方并签名", self.review),
            ("患者", "选择配送，支付药费", self.pay_drugs),
            ("药师、快递员", "发药、配送、签收", self.deliver),
            ("系统", "分步回写医院", self.written_back),
            ("患者", "结束问诊后评价", self.rate),
            ("监管", "事件全部上报并被受理", self.supervised),
        ]
        for who, what, step in table:
            at = time.monotonic()
            state = await step()
            self.steps += 1
            self.shown(self.steps, who, what, state, (time.monotonic() - at) * 1000)
        figures = self.facts["figures"]
        return {
            "journey": "ok", "steps": self.steps, "seconds": round(time.monotonic() - begun, 2),
            "events": figures["routed"], "supervision_accepted": figures["accepted"],
            "supervision_missing": figures["missing"],
        }  # fmt: skip

    async def login(self) -> str:
        """1."""
        await self.patient.logs_in()
        return "logged in"

    async def verify(self) -> str:
        """2."""
        await self.patient.verifies()
        return "verified"

    async def consent(self) -> str:
        """3."""
        await self.patient.consents()
        return "given"

    async def eligibility(self) -> str:
        """4."""
        self.facts["decision"] = await self.patient.asks()
        if self.facts["decision"]["outcome"] == "refused":
            raise Refused(409, {"code": "not_eligible", "detail": self.facts["decision"]["words"]})
        return str(self.facts["decision"]["outcome"])

    async def book(self) -> str:
        """5."""
        await self.doctor.is_on_duty()
        slot = await self.patient.free_slot(doctor=self.doctor.id)
        self.facts["appointment"] = await self.patient.books(slot, self.facts["decision"])
        return str(self.facts["appointment"]["state"])

    async def pay_registration(self) -> str:
        """6."""
        booked = self.facts["appointment"]
        await self.patient.pays(booked["payment_id"])
        visit = await self.patient.waits(booked["id"])
        self.facts["encounter"] = visit["id"]
        return f"{visit['appointment_state']}, encounter {visit['state']}"

    async def accept(self) -> str:
        """7."""
        encounter = self.facts["encounter"]
        assert self.doctor.phone is not None
        notice = await self.doctor.phone.message("TPL_VISIT_WAITING", encounter)
        history = await self.doctor.reads_history(encounter)
        visit = await self.doctor.accepts(encounter)
        return f"{visit['state']} ({len(history['visits'])} visits read, link {notice['url'].rsplit('/', 2)[-2]}/…)"

    async def talk(self) -> str:
        """8."""
        encounter = self.facts["encounter"]
        await self.doctor.says(encounter, "您好，最近血压控制得怎么样？")
        await self.patient.says(encounter, "早晨偏高，150/95 左右。")
        path = f"/encounters/{encounter}/attachments"
        headers = {"content-type": "image/png"}
        stored = await self.patient.api.call("POST", path, content=a_picture(), headers=headers)
        body = {
            "type": "say",
            "client_id": f"picture-{stored['id']}",
            "kind": "image",
            "attachment_id": stored["id"],
        }
        await self.patient.api.call("POST", f"/encounters/{encounter}/messages", body)
        await self.patient.api.call("POST", f"/encounters/{encounter}/recording-consent")
        ticket = await self.doctor.api.call("POST", f"/encounters/{encounter}/room")
        seen = await self.doctor.api.call("GET", f"/encounters/{encounter}/messages")
        return f"{len(seen)} messages, video at {ticket['url'].split('/rooms/')[0]}"

    async def write(self) -> str:
        """9."""
        encounter = self.facts["encounter"]
        await self.doctor.writes_record(encounter)
        self.facts["prescription"] = await self.doctor.prescribes(encounter)
        await self.doctor.finishes(encounter)
        return "record signed, prescription in-review, encounter completed"

    async def review(self) -> str:
        """10."""
        await self.pharmacist.is_on_duty()
        found = await self.pharmacist.approves(self.facts["prescription"])
        return str(found["state"])

    async def pay_drugs(self) -> str:
        """11."""
        ordered = await self.patient.orders(self.facts["prescription"])
        await self.patient.pays(ordered["payment_id"])
        return f"{ordered['amount'] / 100:.2f} yuan paid"

    async def deliver(self) -> str:
        """12."""
        prescription = self.facts["prescription"]
        await self.pharmacist.hands_over(prescription)

        async def shipped() -> str | None:
            order = await self.patient.dispense(prescription)
            return order["waybill"] or None

        waybill = await until(shipped, "the waybill")
        await self.courier.delivers(waybill)
        order = await self.patient.dispense(prescription, "completed")
        return f"{order['state']}, {len(order['way'])} lines of the parcel"

    async def written_back(self) -> str:
        """13."""
        appointment = self.facts["appointment"]["id"]

        async def look() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = await self.doctor.api.call(
                "GET", f"/appointments/{appointment}/write-backs"
            )
            return found if len(found) >= 6 and all(step["acknowledged_at"] for step in found) else None

        found = await until(look, "the hospital's acknowledgements")
        return f"{len(found)} steps acknowledged"

    async def rate(self) -> str:
        """14."""
        await self.patient.rates(self.facts["encounter"])
        return "rated"

    async def supervised(self) -> str:
        """15: nothing of this visit is missing; nor of the whole system when it is ours alone."""
        adapter = Api(self.places.adapter_health, "")
        seen: dict[str, Any] = {}

        async def look() -> bool:
            seen["figures"] = await adapter.call("GET", "/figures")
            seen["open"] = await self._open(adapter)
            return not seen["open"] and (self.shared or seen["figures"]["missing"] == 0)

        try:
            await until(look, "the supervisor's receipts", 60)
        except TimeoutError as late:
            lines = [line for line in seen["figures"]["by_method"] if line["accepted"] < line["routed"]]
            raise TimeoutError(f"{late}; of this visit: {seen['open']}; in all: {lines}") from late
        finally:
            await adapter.close()
        self.facts["figures"] = seen["figures"]
        return f"{seen['figures']['accepted']} records accepted, {seen['figures']['missing']} missing"

    async def _open(self, adapter: Api) -> list[str]:
        """What the supervisor does not have of this visit."""
        feed = await self.doctor.api.call("GET", f"/appointments/{self.facts['appointment']['id']}/feed")
        waiting = [] if feed["undelivered"] == 0 else [f"{feed['undelivered']} events not delivered"]
        for event_id in feed["event_ids"]:
            found = (await adapter.call("GET", f"/submissions?event_id={event_id}"))["submissions"]
            waiting += [f"{one['method']} {one['state']}" for one in found if one["state"] != "accepted"]
        return waiting
