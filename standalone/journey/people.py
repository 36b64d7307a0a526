"""The people of a visit. Each knows only what she would know outside: her phone, her password, her hand-held."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pyotp
import websockets

from foundation.clock import Clock
from standalone.journey.visiting import Api, Places, Refused, until

PATIENT_TEMPLATES = ["TPL_VISIT_ACCEPTED", "TPL_RX_APPROVED", "TPL_SHIPPED"]
AMLODIPINE = {
    "drug_code": "YP001", "dose": "5", "frequency": "qd", "route": "1", "days": 7, "quantity": 1, "note": "晨起服用",
}  # fmt: skip
TIME_TO_PAY = timedelta(minutes=2)
CONTINUED = "病情稳定，续用原方案"
"""Who was here within the month may still have some of it: the engine asks why."""
CHECKS = (
    "department", "patient", "age", "drug", "form", "strength", "quantity", "appearance", "usage", "diagnosis",
)  # fmt: skip


class Phone:
    """A mock phone: what `wx.*` does."""

    def __init__(self, places: Places, openid: str) -> None:
        self.api = Api(places.wechat, f"/phone/{openid}")

    async def login_code(self) -> str:
        """`wx.login`."""
        return str((await self.api.call("POST", "/login", {}))["code"])

    async def phone_code(self) -> str:
        """The phone-number button."""
        return str((await self.api.call("POST", "/phone-code", {}))["code"])

    async def allow(self, templates: list[str]) -> None:
        """`wx.requestSubscribeMessage`."""
        await self.api.call("POST", "/consent", {"template_ids": templates})

    async def pay(self, parameters: Mapping[str, str]) -> str:
        """`wx.requestPayment`; the result is only a hint."""
        return str((await self.api.call("POST", "/pay", dict(parameters)))["result"])

    async def authorise_insurance(self) -> str:
        """The insurance's page: what it hands back, empty without a bound credential."""
        return str((await self.api.call("POST", "/med-ins-auth", {})).get("authCode", ""))

    async def pay_insured(self, parameters: Mapping[str, str]) -> str:
        """`wx.requestMedicalInsurancePay`; the result is only a hint."""
        values = {name: value for name, value in parameters.items() if value}
        return str((await self.api.call("POST", "/med-ins-pay", values))["result"])

    async def messages(self) -> list[dict[str, Any]]:
        """The inbox, newest first."""
        found: list[dict[str, Any]] = (await self.api.call("GET", "/messages"))["messages"]
        return found

    async def message(self, template: str, about: str) -> dict[str, Any]:
        """Wait for a message of a template whose link contains `about`."""

        async def look() -> dict[str, Any] | None:
            return next(
                (one for one in await self.messages() if one["template"] == template and about in one["url"]),
                None,
            )

        return await until(look, f"{template} on the phone")


