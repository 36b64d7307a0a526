"""Rule alerts (预警): looked for when a record is stored, some taken back when a later record explains them.

The feed may come in any order, so a rule that misses a partner raises its alert at once and `settle` removes it when the
partner arrives.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulators.server.clock import SHANGHAI
from simulators.supervision.business import Keys
from simulators.supervision.tables.codes import label, subject_label
from simulators.supervision.times import from_store, from_wire, utc_text

Record = Mapping[str, Any]
VISITS_PER_HOUR = 12
REVIEWED_ROW = ("2", "3")  # cfzt of a row that a pharmacist has approved, or that was given out
EVIDENCE_DAYS = 31  # an eligibility is decided before booking, a visit starts within its days
# The supervisor's own list, by generic name: what the hospital says about a drug is not asked.
BANNED_NAMES = (
    "吗啡", "芬太尼", "哌替啶", "羟考酮", "可待因", "美沙酮", "氢吗啡酮", "布桂嗪", "麻黄碱",
    "哌甲酯", "氯胺酮", "司可巴比妥", "丁丙诺啡", "三唑仑", "地西泮", "艾司唑仑", "阿普唑仑", "劳拉西泮",
    "氯硝西泮", "咪达唑仑", "唑吡坦", "佐匹克隆", "扎来普隆", "苯巴比妥", "曲马多", "地佐辛", "喷他佐辛",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """`concern` is one of the law's five: staff, prescription, act, privacy, security."""

    title: str
    concern: str
    basis: str


RULES = {
    "under_six": Rule(
        "六岁以下处方缺少监护人或专科医师在场确认", "prescription", "互联网诊疗管理办法第十九条"
    ),
    "unreviewed": Rule("收费时未见处方审核通过", "prescription", "互联网医院管理办法第二十条"),
    "late_review": Rule("处方审核晚于收费", "prescription", "互联网医院管理办法第二十条"),
    "banned_drug": Rule("互联网禁止开具的药品", "prescription", "互联网诊疗管理办法第十九条"),
    "outside_licence": Rule("医师超出备案执业范围", "staff", "互联网诊疗管理办法第十一、十四条"),
    "not_filed": Rule("医师未见备案", "staff", "互联网诊疗管理办法第十四条"),
    "filing_lapsed": Rule("医师备案已过期或停用", "staff", "互联网诊疗管理办法第十四条"),
    "no_evidence": Rule("接诊未见复诊依据", "act", "互联网诊疗管理办法第十六条"),
    "first_visit": Rule("医师判断不属于复诊仍接诊", "act", "互联网诊疗管理办法第十六条"),
    "too_many": Rule(f"一小时内接诊超过{VISITS_PER_HOUR}人次", "act", "互联网医院管理办法第三十条"),
    "view_without_visit": Rule("诊疗目的浏览档案但没有就诊", "privacy", "互联网医院管理办法第二十三条"),
    "view_refused": Rule("健康档案浏览被拒绝", "privacy", "互联网医院管理办法第二十三条"),
    "chain_broken": Rule("上报链值不符", "security", "互联网医院管理办法第十五条"),
}


def is_banned(item: Record) -> bool:
    """By the control class the hospital gave, or by the name."""
    return str(item.get("controlClass") or "0") != "0" or any(name in item["drname"] for name in BANNED_NAMES)


def _minute(wire: str) -> str:
    return f"{from_wire(wire).astimezone(SHANGHAI):%m-%d %H:%M}"


def watch(connection: sqlite3.Connection, method: str, record: Record, keys: Keys, record_id: int) -> None:
    """Raise and settle what this record gives reason for."""
    spotted = _Watch(connection, record, keys, record_id)
    match method:
        case "uploadPrescription":
            spotted.prescription()
            spotted.staff()
        case "uploadPayment":
            spotted.payment()
        case "uploadFollowUp":
            spotted.follow_up()
        case "uploadBooking":
            spotted.staff()
        case "uploadRecordView":
            spotted.view()
        case "bb_pi_prescription_detail" if str(record["cfzt"]) in REVIEWED_ROW:
            spotted.settle("unreviewed", str(record["cfbs"]))
        case "uploadReferralIndicators" if (record["referralFlag"], record["answerFlag"]) == ("0", "1"):
            spotted.alert("first_visit", keys.visit_no, "referralFlag为0，answerFlag为1")


