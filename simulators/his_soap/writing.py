"""The trades that write: the hospital's rules, and all of one write or nothing."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

from simulators.his_soap import timetable
from simulators.his_soap.asked import EXISTS, NOTHING, OVER, RULE, TAKEN, UNKNOWN, Asked, Result
from simulators.his_soap.fees import LOCK, Fees
from simulators.his_soap.messages import Tree
from simulators.his_soap.store import Entry, Store, Written
from simulators.server import Clock

PLANNED, FINISHED, CANCELLED = "0", "2", "9"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_AMOUNT = re.compile(r"\d{1,7}\.\d\d")
Made = tuple[str, list[str]]
"""Number of what was written, numbers of its parts."""


class Writer:
    """`all_taken`: every slot is somebody's."""

    def __init__(self, store: Store, clock: Clock, all_taken: Callable[[], bool]) -> None:
        self._store = store
        self._clock = clock
        self._all_taken = all_taken
        self._fees = Fees(store, clock)
        self._trades: dict[str, Callable[[Asked, str], Made]] = {
            "5001": self._register,
            "5002": self._move,
            "5003": self._cancel,
            "5101": self._charge,
            "5102": self._refund,
            "5201": self._record,
            "5202": self._prescription,
            "5203": self._dispensing,
        }

    @property
    def trades(self) -> set[str]:
        return set(self._trades)

    def write(self, asked: Asked) -> Tree:
        """One row: what was written. Raises Result."""
        outer, patient = asked.needed("OuterNo"), asked.needed("PatientNo")
        with self._store.transaction():
            if self._store.written(outer) is not None:
                raise Result(EXISTS, f"外部单号 {outer} 已存在")
            self._admit(patient)
            number, parts = self._trades[asked.trade](asked, patient)
            at = timetable.moment(self._clock.local())
            self._store.note(Written(outer, asked.trade, patient, number, at, parts))
        return {
            "OuterNo": outer, "OuterTrade": asked.trade, "PatientNo": patient, "RecordNo": number, "RecordTime": at,
            "Parts": {"PartNo": parts},
        }  # fmt: skip

    def of_a_fee(self, asked: Asked) -> list[Tree]:
        """Locks of fees: no record is written, and the same call again is no second one. Raises Result."""
        patient = asked.needed("PatientNo")
        with self._store.transaction():
            self._admit(patient)
            return self._fees.lock(asked, patient) if asked.trade == LOCK else self._fees.unlock(asked)

    # rules

    def _admit(self, patient: str) -> None:
        found = self._store.get("patient", patient)
        if found is None:
            raise Result(UNKNOWN, f"病历号 {patient} 不存在")
        if found.body["State"] != "1":
            raise Result(RULE, f"病历号 {patient} 已合并，请使用 {found.body['MergedInto']}")

    def _known(self, kind: str, number: str, word: str) -> Entry:
        found = self._store.get(kind, number)
        if found is None:
            raise Result(UNKNOWN, f"{word} {number} 在本院没有登记")
        return found

    @staticmethod
    def _moment(asked: Asked, name: str) -> str:
        found = asked.needed(name)
        if not _MOMENT.fullmatch(found):
            raise Result(RULE, f"{name} 不是时间")
        return found

    def _visit(self, asked: Asked, patient: str) -> Entry | None:
        found = next(iter(self._store.by_key("visit", asked.needed("AppointmentNo"))), None)
        if found is not None and not self._same(found.patient, patient):
            raise Result(RULE, "该预约属于另一位患者")
        return found

    def _same(self, filed: str, patient: str) -> bool:
        """Also when the number it was filed under was merged since."""
        former = self._store.get("patient", filed)
        return filed == patient or (former is not None and former.body["MergedInto"] == patient)

    # registration

    def _register(self, asked: Asked, patient: str) -> Made:
        if self._visit(asked, patient) is not None:
            raise Result(RULE, "该预约已经登记")
        when = self._when_and_who(asked)
        number, appointment = self._store.next_number("WV"), asked.needed("AppointmentNo")
        bookings = self._book(asked, patient, appointment)
        body = {
            "VisitNo": number, "PatientNo": patient, "VisitKind": "4", "DischargeDate": "", "Status": PLANNED,
            "AppointmentNo": appointment, "Diagnoses": {"Diagnosis": []}, **when, "Bookings": bookings,
        }  # fmt: skip
        self._store.put(
            [Entry("visit", number, patient, body, appointment, when["VisitDate"], asked.needed("OuterNo"))]
        )
        return number, bookings

    def _move(self, asked: Asked, patient: str) -> Made:
        visit = self._visit(asked, patient)
        if visit is None:
            raise Result(NOTHING, "该预约不存在")
        if visit.body["Status"] != PLANNED:
            raise Result(OVER, "该就诊已结束或已取消")
        when, appointment = self._when_and_who(asked), asked.needed("AppointmentNo")
        kept = [one for one in self._live(appointment) if one.body["SlotNo"] == asked.text("SlotNo")]
        bookings = [one.number for one in kept] or self._book(asked, patient, appointment)
        self._give_back(appointment, keep=bookings)
        visit.body |= {**when, "Bookings": bookings}
        visit.at = when["VisitDate"]
        self._store.put([visit])
        return visit.number, bookings

    def _cancel(self, asked: Asked, patient: str) -> Made:
        visit, appointment = self._visit(asked, patient), asked.needed("AppointmentNo")
        self._moment(asked, "OccurTime")
        if visit is None:
            raise Result(NOTHING, "该预约不存在")
        if visit.body["Status"] != PLANNED:
            raise Result(OVER, "该就诊已结束或已取消")
        given = self._give_back(appointment, keep=[])
        visit.body |= {"Status": CANCELLED, "Reason": asked.text("Reason")}
        self._store.put([visit])
        return visit.number, given

    def _when_and_who(self, asked: Asked) -> dict[str, str]:
        starts, ends = self._moment(asked, "StartTime"), self._moment(asked, "EndTime")
        if starts >= ends:
            raise Result(RULE, "结束时间不晚于开始时间")
        department = self._known("department", asked.needed("DeptCode"), "科室")
        doctor = self._known("doctor", asked.needed("DoctorCode"), "医生")
        return {
            "VisitDate": starts[:10], "StartTime": starts, "EndTime": ends, "DeptCode": department.number,
            "DeptName": department.body["DeptName"], "DoctorCode": doctor.number, "DoctorName": doctor.body["Name"],
            "SerialNo": asked.text("SerialNo"),
        }  # fmt: skip

    def _book(self, asked: Asked, patient: str, appointment: str) -> list[str]:
        """Take the slot, if one is named."""
        if not (wanted := asked.text("SlotNo")):
            return []
        slot = self._known("slot", wanted, "号源")
        if slot.body["SlotState"] != timetable.FREE or self._all_taken():
            raise Result(TAKEN, f"号源 {wanted} 已被占用")
        slot.body["SlotState"] = timetable.BUSY
        number = self._store.next_number("YY")
        body = {"BookingNo": number, "SlotNo": wanted, "State": "1", "PatientNo": patient}
        self._store.put(
            [slot, Entry("booking", number, patient, body, appointment, slot.at, asked.needed("OuterNo"))]
        )
        return [number]

    def _live(self, appointment: str) -> list[Entry]:
        return [one for one in self._store.by_key("booking", appointment) if one.body["State"] == "1"]

    def _give_back(self, appointment: str, keep: list[str]) -> list[str]:
        given = [one for one in self._live(appointment) if one.number not in keep]
        for booking in given:
            booking.body["State"] = CANCELLED
            slot = self._known("slot", booking.body["SlotNo"], "号源")
            slot.body["SlotState"] = timetable.FREE
            self._store.put([booking, slot])
        return [one.number for one in given]

    # money

    def _charge(self, asked: Asked, patient: str) -> Made:
        return self._booked(asked, patient, asked.needed("ChargeKind"), asked.needed("TradeNo"))

    def _refund(self, asked: Asked, patient: str) -> Made:
        return self._booked(asked, patient, "09", asked.needed("RefundNo"))

    def _booked(self, asked: Asked, patient: str, kind: str, trade_number: str) -> Made:
        if asked.needed("ChargeKind") not in ("01", "02"):
            raise Result(RULE, "收费类别不存在")
        if not _AMOUNT.fullmatch(asked.needed("Amount")):
            raise Result(RULE, "金额应为两位小数")
        number, at = self._store.next_number("SF"), self._moment(asked, "OccurTime")
        if kind != "09":
            self._fees.charged(asked)
        body = {
            "ChargeNo": number, "PatientNo": patient, "ChargeKind": kind, "TradeNo": trade_number,
            "ChargedTradeNo": asked.needed("TradeNo"), "Amount": asked.text("Amount"), "OccurTime": at,
            "PrescriptionNo": asked.text("PrescriptionNo"),
        }  # fmt: skip
        entry = Entry(
            "charge", number, patient, body, asked.needed("AppointmentNo"), at, asked.needed("OuterNo")
        )
        self._store.put([entry])
        return number, []

    # documents

    def _record(self, asked: Asked, patient: str) -> Made:
        number = self._document(asked, patient, asked.needed("Title"))
        written = [
            {**one, "DiagNo": f"{number}{place:02}"}
            for place, one in enumerate(asked.under("Diagnoses/Diagnosis"), 1)
        ]
        visit = self._visit(asked, patient)
        if visit is not None:
            visit.body["Status"] = FINISHED
            visit.body["Diagnoses"]["Diagnosis"] += written
            self._store.put([visit])
        return number, [one["DiagNo"] for one in written]

    def _prescription(self, asked: Asked, patient: str) -> Made:
        self._known("pharmacist", asked.needed("PharmacistCode"), "药师")
        drugs = self._drugs(asked)
        number = self._document(asked, patient, f"电子处方 {asked.needed('PrescriptionNo')}")
        at, outer = self._moment(asked, "OccurTime"), asked.needed("OuterNo")
        orders = [
            {**one, "OrderNo": f"{number}{place:02}", "PatientNo": patient, "OrderTime": at, "State": "1"}
            for place, one in enumerate(drugs, 1)
        ]
        self._store.put(
            Entry("order", one["OrderNo"], patient, one, asked.text("PrescriptionNo"), at[:10], outer)
            for one in orders
        )
        return number, [one["OrderNo"] for one in orders]

    def _dispensing(self, asked: Asked, patient: str) -> Made:
        at, outer = self._moment(asked, "OccurTime"), asked.needed("OuterNo")
        common = {
            "PrescriptionNo": asked.needed("PrescriptionNo"),
            "WaybillNo": asked.text("WaybillNo"),
            "OccurTime": at,
        }
        numbers = []
        for place, drug in enumerate(self._drugs(asked)):
            numbers.append(self._store.next_number("FY"))
            body = {**drug, **common, "DispenseNo": numbers[-1], "PatientNo": patient}
            self._store.put(
                [Entry("dispensing", numbers[-1], patient, body, at=at, outer=outer if place == 0 else "")]
            )
        return numbers[0], numbers[1:]

    def _drugs(self, asked: Asked) -> list[dict[str, str]]:
        drugs = list(asked.under("Drugs/Drug"))
        if not drugs:
            raise Result(RULE, "没有药品")
        for one in drugs:
            self._known("drug", one.get("DrugCode", ""), "药品")
        return drugs

    def _document(self, asked: Asked, patient: str, title: str) -> str:
        if doctor := asked.text("DoctorCode"):
            self._known("doctor", doctor, "医生")
        try:
            content = base64.b64decode(asked.needed("Content"), validate=True)
        except (binascii.Error, ValueError):
            raise Result(RULE, "文书内容不是 base64") from None
        if hashlib.sha256(content).hexdigest() != asked.needed("Sha256"):
            raise Result(RULE, "文书内容与摘要不符")
        number, at = self._store.next_number("WS"), self._moment(asked, "OccurTime")
        body = {
            "DocNo": number, "PatientNo": patient, "Title": title, "Content": asked.text("Content"),
            "Sha256": asked.text("Sha256"), "DoctorCode": doctor, "OccurTime": at,
        }  # fmt: skip
        entry = Entry(
            "document", number, patient, body, asked.needed("AppointmentNo"), at, asked.needed("OuterNo")
        )
        self._store.put([entry])
        return number
