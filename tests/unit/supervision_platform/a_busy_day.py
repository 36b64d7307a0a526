"""A day of a hospital as its city sees it: visits over the last hours, with what an inspector looks for among them."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, ORDER, Hospital

ZONE = ZoneInfo("Asia/Shanghai")
DOCTORS = [
    {"doctorId": "DOC-1", "doctorName": "林知远", "deptID": "D-1", "deptName": "老年科"},
    {"doctorId": "DOC-2", "doctorName": "黄晓岚", "deptID": "D-2", "deptName": "皮肤科"},
    {"doctorId": "DOC-3", "doctorName": "陆安平", "deptID": "D-3", "deptName": "儿科", "subjectCode": "07", "subjectName": "儿科"},
]  # fmt: skip
OVER = {"phase": "5", "thisDiagnosis": "高血压", "returnVisitPriceFen": 2500}
VISITS = 24


def people(hospital: Hospital, at: datetime) -> list[dict[str, Any]]:
    """Three doctors, one of them filed for less than he does, and a pharmacist whose filing ends soon."""
    told = {"occurredAt": at.isoformat(), "changedAt": at.isoformat()}
    filed = [
        hospital.filed(
            staffId=one["doctorId"],
            name=one["doctorName"],
            practiceScope=[one.get("subjectCode", "03")],
            **told,
        )
        for one in DOCTORS
    ]
    soon = (at + timedelta(days=12)).date().isoformat()
    pharmacist = {
        "staffId": "PH-1",
        "staffType": "2",
        "name": "周静",
        "practiceScope": None,
        "filedUntil": soon,
    }
    return [*filed, hospital.filed(**pharmacist, **told)]


def send(platform: Platform, method: str, record: dict[str, Any], now: datetime) -> None:
    """As if the clock stood a second after what is told, so that it arrives as promptly as in life."""
    at = datetime.fromisoformat(record["occurredAt"]) + timedelta(seconds=1 + record["hospitalSeq"] % 3)
    platform.move_clock((at - now).total_seconds())
    answer = platform.send(method, [record], x_ca_timestamp=str(int(at.timestamp() * 1000)))
    assert answer["body"]["msgCode"] == 200, answer


def a_visit(hospital: Hospital, number: int, at: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Booked, seen, prescribed, paid, in the order of time; what is unusual depends on its number."""
    visit, doctor = f"V-{number}", DOCTORS[number % 3]
    who = BOY if number % 8 == 5 else {}
    moment = [(at + timedelta(minutes=one)).isoformat() for one in (-30, 0, 9, 15, 16, 18)]
    person = {**doctor, **who, "visitNo": visit}
    rx = {**person, "recipeUniqueID": f"R-{number}", "recipeID": f"RX-{number}"}
    if number % 6 == 1:
        rx["orderList"] = [ORDER | {"drname": "艾司唑仑片", "drmodel": "1mg*20片"}]
    viewed = {"browseId": f"B-{number}", "visitNo": visit, "browseTime": moment[1], "occurredAt": moment[1]}
    started = hospital.started(visit, moment[1], **person)
    told = [
        ("uploadFollowUp", hospital.eligible(moment[0], eligibilityNo=f"Q-{number}", **who)),
        ("uploadBooking", hospital.booked(visit, moment[0], **person, eligibilityNo=f"Q-{number}")),
        ("uploadFollowUp", started),
        ("uploadRecordView", hospital.viewed(**viewed)),
    ]
    if number > VISITS - 2:
        return told  # still talking
    over = hospital.seal("encounter.completed", visit, moment[3])
    review = moment[4 if number % 9 else 5]
    return [
        *told,
        ("uploadPrescription", hospital.prescribed("prescription.signed", "1", moment[2], **rx)),
        ("uploadFollowUp", started | over | OVER | {"startDate": moment[1], "endDate": moment[3]}),
        ("uploadPrescription", hospital.prescribed("prescription.approved", "2", review, **rx)),
        ("uploadPayment", hospital.paid(moment[4], paymentNo=f"P-{number}", subjectNo=f"RX-{number}")),
    ]


def send_a_busy_day(platform: Platform) -> Hospital:
    """Ends now; two visits are still going on, one record is lost on its way, one patient complains."""
    hospital, now = Hospital(), datetime.now(ZONE)
    began = now - timedelta(hours=20)
    for record in people(hospital, began):
        send(platform, "uploadPractitioner", record, now)
    for person in ({}, {"personId": "P-2", "authId": "I-2"}):
        send(platform, "uploadRealName", hospital.verified(**person, occurredAt=began.isoformat()), now)
    for number in range(1, VISITS + 1):
        back = 40 * (VISITS - number) if number < VISITS - 6 else 7 * (VISITS - number)
        for method, record in a_visit(hospital, number, now - timedelta(minutes=back + 22)):
            send(platform, method, record, now)
    platform.move_clock(0)
    today = {"filedAt": now.isoformat(), "occurredAt": now.isoformat()}
    hospital.booked("lost")
    platform.send(
        "uploadComplaint", [hospital.complained(**today, deadline=(now + timedelta(days=7)).isoformat())]
    )
    return hospital