def watch_chain(connection: sqlite3.Connection, links: Mapping[int, str], keys: Keys, record_id: int) -> None:
    """Breaks of the chain; one that its late predecessor mends is taken back."""
    spotted = _Watch(connection, {}, keys, record_id)
    for number, state in links.items():
        if state == "broken":
            spotted.alert("chain_broken", str(number), f"全院序号{number}的链值与前一条不相接")
        else:
            spotted.settle("chain_broken", str(number))


@dataclass(frozen=True)
class _Watch:
    connection: sqlite3.Connection
    record: Record
    keys: Keys
    record_id: int

    def alert(self, rule: str, subject: str | None, detail: str) -> None:
        self.connection.execute(
            "INSERT OR IGNORE INTO alerts (rule, subject, record_id, visit_no, at, detail) VALUES (?, ?, ?, ?, ?, ?)",
            (rule, subject or "", self.record_id, self.keys.visit_no, self.keys.occurred_at, detail),
        )

    def settle(self, rule: str, subject: str) -> None:
        self.connection.execute("DELETE FROM alerts WHERE rule = ? AND subject = ?", (rule, subject))

    def prescription(self) -> None:
        record, number = self.record, str(self.record["recipeUniqueID"])
        confirmed = [str(record.get(name) or "") for name in ("guardianPresent", "specialistPresent")]
        if int(record["age"]) < 6 and confirmed != ["1", "1"]:
            self.alert("under_six", number, f"年龄{record['age']}岁，未见监护人与专科医师均在场的确认")
        if banned := [item["drname"] for item in record["orderList"] if is_banned(item)]:
            self.alert("banned_drug", number, "、".join(banned))
        if str(record["recipeStatus"]) == "2":
            self.settle("unreviewed", number)
            for payment in self._payments({number, str(record["recipeID"])}):
                self._compare(number, record, payment)

    def payment(self) -> None:
        """Which prescription it pays is known by `recipeUniqueID` or `recipeID`."""
        if (str(self.record["subject"]), str(self.record["direction"])) != ("2", "1"):
            return
        paid = str(self.record["subjectNo"])
        rows = self.connection.execute(
            "SELECT body FROM records WHERE method = 'uploadPrescription' AND id IN "
            "(SELECT record_id FROM joins WHERE number = ?)",
            (paid,),
        )
        bodies = [json.loads(row["body"]) for row in rows]
        number = str(bodies[0]["recipeUniqueID"]) if bodies else paid
        approved = [body for body in bodies if str(body["recipeStatus"]) == "2"]
        if not approved and not self._approved_row(number):
            self.alert("unreviewed", number, "已收处方药费，尚未收到药师审核通过的处方")
        for body in approved:
            self._compare(number, body, self.record)

    def _approved_row(self, number: str) -> bool:
        """The same prescription, approved in the tables that are reported row by row."""
        rows = self.connection.execute(
            "SELECT body FROM records WHERE method = 'bb_pi_prescription_detail' AND id IN "
            "(SELECT record_id FROM joins WHERE number = ?)",
            (number,),
        )
        return any(str(json.loads(row["body"])["cfzt"]) in REVIEWED_ROW for row in rows)

    def _compare(self, number: str, approved: Record, payment: Record) -> None:
        if from_wire(payment["paidAt"]) < from_wire(approved["checkDate"]):
            self.alert(
                "late_review",
                number,
                f"收费{_minute(payment['paidAt'])}，审核{_minute(approved['checkDate'])}",
            )

    def _payments(self, numbers: set[str]) -> list[Record]:
        found = []
        for number in sorted(numbers):
            self.settle("unreviewed", number)
            rows = self.connection.execute(
                "SELECT body FROM records WHERE method = 'uploadPayment' AND id IN "
                "(SELECT record_id FROM joins WHERE number = ?)",
                (number,),
            )
            found += [json.loads(row["body"]) for row in rows]
        return [one for one in found if str(one["direction"]) == "1"]

    def follow_up(self) -> None:
        phase = str(self.record["phase"])
        if phase == "1":
            if str(self.record["eligibilityResult"]) != "3":
                self._settle_evidence()
            return
        self.staff()
        if phase != "2":
            return
        if str(self.record["referralFlag"]) == "0":
            self.alert("first_visit", self.keys.visit_no, "医师确认不符合复诊条件")
        if not self._eligible():
            self.alert("no_evidence", self.keys.visit_no, "未收到该患者符合或由医师判定的资格判定记录")
        self._pace()

    def _settle_evidence(self) -> None:
        """This eligibility came after the visits it allows."""
        rows = self.connection.execute(
            "SELECT visit_no FROM records WHERE patient_id = ? AND event_type = 'encounter.started' "
            "AND occurred_at BETWEEN ? AND ?",
            (self.keys.patient_id, self.keys.occurred_at, self._days_from(EVIDENCE_DAYS)),
        ).fetchall()
        for row in rows:
            self.settle("no_evidence", row["visit_no"])

    def _eligible(self) -> bool:
        rows = self.connection.execute(
            "SELECT body FROM records WHERE patient_id = ? AND event_type = 'eligibility.decided' "
            "AND occurred_at BETWEEN ? AND ?",
            (self.keys.patient_id, self._days_from(-EVIDENCE_DAYS), self.keys.occurred_at),
        )
        return any(str(json.loads(row["body"])["eligibilityResult"]) != "3" for row in rows)

    def _days_from(self, days: int) -> str:
        return utc_text(from_store(self.keys.occurred_at) + timedelta(days=days))

    def _pace(self) -> None:
        started = self.connection.execute(
            "SELECT count(*) FROM records WHERE doctor_id = ? AND event_type = 'encounter.started' "
            "AND occurred_at > ? AND occurred_at <= ?",
            (
                self.keys.doctor_id,
                utc_text(from_store(self.keys.occurred_at) - timedelta(hours=1)),
                self.keys.occurred_at,
            ),
        ).fetchone()[0]
        if started > VISITS_PER_HOUR:
            hour = self.keys.occurred_at[:13]
            self.alert(
                "too_many", f"{self.keys.doctor_id} {hour}", f"{self._doctor()}，一小时内接诊{started}人次"
            )

    def staff(self) -> None:
        """Against the last filing that was reported; nothing to compare while no filing came at all."""
        doctor = str(self.record.get("doctorId") or "")
        rows = self.connection.execute(
            "SELECT body FROM records WHERE method = 'uploadPractitioner' AND business_no = ? ORDER BY id DESC LIMIT 1",
            (doctor,),
        ).fetchall()
        if not rows:
            any_filed = self.connection.execute(
                "SELECT 1 FROM records WHERE method = 'uploadPractitioner' LIMIT 1"
            )
            if any_filed.fetchone():
                self.alert("not_filed", doctor, f"{self._doctor()}，{self.record['deptName']}")
            return
        filed = json.loads(rows[0]["body"])
        subject, scope = str(self.record["subjectCode"]), filed.get("practiceScope") or []
        if subject not in scope and subject.split(".", maxsplit=1)[0] not in scope:
            name = f"{subject_label(subject)}（{subject}）"
            self.alert(
                "outside_licence", f"{doctor} {subject}", f"{self._doctor()}，诊疗科目{name}不在备案范围"
            )
        day = from_store(self.keys.occurred_at).date().isoformat()
        until = (filed.get("filedUntil") or "9999-12-31")[:10]
        if str(filed["status"]) != "1" or until < day:
            self.alert(
                "filing_lapsed",
                doctor,
                f"{self._doctor()}，状态{label('shStaffStatus', str(filed['status']))}，有效期至{until}",
            )

    def _doctor(self) -> str:
        return f"{self.record['doctorName']}（{self.record['doctorId']}）"

    def view(self) -> None:
        if str(self.record["result"]) == "0":
            self.alert("view_refused", str(self.record["browseId"]), str(self.record["failReason"]))
        elif str(self.record["purpose"]) == "1" and not self.keys.visit_no:
            self.alert("view_without_visit", str(self.record["browseId"]), "浏览目的为诊疗，未带就诊流水号")
