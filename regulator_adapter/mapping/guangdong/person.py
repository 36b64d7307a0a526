"""人员实名 `bb_pi_person`."""

from typing import Any

from contracts.events import IdentityVerified
from regulator_adapter import codesets
from regulator_adapter.mapping.guangdong.blocks import PROFILE, person, row
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source


def numbers(event: IdentityVerified) -> list[str]:
    """The person's."""
    return [str(event.person.person_id)]


def build(source: Source[IdentityVerified], number: str) -> dict[str, Any]:
    """Who she said she is, and what the identity service answered."""
    event = source.event
    return (
        row(source, number)
        | person(event.person)
        | {
            "rzdm": str(source.place.event_id),
            "rylx": codesets.translate(codesets.SUBJECT_KIND, event.subject_kind),
            "rzfs": codesets.translate(codesets.IDENTITY_METHOD, event.method),
            "rzjg": codesets.translate(codesets.IDENTITY_RESULT, event.result),
            "hyjg": event.provider,
            "rzsj": stamp(event.verified_at),
        }
    )


KIND = RecordKind(PROFILE, "bb_pi_person", numbers, build)