class Patient:
    """A patient with her phone. `person` is her entry in demo.json."""

    def __init__(self, places: Places, person: Mapping[str, Any], clock: Clock | None = None) -> None:
        self.person = person
        self.api = Api(places.api)
        self.phone = Phone(places, str(person["openid"]))
        self.clock = clock or Clock()
        self.person_id = ""

    async def logs_in(self) -> None:
        """WeChat login and phone number."""
        self.api.token = ""
        answer = await self.api.call("POST", "/login/wechat", {"code": await self.phone.login_code()})
        self.api.token, self.api.device = answer["token"], answer["device"]
        if not answer["phone_bound"]:
            await self.api.call("POST", "/login/phone", {"code": await self.phone.phone_code()})

    async def verifies(
        self, kind: str = "self", person: Mapping[str, Any] | None = None, relation: str = ""
    ) -> str:
        """Real-name verification; returns the person's id. Somebody already there is found again."""
        wanted = person or self.person
        for known in await self.api.call("GET", "/persons"):
            if known["name"] == wanted["name"] and known["id_number"][-4:] == wanted["id_number"][-4:]:
                self.person_id = known["id"]
                return self.person_id
        body = {"name": wanted["name"], "id_number": wanted["id_number"], "kind": kind, "relation": relation}
        self.person_id = (await self.api.call("POST", "/persons", body))["id"]
        return self.person_id

    async def consents(self) -> None:
        """Reads and signs the informed consent."""
        text = await self.api.call("GET", "/documents/informed_consent")
        body = {"kind": text["kind"], "version": text["version"], "content_hash": text["content_hash"]}
        await self.api.call("POST", f"/persons/{self.person_id}/consents", body)

    async def is_ready(self) -> None:
        """Everything before booking."""
        await self.logs_in()
        await self.verifies()
        await self.consents()

    async def asks(self, code: str | None = None) -> dict[str, Any]:
        """May I be seen again for this diagnosis?"""
        body = {"person_id": self.person_id, "diagnosis_code": code or self.person["asks_for"]}
        decision: dict[str, Any] = await self.api.call("POST", "/eligibility", body)
        return decision

    async def free_slot(self, department: str = "", doctor: str = "") -> dict[str, Any]:
        """The first slot that is running or about to, with a place left and the time to pay for it, if there is any."""
        found = [slot for slot in await self.times(department, doctor) if slot["remaining"] > 0]
        soon = self.clock.now() + TIME_TO_PAY
        return next((slot for slot in found if datetime.fromisoformat(slot["ends_at"]) > soon), found[0])

    async def times(self, department: str = "", doctor: str = "") -> list[dict[str, Any]]:
        """Slots on sale, soonest first."""
        wanted = (
            f"practitioner={doctor}" if doctor else f"department={department or self.person['department']}"
        )
        found: list[dict[str, Any]] = await self.api.call("GET", f"/slots?{wanted}")
        return [slot for slot in found if slot["on_sale"]]

    async def books(
        self, slot: Mapping[str, Any], decision: Mapping[str, Any], *, key: str = "", mode: str = "video"
    ) -> dict[str, Any]:
        """Hold a place."""
        body = {
            "person_id": self.person_id, "slot_id": slot["id"], "eligibility_id": decision["id"], "mode": mode,
            "complaint": "近一周晨起血压偏高，按时服药，无头晕。",
        }  # fmt: skip
        headers = {"idempotency-key": key or str(uuid4())}
        booked: dict[str, Any] = await self.api.call("POST", "/appointments", body, headers=headers)
        return booked

    async def pays(self, payment_id: str) -> dict[str, Any]:
        """Pays in WeChat and waits until the hospital knows."""
        await self.phone.allow(PATIENT_TEMPLATES)
        parameters = await self.api.call("POST", f"/payments/{payment_id}/prepay")
        result = await self.phone.pay(parameters)
        if not result.endswith(":ok"):
            raise Refused(402, {"code": "not_paid", "detail": result})
        return await self.payment(payment_id, "confirmed")

    async def authorises(self, payment_id: str) -> dict[str, Any]:
        """Lets the hospital ask her insurance; what it would pay."""
        code = await self.phone.authorise_insurance()
        found: dict[str, Any] = await self.api.call(
            "POST", f"/payments/{payment_id}/insurance", {"code": code}
        )
        return found

    async def agrees(self, payment_id: str, quoted: Mapping[str, Any]) -> dict[str, Any]:
        """Accepts the split that she was shown; what her phone needs to pay."""
        shown = {part: quoted["split"][part] for part in ("gov", "self", "other", "cash")}
        found: dict[str, Any] = await self.api.call(
            "POST", f"/payments/{payment_id}/insurance/confirm", shown
        )
        return found

    async def pays_by_insurance(self, payment_id: str) -> dict[str, Any]:
        """Authorises, agrees, types her password, and waits until the hospital knows."""
        await self.phone.allow(PATIENT_TEMPLATES)
        parameters = await self.agrees(payment_id, await self.authorises(payment_id))
        result = await self.phone.pay_insured(parameters)
        if not result.endswith(":ok"):
            raise Refused(402, {"code": "not_paid", "detail": result})
        return await self.payment(payment_id, "confirmed")

    async def payment(self, payment_id: str, state: str) -> dict[str, Any]:
        """Wait for a state of a bill."""

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.api.call("GET", f"/payments/{payment_id}")
            return found if found["state"] == state else None

        return await until(look, f"payment {state}")

    async def appointment(self, appointment_id: str) -> dict[str, Any]:
        """One appointment."""
        found: dict[str, Any] = await self.api.call("GET", f"/appointments/{appointment_id}")
        return found

    async def waits(self, appointment_id: str) -> dict[str, Any]:
        """Checks in."""
        found: dict[str, Any] = await self.api.call("POST", f"/appointments/{appointment_id}/check-in")
        return found

    async def says(self, encounter_id: str, text: str) -> dict[str, Any]:
        """One message over the chat socket; returns it as both sides see it."""
        return await speak(self.api, encounter_id, text)

    async def sees_doctor(self, slot: Mapping[str, Any], *, mode: str = "video") -> dict[str, Any]:
        """Asks, books, pays, waits: returns the encounter."""
        booked = await self.books(slot, await self.asks(), mode=mode)
        await self.pays(booked["payment_id"])
        return await self.waits(booked["id"])

    async def orders(self, prescription_id: str, method: str = "courier") -> dict[str, Any]:
        """Chooses delivery."""
        receiver = {
            "name": self.person["name"],
            "phone": self.person["phone"],
            "address": "上海市嘉定区示范路 1 号 101 室",
        }
        body = {"method": method, "receiver": receiver}
        ordered: dict[str, Any] = await self.api.call("POST", f"/prescriptions/{prescription_id}/order", body)
        return ordered

    async def dispense(self, prescription_id: str, state: str = "") -> dict[str, Any]:
        """The order, when it is in `state` (any by default)."""

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.api.call("GET", f"/prescriptions/{prescription_id}/dispense")
            return found if state in ("", found["state"]) else None

        return await until(look, f"dispense {state}")

    async def rates(self, encounter_id: str) -> None:
        """A kind word."""
        body = {"satisfaction": 5, "score": 10, "text": "医生很耐心"}
        await self.api.call("POST", f"/encounters/{encounter_id}/evaluation", body)

    async def close(self) -> None:
        """Puts the phone away."""
        await self.api.close()
        await self.phone.api.close()


