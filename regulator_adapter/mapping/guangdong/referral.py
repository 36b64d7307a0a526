"""转诊 `bb_pi_referral`: stopped online and sent to the physical hospital (医院办法 Art 19)."""

from typing import Any

from contracts.events import ConsultationDiscontinued, EncounterDiscontinued
from regulator_adapter.mapping.guangdong.blocks import PROFILE, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source

Stopped = EncounterDiscontinued | ConsultationDiscontinued


def numbers(event: Stopped) -> list[str]:
    """The visit's."""
    return [visit_number(event.visit)]


def build(source: Source[Stopped], number: str) -> dict[str, Any]:
    """From the internet hospital to the hospital it belongs to, which has the same code."""
    event, organisation = source.event, source.organisation
    return row(source, number) | {
        "zzdm": number,
        "jzlsh": number,
        "zcjgdm": organisation.code,
        "zrjgdm": organisation.code,
        "zrjgmc": organisation.name,
        "zzyy": event.reason,
        "zzsj": stamp(event.discontinued_at),
        "ysdm": event.visit.practitioner.code,
    }


KIND = RecordKind(PROFILE, "bb_pi_referral", numbers, build)
