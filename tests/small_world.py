"""A hospital small enough to know by heart: three doctors, two pharmacists, the desks. Everybody in it is made up.

`doctor` and `second_doctor` are filed for 老年科 (0310), `child_doctor` for 儿科 (0700).
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from backend.patient.rules import check_character
from backend.seeding import staff_id
from foundation.actor import Actor

HOSPITAL = {
    "code": "31011400000001", "name": "示范医院", "short_name": "示范医院", "address": "上海市嘉定区示范一路1号",
    "phone": "19900000900",
}  # fmt: skip
DEPARTMENTS = [
    {"code": "0310", "subject_code": "03.10", "subject_name": "老年病专业", "name": "老年科"},
    {"code": "0700", "subject_code": "07", "subject_name": "儿科", "name": "儿科"},
]
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TITLES = {
    "231": "主任医师",
    "232": "副主任医师",
    "233": "主治医师",
    "243": "主管药师",
    "": "",
}


@dataclass(frozen=True)
class Member:
    """One member of staff as tests know her."""

    code: str
    role: str
    name: str
    title: str = ""
    departments: tuple[str, ...] = ()
    filed_until: str | None = "2028-12-31"

    @property
    def id(self) -> UUID:
        """Of the login and of the practitioner."""
        return staff_id(self.code)

    @property
    def actor(self) -> Actor:
        """As a session of hers would make it."""
        return Actor("staff", self.id, frozenset({self.role}), self.name)

    @property
    def login(self) -> str:
        """Login name."""
        return self.code.lower()

    @property
    def password(self) -> str:
        """Password."""
        return f"Pass-{self.code}"

    @property
    def holder(self) -> str:
        """Certificate holder at the CA; only clinical staff have one."""
        return f"{self.role}-{self.code}" if self.role in ("doctor", "pharmacist") else ""

    @property
    def pin(self) -> str:
        """Of the certificate."""
        return f"{int(hashlib.sha256(self.code.encode()).hexdigest(), 16) % 1_000_000:06d}"


DOCTOR = Member("D01", "doctor", "顾明远", "232", ("0310",))
SECOND_DOCTOR = Member("D02", "doctor", "唐静怡", "233", ("0310",))
CHILD_DOCTOR = Member("D03", "doctor", "秦思源", "233", ("0700",))
PHARMACIST = Member("PH1", "pharmacist", "陆静", "243")
SECOND_PHARMACIST = Member("PH2", "pharmacist", "方晓", "243")
CLERK = Member("C01", "clerk", "沈洁")
QUALITY = Member("Q01", "quality", "于敏")
DUTY_DESK = Member("U01", "duty_desk", "苗青")
STAFF = (
    DOCTOR, SECOND_DOCTOR, CHILD_DOCTOR, PHARMACIST, SECOND_PHARMACIST, CLERK, QUALITY, DUTY_DESK,
)  # fmt: skip


def id_number(born: date, sequence: int) -> str:
    """A valid number of the district; an odd sequence is a man's."""
    first17 = f"310114{born:%Y%m%d}{sequence:03d}"
    return first17 + check_character(first17)


def staff_row(member: Member, number: int) -> dict[str, Any]:
    """As in `staff.json` of docs/world.md, the fields the backend reads."""
    return {
        "id": member.code, "role": member.role, "name": member.name, "id_number": id_number(date(1980, 2, 3), 900 + number),
        "phone": f"1990000{number + 100:04d}", "title_code": member.title, "title_name": TITLES[member.title],
        "licence_number": f"1103101149{number:05d}", "departments": list(member.departments),
        "years_of_experience": 12, "filed_until": member.filed_until, "openid": f"o-{member.code}",
        "login": member.login, "password": member.password, "totp_secret": TOTP_SECRET, "ca_holder": member.holder,
    }  # fmt: skip


def holders() -> list[dict[str, str]]:
    """As in `ca_holders.json`."""
    return [
        {
            "holder": one.holder, "name": one.name, "kind": one.role, "pin": one.pin,
            "id_number_digest": hashlib.sha256(one.code.encode()).hexdigest(),
        }
        for one in STAFF
        if one.holder
    ]  # fmt: skip


@dataclass(frozen=True)
class Resident:
    """Somebody the real-name service and the hospital know."""

    name: str
    born: date
    sequence: int
    phone: str
    wechat: str = ""

    @property
    def id_number(self) -> str:
        """Valid."""
        return id_number(self.born, self.sequence)

    @property
    def openid(self) -> str:
        """At WeChat."""
        return self.wechat or f"o-{self.sequence}"


PATIENT = Resident("林秀兰", date(1958, 3, 15), 902, "19900000001", "o-patient")
DAUGHTER = Resident("何家宁", date(1985, 7, 1), 904, "19900000002")
OTHER = Resident("龚一", date(1990, 1, 1), 907, "19900000005")
CHILD = Resident("何乐", date(2021, 11, 21), 901, "19900000002")
"""Five years old on the morning of a test; six on the next day."""
SCHOOLCHILD = Resident("何欢", date(2014, 5, 5), 906, "19900000002")
RESIDENTS = (PATIENT, DAUGHTER, OTHER, CHILD, SCHOOLCHILD)


def write_world(folder: Path) -> None:
    """The files of the world that the backend and the CA read."""
    parts = {
        "hospital.json": HOSPITAL,
        "departments.json": DEPARTMENTS,
        "staff.json": [staff_row(member, number) for number, member in enumerate(STAFF, start=1)],
        "ca_holders.json": holders(),
    }
    for name, content in parts.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
