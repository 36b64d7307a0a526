"""实名认证 `uploadRealName`."""

from typing import Any

from contracts.events import IdentityVerified
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header
from regulator_adapter.mapping.source import Source


def numbers(event: IdentityVerified) -> list[str]:
    """The person's."""
    return [str(event.person.person_id)]


def build(source: Source[IdentityVerified], number: str) -> dict[str, Any]:
    """One check of one person; the event's id is the check's number."""
    event, person = source.event, source.event.person
    return header(source) | {
        "authId": str(source.place.event_id),
        "subjectType": codesets.translate(codesets.SUBJECT_KIND, event.subject_kind),
        "personId": number,
        "certType": person.id_kind,
        "certNo": person.id_number,
        "name": person.name,
        "mobile": person.phone,
        "authMethod": codesets.translate(codesets.IDENTITY_METHOD, event.method),
        "result": codesets.translate(codesets.IDENTITY_RESULT, event.result),
        "failReason": codesets.IDENTITY_REASON.get(event.result),
        "provider": event.provider,
        "providerSerial": event.provider_serial,
        "authTime": iso(event.verified_at),
    }


KIND = RecordKind(PROFILE, "uploadRealName", numbers, build)
