"""The head of a visit's page: who, with whom, what for, what came of it."""

from collections.abc import Sequence

from simulators.supervision.console.masking import mask_record
from simulators.supervision.console.reading import Item
from simulators.supervision.console.wording import METHODS, say, yuan
from simulators.supervision.validate import is_empty

_ROWS = (
    ("患者", ("patientName", "sex", "patientSex", "age", "patientAge", "mobile", "hzxm", "xbdm", "nls")),
    ("监护人", ("guardianName", "guardianRelation", "guardianMobile")),
    ("医师", ("doctorName", "deptName", "ysxm", "ksmc")),
    ("时段", ("startTime", "endTime")),
    ("诊断", ("thisDiagnosis", "furtherConsultDiagnosis", "icdName", "mainDiagnoseCode", "zdmc")),
    ("审方药师", ("auditDoctor", "cfshyjsxm")),
)
_FIRST_ONLY = {"诊断"}


def summary(steps: Sequence[Item]) -> list[tuple[str, str]]:
    """(label, value) rows; each value from the earliest record that has it, the diagnosis from the latest."""
    rows = []
    for title, names in _ROWS:
        parts = [text for name in names if (text := _find(steps, name, latest=title in _FIRST_ONLY))]
        if title in _FIRST_ONLY:
            parts = parts[:1]
        if parts:
            rows.append((title, (" 至 " if title == "时段" else " · ").join(parts)))
    paid = sum(_fen(step, "payment.confirmed") for step in steps)
    refunded = sum(_fen(step, "refund.succeeded") for step in steps)
    if paid or refunded:
        rows.append(("费用", f"已收{yuan(paid)}" + (f"，已退{yuan(refunded)}" if refunded else "")))
    if steps:
        rows.append(("最近一步", steps[-1].title))
    return rows


def _find(steps: Sequence[Item], name: str, *, latest: bool) -> str | None:
    for step in reversed(steps) if latest else steps:
        if not is_empty(step.body.get(name)) and any(
            field.name == name for field in METHODS[step.method].fields
        ):
            return say(METHODS[step.method].field(name), mask_record(step.method, step.body)[name])
    return None


def _fen(step: Item, event: str) -> int:
    return int(step.body["amountFen"]) if step.body.get("eventType") == event else 0
