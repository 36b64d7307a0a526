"""What must have been accepted before a record is (docs/profiles/tianjin-1.0.md, Order and timing)."""

import sqlite3
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from simulators.supervision.answers import Inner, RecordRefusalError
from simulators.supervision.tables import Method


class Strictness(StrEnum):
    ALL = "all"
    EVALUATION = "evaluation"
    OFF = "off"


NAMES = {
    "appointment": "预约",
    "consultation": "咨询",
    "revisit": "复诊",
    "prescription": "处方",
    "prescription of visit": "处方",
    "drug": "药品目录",
    "treatment": "诊疗记录",
}
OF_SOURCE = {"1": "consultation", "4": "revisit", "": "revisit"}
OF_BUSINESS = {
    "1": "consultation",
    "2": "consultation",
    "3": "consultation",
    "4": "revisit",
    "5": "prescription of visit",
    "16": "appointment",
}


def check_needs(
    connection: sqlite3.Connection, method: Method, record: Mapping[str, Any], strictness: Strictness
) -> None:
    """Raises RecordRefusalError for the first number that nobody reported before."""
    if strictness is Strictness.OFF:
        return
    if strictness is Strictness.EVALUATION and method.name != "uploadBusinessInfoAfter":
        return
    for kind, field, number in _needs(method, record):
        row = connection.execute(
            "SELECT value FROM known WHERE kind = ? AND number = ?", (kind, number)
        ).fetchone()
        if row is None:
            raise RecordRefusalError(Inner.FAILED, f"{field}对应的{NAMES[kind]}尚未上报：{number}")
        if kind == "drug" and row["value"] == "2":
            raise RecordRefusalError(Inner.FAILED, f"{field}在药品目录中已取消：{number}")


def _needs(method: Method, record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for kind, field in method.needs:
        outer, _, inner = field.partition(".")
        if inner:
            for index, item in enumerate(record[outer]):
                yield kind, f"{outer}[{index}].{inner}", str(item[inner])
        elif kind == "bussSource":
            yield OF_SOURCE[str(record.get(kind) or "")], field, str(record[field])
        elif kind == "businessType":
            if found := OF_BUSINESS.get(str(record[kind])):
                yield found, field, str(record[field])
        else:
            yield kind, field, str(record[field])
