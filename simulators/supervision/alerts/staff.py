"""Doctors and reviewing pharmacists against their filings, as these were at the moment of the act.

A day's violation is one alert, the next day's another. While no filing of a profession came at all, it is compared with nothing.
"""

import sqlite3
from datetime import datetime, time

from simulators.server.clock import SHANGHAI
from simulators.supervision.alerts.standing import Act, Alert, acts, hold, judged
from simulators.supervision.meanings import LINK
from simulators.supervision.store import filings
from simulators.supervision.store.filings import Filing
from simulators.supervision.tables.codes import label, subject_label
from simulators.supervision.times import from_store, from_wire, utc_text

DOCTOR, PHARMACIST = "1", "2"
ACTS = (
    "appointment.booked", "appointment.moved", "encounter.started", "encounter.completed", "encounter.discontinued",
    "consultation.started", "consultation.completed", "consultation.discontinued", "prescription.signed",
)  # fmt: skip
"""What a doctor does herself; a prescription that runs out after her filing did is not her deed."""
REVIEWED = ("prescription.approved", "dispense.completed")
"""A prescription that was given out is told with its review."""
_OF_DOCTORS = f"kind IN ({','.join(repr(one) for one in ACTS)}) AND method <> '{LINK}'"


def of_doctor(connection: sqlite3.Connection, act: Act) -> list[Alert]:
    """What is wrong with this act; nothing where the record names no doctor."""
    doctor = act.text("doctorId")
    if not doctor:
        return []
    who, subject = f"{act.text('doctorName')}（{doctor}）", f"{doctor} {act.day}"
    filed = _filed(connection, doctor, DOCTOR, act.at)
    if filed is None:
        known = _compared(connection, DOCTOR)
        return [Alert("not_filed", subject, f"{who}，{act.text('deptName')}", act)] if known else []
    found = []
    if not _in_scope(filed, act):
        code, name = act.text("subjectCode"), act.text("subjectName")
        words = f"{who}，诊疗科目{name or subject_label(code)}（{code}）不在备案范围"
        found.append(Alert("outside_licence", f"{doctor} {code} {act.day}", words, act))
    if lapsed := _lapsed(filed, act.day):
        found.append(Alert("filing_lapsed", subject, f"{who}，{lapsed}", act))
    return found


def of_reviewer(connection: sqlite3.Connection, review: Act) -> list[Alert]:
    """What is wrong with who reviewed; nothing where the record has no review."""
    reviewer, number = review.text("auditDoctorId"), review.text("recipeUniqueID")
    if not reviewer:
        return []
    who = f"{review.text('auditDoctor')}（{reviewer}）"
    checked = review.text("checkDate")
    at = utc_text(from_wire(checked)) if checked else review.at
    filed = _filed(connection, reviewer, PHARMACIST, at)
    if filed is None:
        known = _compared(connection, PHARMACIST)
        return [Alert("reviewer_not_filed", number, who, review)] if known else []
    lapsed = _lapsed(filed, from_store(at).date().isoformat())
    return [Alert("reviewer_lapsed", number, f"{who}，{lapsed}", review)] if lapsed else []


def filing(connection: sqlite3.Connection, act: Act) -> None:
    """A filing came: whatever its person did from that day on is judged anew; after the first of a profession, everybody's deeds."""
    person, profession = act.text("staffId"), act.text("staffType")
    filings.add(connection, act.record_id, act.told, act.at)
    since = filings.since_of(act.told, act.at)
    everybody = filings.number(connection, profession, 2) == 1
    before = filings.held(connection, person, since, but_for=act.record_id)
    if before and before == filings.held(connection, person, since):
        return  # it says what held already
    begun = utc_text(datetime.combine(from_store(since).date(), time(), SHANGHAI))
    own = "" if everybody else " AND {} = ? AND occurred_at >= ?"
    values = () if everybody else (person, begun)
    # Read to the end before alerts are written: both are tables of one store.
    deeds = list(acts(connection, _OF_DOCTORS + own.format("doctor_id"), values))
    judged(
        connection, act.record_id,
        {key for deed in deeds for key in _questions(deed)},
        [alert for deed in deeds for alert in of_doctor(connection, deed)],
    )  # fmt: skip
    reviews = acts(connection, "reviewer_id IS NOT NULL" + own.format("reviewer_id"), values)
    for number in sorted({one.text("recipeUniqueID") for one in reviews if one.told.event in REVIEWED}):
        _judge_reviews(connection, act.record_id, number)


def _judge_reviews(connection: sqlite3.Connection, by_record: int, number: str) -> None:
    same = "id IN (SELECT record_id FROM joins WHERE number = ?) AND reviewer_id IS NOT NULL"
    reviews = [one for one in acts(connection, same, (number,)) if one.told.event in REVIEWED]
    judged(
        connection, by_record,
        [(rule, number) for rule in ("reviewer_not_filed", "reviewer_lapsed")],
        [alert for one in reviews for alert in of_reviewer(connection, one)],
    )  # fmt: skip


def acted(connection: sqlite3.Connection, act: Act) -> None:
    for alert in of_doctor(connection, act):
        hold(connection, alert)


def reviewed(connection: sqlite3.Connection, review: Act) -> None:
    reviewer = review.text("auditDoctorId")
    if reviewer and reviewer == review.text("doctorId"):
        who = f"{review.text('auditDoctor')}（{reviewer}）"
        hold(connection, Alert("own_review", review.text("recipeUniqueID"), who, review))
    for alert in of_reviewer(connection, review):
        hold(connection, alert)


def _questions(act: Act) -> set[tuple[str, str]]:
    doctor, day = act.text("doctorId"), act.day
    return {
        ("not_filed", f"{doctor} {day}"),
        ("filing_lapsed", f"{doctor} {day}"),
        ("outside_licence", f"{doctor} {act.text('subjectCode')} {day}"),
    }


def _filed(connection: sqlite3.Connection, person: str, profession: str, at: str) -> Filing | None:
    found = filings.held(connection, person, at)
    return found if found and found.profession == profession else None


def _in_scope(filed: Filing, act: Act) -> bool:
    """The first level of a code stands for all below it."""
    code = act.text("subjectCode")
    said = {code, code.split(".", maxsplit=1)[0], act.text("subjectName"), subject_label(code)}
    return not said.isdisjoint(filed.scope)


def _lapsed(filed: Filing, day: str) -> str:
    """In words; empty while the filing holds."""
    until = filed.until or "9999-12-31"
    if filed.active and until >= day:
        return ""
    words = {"0": "不在岗"}.get(filed.status) or label("shStaffStatus", filed.status)
    return f"状态{words}，有效期至{until}"


def _compared(connection: sqlite3.Connection, profession: str) -> bool:
    return filings.number(connection, profession, 1) > 0