class Staff:
    """Somebody with a password, an authenticator and a PIN."""

    def __init__(self, places: Places, person: Mapping[str, Any], clock: Clock | None = None) -> None:
        self.person = person
        self.api = Api(places.api)
        self.phone = Phone(places, str(person["openid"])) if person.get("openid") else None
        self.clock = clock or Clock()
        self.id = ""

    async def logs_in(self) -> None:
        """Password and TOTP; a code that was just used is followed by the next one."""
        totp = pyotp.TOTP(self.person["totp_secret"])
        self.api.token = ""

        async def attempt(step: int) -> dict[str, Any]:
            code = totp.at(int(self.clock.timestamp()) + 30 * step)
            body = {"login": self.person["login"], "password": self.person["password"], "totp": code}
            answer: dict[str, Any] = await self.api.call("POST", "/login/staff", body)
            return answer

        try:
            answer = await attempt(0)
        except Refused as refused:
            if refused.code != "login_refused":
                raise
            answer = await attempt(1)
        self.api.token, self.id = answer["token"], answer["id"]

    async def opens_shift(self) -> None:
        """CA PIN."""
        await self.api.call("POST", "/shifts", {"pin": self.person["pin"]})

    async def is_on_duty(self) -> None:
        """Login and shift."""
        await self.logs_in()
        await self.opens_shift()

    async def close(self) -> None:
        """Goes home."""
        await self.api.close()
        if self.phone is not None:
            await self.phone.api.close()


class Doctor(Staff):
    """The doctor of a visit."""

    async def accepts(self, encounter_id: str, *, guardian_present: bool = False) -> dict[str, Any]:
        """Confirms the follow-up and takes the visit."""
        body = {"follow_up_confirmed": True, "guardian_present": guardian_present}
        found: dict[str, Any] = await self.api.call("POST", f"/encounters/{encounter_id}/accept", body)
        return found

    async def says(self, encounter_id: str, text: str) -> dict[str, Any]:
        """One message over the chat socket."""
        return await speak(self.api, encounter_id, text)

    async def reads_history(self, encounter_id: str) -> dict[str, Any]:
        """The hospital's own records."""
        found: dict[str, Any] = await self.api.call("GET", f"/encounters/{encounter_id}/history")
        return found

    async def writes_record(self, encounter_id: str) -> None:
        """Writes and signs."""
        body = {
            "chief_complaint": "复诊，血压偏高一周", "present_history": "规律服药，晨起血压 150/95 mmHg，无头晕胸闷。",
            "past_history": "高血压病史十年。", "examination": "线上问诊，未查体。",
            "opinion": "血压控制欠佳，继续氨氯地平，监测血压。", "advice": "低盐饮食，一周后复诊。",
        }  # fmt: skip
        await self.api.call("PUT", f"/encounters/{encounter_id}/record", body)
        await self.api.call("POST", f"/encounters/{encounter_id}/record/sign")

    async def prescribes(
        self, encounter_id: str, items: list[dict[str, Any]] | None = None, **more: Any
    ) -> str:
        """Drafts and signs; returns the prescription's id."""
        visit = await self.api.call("GET", f"/encounters/{encounter_id}")
        codes = [diagnosis["code"] for diagnosis in visit["diagnoses"]]
        body = {"items": items or [AMLODIPINE], "diagnosis_codes": codes, "reason": CONTINUED, **more}
        draft = await self.api.call("POST", f"/encounters/{encounter_id}/prescriptions", body)
        await self.api.call("POST", f"/prescriptions/{draft['id']}/sign")
        return str(draft["id"])

    async def finishes(self, encounter_id: str) -> None:
        """Ends the visit."""
        await self.api.call("POST", f"/encounters/{encounter_id}/finish")


