"""Visits: only of verified persons, only follow-ups, not too many in an hour."""

import sqlite3
from collections.abc import Iterable
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
    """It explains the visits of its person; after the first that came at all, all visits are judged."""
    own = "" if _verifications(connection, 2) == 1 else " AND patient_id = ?"
    visits = list(acts(connection, _STARTED + own, (verification.patient_id,) if own else ()))
    judged(
        connection, verification.record_id,
        [("unverified", _number(visit)) for visit in visits],
        [alert for visit in visits for alert in _unverified(connection, visit)],
    )  # fmt: skip


def decided(connection: sqlite3.Connection, eligibility: Act) -> None:
    """It explains the visits that name it, and those of the same person that name none."""
    until = utc_text(from_store(eligibility.at) + timedelta(days=EVIDENCE_DAYS))
    visits = [
        *acts(connection, f"{_STARTED} AND id IN (SELECT record_id FROM joins WHERE number = ?)",
              (eligibility.text("eligibilityNo"),)),
        *acts(connection, f"{_STARTED} AND patient_id = ? AND occurred_at BETWEEN ? AND ?",
              (eligibility.patient_id, eligibility.at, until)),
    ]  # fmt: skip
    judged(
        connection, eligibility.record_id,
        [("no_evidence", _number(visit)) for visit in visits],
        [alert for visit in visits for alert in _without_evidence(connection, visit)],
    )  # fmt: skip


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
    """Every visit of the doctor whose last hour has this one in it: visits need not come in their order."""
    doctor = visit.text("doctorId")
    hour, at = timedelta(hours=1), from_store(visit.at)
    around = list(
        acts(
            connection,
            f"doctor_id = ? AND kind = 'encounter.started' AND method <> '{LINK}' AND occurred_at > ? AND occurred_at < ?",
            (doctor, utc_text(at - hour), utc_text(at + hour)),
        )
    ) if doctor else []  # fmt: skip
    for one in (one for one in around if one.at >= visit.at):
        since = utc_text(from_store(one.at) - hour)
        number = _visits(other for other in around if since < other.at <= one.at)
        if number > VISITS_PER_HOUR:
            words = f"{one.text('doctorName')}（{doctor}），一小时内接诊{number}人次"
            hold(connection, Alert("too_many", f"{doctor} {one.at[:13]}", words, one))


def _visits(found: Iterable[Act]) -> int:
    """One visit may be told by two profiles."""
    return len({one.visit_no for one in found})
