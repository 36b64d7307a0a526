"""Visits: only of verified persons, only follow-ups, not too many in an hour."""

import sqlite3
from datetime import timedelta

from simulators.supervision.alerts.rules import VISITS_PER_HOUR
from simulators.supervision.alerts.standing import Act, Alert, acts, hold, judged
from simulators.supervision.meanings import LINK
from simulators.supervision.times import from_store, utc_text

EVIDENCE_DAYS = 31  # an eligibility is decided before booking, a visit starts within its days
REFUSED = "3"
# Tianjin's records name a person by her certificate alone: nothing to match a verification or an eligibility with.
_STARTED = f"kind = 'encounter.started' AND profile <> 'tianjin-1.0' AND method <> '{LINK}' AND patient_id IS NOT NULL"


def started(connection: sqlite3.Connection, visit: Act) -> None:
    if visit.text("referralFlag") == "0":
        hold(connection, Alert("first_visit", _number(visit), "医师确认不符合复诊条件", visit))
    if visit.text("firstVisit") == "1":
        hold(connection, Alert("first_visit", _number(visit), "就诊记录注明为初诊", visit))
    if visit.text("patientId"):
        for alert in [*_unverified(connection, visit), *_without_evidence(connection, visit)]:
            hold(connection, alert)
    _pace(connection, visit)


def told_by_tianjin(connection: sqlite3.Connection, visit: Act) -> None:
    if visit.text("referralFlag") == "0":
        hold(connection, Alert("first_visit", _number(visit), "referralFlag为0，answerFlag为1", visit))


def verified(connection: sqlite3.Connection, verification: Act) -> None:
    """It can explain the visits of its person, no more; after the first that came at all, all visits are judged."""
    first = _verifications(connection, 2) == 1
    visits = (
        list(acts(connection, _STARTED, ())) if first else _raised(connection, "unverified", verification)
    )
    judged(
        connection, verification.record_id,
        [("unverified", _number(visit)) for visit in visits],
        [alert for visit in visits for alert in _unverified(connection, visit)],
    )  # fmt: skip


def decided(connection: sqlite3.Connection, eligibility: Act) -> None:
    """It can explain the visits that name it, and those of the same person that name none."""
    visits = _raised(connection, "no_evidence", eligibility)
    judged(
        connection, eligibility.record_id,
        [("no_evidence", _number(visit)) for visit in visits],
        [alert for visit in visits for alert in _without_evidence(connection, visit)],
    )  # fmt: skip


def _raised(connection: sqlite3.Connection, rule: str, about: Act) -> list[Act]:
    """The person's visits that stand under this rule."""
    # The plus: by the alerts, which are few, not by all that a person ever did.
    standing = "id IN (SELECT record_id FROM alerts WHERE rule = ?) AND +patient_id = ?"
    return list(acts(connection, standing, (rule, about.patient_id)))


def _number(visit: Act) -> str:
    return visit.visit_no or ""


def _unverified(connection: sqlite3.Connection, visit: Act) -> list[Alert]:
    """By the person's own number; nothing to compare while no verification came at all."""
    own = acts(
        connection,
        f"kind = 'identity.verified' AND method <> '{LINK}' AND patient_id = ?",
        (visit.patient_id,),
    )
    if any(one.text("result") == "1" for one in own) or not _verifications(connection, 1):
        return []
    return [Alert("unverified", _number(visit), "未收到该患者通过实名认证的记录", visit)]


def _verifications(connection: sqlite3.Connection, at_most: int) -> int:
    rows = connection.execute(
        f"SELECT 1 FROM records WHERE kind = 'identity.verified' AND method <> '{LINK}' LIMIT ?", (at_most,)
    )
    return len(rows.fetchall())


def _without_evidence(connection: sqlite3.Connection, visit: Act) -> list[Alert]:
    """A visit that names its decision rests on that one alone; else any of the person within its days will do."""
    wanted, values = (
        f"kind = 'eligibility.decided' AND method <> '{LINK}' AND patient_id = ?",
        [visit.patient_id],
    )
    if named := visit.text("eligibilityNo"):
        wanted += " AND occurred_at <= ? AND id IN (SELECT record_id FROM joins WHERE number = ?)"
        values += [visit.at, named]
        words = f"未收到就诊所依据的资格判定{named}，或其结果为不符合"
    else:
        wanted += " AND occurred_at BETWEEN ? AND ?"
        values += [utc_text(from_store(visit.at) - timedelta(days=EVIDENCE_DAYS)), visit.at]
        words = "未收到该患者符合或由医师判定的资格判定记录"
    if any(one.text("eligibilityResult") != REFUSED for one in acts(connection, wanted, values)):
        return []
    return [Alert("no_evidence", _number(visit), words, visit)]


def _pace(connection: sqlite3.Connection, visit: Act) -> None:
    """Visits need not come in their order: this one may be what makes a later one too many.

    A visit is too many when the twelfth before it was less than an hour ago. So this one matters to the next twelve at most; what is
    later has twelve between.
    """
    doctor = visit.text("doctorId")
    if not doctor:
        return
    most = 2 * (VISITS_PER_HOUR + 1)  # a visit may be told by two profiles
    found = [
        *reversed(_started_by(connection, doctor, "occurred_at < ?", "DESC", visit.at, most)),
        *_started_by(connection, doctor, "occurred_at >= ?", "ASC", visit.at, most),
    ]
    once = {row["visit_no"]: row for row in reversed(found)}
    starts = sorted(once.values(), key=lambda row: (row["occurred_at"], row["visit_no"] or ""))
    for first, last in zip(starts, starts[VISITS_PER_HOUR:], strict=False):
        hour_ago = utc_text(from_store(last["occurred_at"]) - timedelta(hours=1))
        if last["occurred_at"] >= visit.at and first["occurred_at"] > hour_ago:
            [one] = acts(connection, "id = ?", (last["id"],))
            words = f"{one.text('doctorName')}（{doctor}），一小时内接诊超过{VISITS_PER_HOUR}人次"
            hold(connection, Alert("too_many", f"{doctor} {one.at[:13]}", words, one))


def _started_by(
    connection: sqlite3.Connection, doctor: str, when: str, way: str, at: str, most: int
) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT id, visit_no, occurred_at FROM records WHERE doctor_id = ? AND kind = 'encounter.started' "
        f"AND method <> '{LINK}' AND {when} ORDER BY occurred_at {way}, visit_no {way} LIMIT ?",
        (doctor, at, most),
    ).fetchall()
