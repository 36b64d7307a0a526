"""人员备案 `bb_pi_staff` and the subjects she is filed for, 机构业务 `bb_pi_org_business`."""

from typing import Any

from contracts.events import PractitionerChanged
from regulator_adapter import codesets
from regulator_adapter.mapping.guangdong.blocks import ORDINARY, PROFILE, department, row
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source


def numbers(event: PractitionerChanged) -> list[str]:
    """The staff code."""
    return [event.practitioner.code]


def build(source: Source[PractitionerChanged], number: str) -> dict[str, Any]:
    """A doctor or pharmacist as filed now; the photo and the certificate file are with the hospital, nobody has given them to us."""
    event, who, organisation = source.event, source.event.practitioner, source.organisation
    return row(source, number) | {
        "rydm": who.code,
        "ryxm": who.name,
        "rysfzh": who.id_number,
        "rylb": codesets.translate(codesets.STAFF, event.kind),
        "zyzsbm": who.licence_number,
        "zcdm": who.title_code,
        "zcmc": who.title_name,
        "zydd": organisation.name,
        "zyfw": "|".join(one.subject_name for one in event.departments) or "药学",
        "zyjgdm": organisation.code,
        "zyjgmc": organisation.name,
        "bayxq": event.filed_until.isoformat() if event.filed_until else None,
        "ryzt": "1" if event.active else "0",
    }


def departments(event: PractitionerChanged) -> list[str]:
    """The codes of the departments."""
    return [one.code for one in event.departments]


def build_business(source: Source[PractitionerChanged], number: str) -> dict[str, Any]:
    """A department the hospital works in; told again with each of its staff, which changes nothing."""
    where = next(one for one in source.event.departments if one.code == number)
    return row(source, number, secrecy=ORDINARY) | department(where)


KIND = RecordKind(PROFILE, "bb_pi_staff", numbers, build)
BUSINESS = RecordKind(PROFILE, "bb_pi_org_business", departments, build_business)
