"""诊断 `bb_pi_diagnosis`: one row for each diagnosis of a visit, the first is the main one."""

from typing import Any

from contracts.events import EncounterCompleted
from regulator_adapter.mapping.guangdong.blocks import PROFILE, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source

MAIN, OTHER = "1", "2"


def numbers(event: EncounterCompleted) -> list[str]:
    """The visit's with the diagnosis's place, from 1."""
    return [f"{visit_number(event.visit)}-{at}" for at in range(1, len(event.diagnoses) + 1)]


def build(source: Source[EncounterCompleted], number: str) -> dict[str, Any]:
    """The diagnosis at the place in `number`."""
    event = source.event
    at = int(number.rpartition("-")[2])
    found = event.diagnoses[at - 1]
    return row(source, number) | {
        "zddm": number,
        "jzlsh": visit_number(event.visit),
        "zdlx": MAIN if at == 1 else OTHER,
        "zdbm": found.code,
        "zdmc": found.name,
        "zdsj": stamp(event.completed_at),
        "ysdm": event.visit.practitioner.code,
    }


KIND = RecordKind(PROFILE, "bb_pi_diagnosis", numbers, build)
