"""Columns that several tables share."""

from datetime import datetime
from typing import Any

from contracts.events import Department, Person, Practitioner, Visit
from regulator_adapter import codesets
from regulator_adapter.mapping.local import age, day, stamp
from regulator_adapter.mapping.source import Source

PROFILE = "guangdong"
NORMAL, REVOKED = "0", "1"
"""cxbz."""
SENSITIVE = "2"
"""mj: every row here is about a person's health or documents; what is not says so itself."""
ORDINARY = "1"


def row(
    source: Source[Any], number: str, *, revoked: bool = False, secrecy: str = SENSITIVE
) -> dict[str, Any]:
    """What every row begins with. `sjbs` is one for an event and a number, so that the same row is known again."""
    place = source.place
    return {
        "jgdm": source.organisation.code,
        "fwwddm": source.organisation.unit_id,
        "jgmc": source.organisation.name,
        "sjbs": f"{place.event_id}:{number}",
        "sjscsj": stamp(place.occurred_at),
        "tbrqsj": stamp(source.made_at or place.occurred_at),
        "cxbz": REVOKED if revoked else NORMAL,
        "mj": secrecy,
    }


def patient(visit: Visit) -> dict[str, Any]:
    """The patient on the day of the visit, and who answers for a child under six."""
    who, guardian = visit.patient, visit.guardian
    return person(who) | {
        "nls": age(who.birth_date, day(visit.starts_at)),
        "jhrxm": guardian.name if guardian else None,
        "jhrzjhm": guardian.id_number if guardian else None,
    }


def person(who: Person) -> dict[str, Any]:
    """Who it is, by national codes."""
    return {
        "grdm": str(who.person_id),
        "hzxm": who.name,
        "zjlb": who.id_kind,
        "zjhm": who.id_number,
        "xbdm": codesets.translate(codesets.SEX_NATIONAL, who.sex),
        "csrq": who.birth_date.isoformat(),
        "lxdh": who.phone,
    }


def department(where: Department) -> dict[str, Any]:
    """诊疗科目 and department."""
    return {
        "kmdm": where.subject_code,
        "kmmc": where.subject_name,
        "ksdm": where.code,
        "ksmc": where.name,
    }


def doctor(visit: Visit) -> dict[str, Any]:
    """Department and doctor of the visit."""
    who = visit.practitioner
    return department(visit.department) | {"ysdm": who.code, "ysxm": who.name, "yssfzh": who.id_number}


def visit_number(visit: Visit) -> str:
    """就诊流水号."""
    return str(visit.appointment_id)


def pharmacist(
    prefix: str, who: Practitioner | None, at: datetime | None, signature: str = ""
) -> dict[str, Any]:
    """One of the four: id, name, signature, time. Where no signature value was made the column has the name that was signed with."""
    if who is None:
        return {}
    return {
        f"{prefix}dm": who.code,
        f"{prefix}xm": who.name,
        f"{prefix}qm": signature or who.name,
        f"{prefix}sj": stamp(at),
    }
