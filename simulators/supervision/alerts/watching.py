"""Which rules a record is for, by the event it tells."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from simulators.supervision.alerts import prescriptions, staff, visits
from simulators.supervision.alerts.standing import Act, Alert, hold, settle
from simulators.supervision.business import Keys
from simulators.supervision.meanings import LINK, told
from simulators.supervision.tables.codes import label

TIANJIN_VISIT = "uploadReferralIndicators"


def watch(
    connection: sqlite3.Connection, method: str, record: Mapping[str, Any], keys: Keys, record_id: int
) -> None:
    """Raise and settle what this record gives reason for; a mere place in the chain gives none."""
    if method == LINK:
        return
    act = Act(record_id, keys.visit_no, keys.patient_id, keys.occurred_at, told(method, record))
    event = act.told.event
    if event in staff.ACTS:
        staff.acted(connection, act)
    if event in staff.REVIEWED:
        staff.reviewed(connection, act)
    if act.text("recipeUniqueID"):
        prescriptions.contents(connection, act)
        prescriptions.paid(connection, act)
    rule = _OF_TIANJIN if method == TIANJIN_VISIT else _RULES
    if event in rule:
        rule[event](connection, act)


def watch_chain(connection: sqlite3.Connection, links: Mapping[int, str], keys: Keys, record_id: int) -> None:
    """Breaks of the chain; one that its late predecessor mends is taken back."""
    for number, state in links.items():
        if state == "broken":
            act = Act(record_id, keys.visit_no, keys.patient_id, keys.occurred_at, told(LINK, {}))
            words = f"全院序号{number}的链值与前一条不相接"
            hold(connection, Alert("chain_broken", str(number), words, act))
        else:
            settle(connection, "chain_broken", str(number), record_id)


def _harmed(connection: sqlite3.Connection, act: Act) -> None:
    severity, damage = act.text("severity"), act.text("damageDegree")
    if prescriptions.is_severe(severity, damage):
        words = label("shSeverity", severity) if severity else f"损害程度：{damage}"
        hold(connection, Alert("severe_event", act.text("recordNo"), words, act))


def _viewed(connection: sqlite3.Connection, act: Act) -> None:
    number = act.text("browseId")
    if act.text("result") == "0":
        hold(connection, Alert("view_refused", number, act.text("failReason"), act))
    elif act.text("purpose") == "1" and not act.visit_no:
        hold(connection, Alert("view_without_visit", number, "浏览目的为诊疗，未带就诊流水号", act))


def _paid(connection: sqlite3.Connection, payment: Act) -> None:
    if prescriptions.is_of_a_prescription(payment):
        prescriptions.paid(connection, payment)


_RULES: dict[str, Callable[[sqlite3.Connection, Act], None]] = {
    "payment.confirmed": _paid,
    "practitioner.changed": staff.filing,
    "identity.verified": visits.verified,
    "eligibility.decided": visits.decided,
    "encounter.started": visits.started,
    "record.viewed": _viewed,
    "complaint.filed": _harmed,
    "adverse_event.reported": _harmed,
}
_OF_TIANJIN = {"encounter.started": visits.told_by_tianjin, "encounter.completed": visits.told_by_tianjin}