class Pharmacist(Staff):
    """Reviews and dispenses."""

    async def approves(self, prescription_id: str) -> dict[str, Any]:
        """With a signature."""
        found: dict[str, Any] = await self.api.call("POST", f"/prescriptions/{prescription_id}/approve")
        return found

    async def returns(self, prescription_id: str, reason: str) -> dict[str, Any]:
        """With a reason."""
        body = {"category": "appropriateness", "reason": reason, "item": 0}
        found: dict[str, Any] = await self.api.call("POST", f"/prescriptions/{prescription_id}/return", body)
        return found

    async def prepares(self, prescription_id: str) -> dict[str, Any]:
        """Scans the code of every pack and packs it."""
        order: dict[str, Any] = await self.api.call("GET", f"/prescriptions/{prescription_id}/dispense")
        sheet = await self.api.call("GET", f"/prescriptions/{prescription_id}")
        for line, item in enumerate(sheet["items"]):
            codes = " ".join(f"{uuid4().int % 10**20:020d}" for _ in range(item["quantity"]))
            body = {"line": line, "codes": codes}
            await self.api.call("POST", f"/dispenses/{order['id']}/trace-codes", body)
        await self.api.call("POST", f"/dispenses/{order['id']}/prepare", {})
        return order

    async def hands_over(self, prescription_id: str, **more: str) -> dict[str, Any]:
        """Prepares it, makes the four checks, hands it over; `pickup_code` where somebody stands before her."""
        order = await self.prepares(prescription_id)
        body: dict[str, Any] = dict.fromkeys(CHECKS, True)
        if order["method"] == "pickup" and not more:
            more = {"without_code": "核对身份证原件"}
        found: dict[str, Any] = await self.api.call(
            "POST", f"/dispenses/{order['id']}/hand-over", body | more
        )
        return found


class Courier:
    """A courier with a hand-held."""

    def __init__(self, places: Places) -> None:
        self.api = Api(places.courier, "")

    async def reports(self, waybill: str, status: str, place: str = "嘉定") -> None:
        """One event of a parcel."""
        await self.api.call(
            "POST", f"/operator/shipments/{waybill}/events", {"status": status, "place": place, "note": ""}
        )

    async def delivers(self, waybill: str) -> None:
        """The whole way."""
        for status in ("collected", "in_transit", "out_for_delivery", "delivered"):
            await self.reports(waybill, status)

    async def close(self) -> None:
        """Goes home."""
        await self.api.close()


async def speak(api: Api, encounter_id: str, text: str) -> dict[str, Any]:
    """Ticket, socket, one message, its echo."""
    ticket = await api.call("POST", f"/encounters/{encounter_id}/tickets", {"purpose": "chat"})
    client_id = str(uuid4())
    async with websockets.connect(f"{ticket['url']}?ticket={ticket['ticket']}", proxy=None) as socket:
        await socket.send(json.dumps({"type": "say", "client_id": client_id, "kind": "text", "body": text}))
        async for raw in socket:
            message: dict[str, Any] = json.loads(raw)
            if message.get("client_id") == client_id:
                return message
            if message["type"] == "problem":
                raise Refused(int(message["status"]), message)
    raise Refused(500, {"code": "socket_closed"})
