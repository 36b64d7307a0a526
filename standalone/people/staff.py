"""The hospital, its five departments, 31 filed doctors, four pharmacists and the people at the desks."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from standalone.people import credentials
from standalone.people.age_pyramid import age_on, born_years_ago
from standalone.people.id_numbers import IdNumbers
from standalone.people.names import full_name
from standalone.people.phones import demo_phone
from standalone.people.shapes import Department, Hospital, Staff

HOSPITAL = Hospital(
    id="H0001",
    code="31011400000001",
    name="南翔示范医院",
    short_name="南翔示范医院",
    address="上海市嘉定区南翔镇示范一路1号（演示地址）",
    phone="19900000900",
    city_code="310100",
    unified_social_credit_code="12310114DEM1000017",
)
DEPARTMENTS = [
    Department("0500", "05", "妇产科", "妇产科"),
    Department("1300", "13", "皮肤科", "皮肤科"),
    Department("0310", "03.10", "老年病专业", "老年科"),
    Department("0700", "07", "儿科", "儿科"),
    Department("0403", "04.03", "骨科专业", "骨科"),
]
# Each department has one chief and one associate chief at least (基本标准, part two).
_DOCTORS = {
    "0310": ("231", "232", "232", "233", "233", "233", "233"),
    "0500": ("231", "231", "232", "232", "233", "233", "233"),
    "1300": ("231", "232", "232", "233", "233", "233"),
    "0700": ("231", "232", "232", "233", "233", "234"),
    "0403": ("231", "232", "232", "233", "233"),
}
TITLES = {
    "231": "主任医师",
    "232": "副主任医师",
    "233": "主治医师",
    "234": "医师",
    "241": "主任药师",
    "242": "副主任药师",
    "243": "主管药师",
    "244": "药师",
}
_YEARS = {"231": 24, "232": 15, "233": 8, "234": 4, "241": 24, "242": 15, "243": 8, "244": 4}
_DESKS = (
    ("S01", "clerk", "clerk"),
    ("S02", "schedule_manager", "schedule"),
    ("S03", "duty_desk", "duty"),
    ("S04", "quality", "quality"),
    ("S05", "admin", "admin"),
)


@dataclass
class StaffMaker:
    random: Random
    ids: IdNumbers
    today: date

    def everybody(self) -> list[Staff]:
        doctors = [(department, title) for department, titles in _DOCTORS.items() for title in titles]
        made = [
            self._person(f"D{place:02d}", "doctor", f"doctor{place:02d}", 100 + place, [department], title)
            for place, (department, title) in enumerate(doctors, 1)
        ]
        made += [
            self._person(f"PH{place}", "pharmacist", f"pharmacist{place}", 200 + place, [], title)
            for place, title in enumerate(("241", "242", "243", "244"), 1)
        ]
        made += [
            self._person(code, role, login, 300 + place, [], "")
            for place, (code, role, login) in enumerate(_DESKS, 1)
        ]
        return made

    def _person(
        self, id: str, role: str, login: str, phone: int, departments: list[str], title: str
    ) -> Staff:
        random = self.random
        years = _YEARS.get(title, 6) + random.randrange(6)
        sex = "2" if random.random() < (0.9 if departments == ["0500"] else 0.5) else "1"
        birth_date = born_years_ago(25 + years, self.today, random.randrange(1, 360))
        id_number = self.ids.new(birth_date, sex)
        assert id_number is not None  # a few dozen people cannot use up a day
        signs = role in {"doctor", "pharmacist"}
        return Staff(
            id=id,
            role=role,
            name=full_name(random, sex, age_on(birth_date, self.today)),
            id_number=id_number,
            sex=sex,
            birth_date=birth_date,
            phone=demo_phone(phone),
            title_code=title,
            title_name=TITLES.get(title, ""),
            licence_number=f"{'110' if role == 'doctor' else '310'}310114{9_00000 + phone:06d}"
            if signs
            else "",
            departments=departments,
            years_of_experience=years,
            filed_until=self.today + timedelta(days=365 + 30 * random.randrange(24)) if signs else None,
            openid=credentials.openid(random),
            unionid=credentials.openid(random),
            login=login,
            password=credentials.password(random),
            totp_secret=credentials.totp_secret(random),
            ca_holder=f"{role}-{id}" if signs else "",
            pin=credentials.pin(random) if signs else "",
        )


def doctors_by_department(staff: list[Staff]) -> dict[str, list[str]]:
    return {
        department.code: [
            one.id for one in staff if one.role == "doctor" and department.code in one.departments
        ]
        for department in DEPARTMENTS
    }


def ca_holders(staff: list[Staff], random: Random) -> list[dict[str, object]]:
    holders = [(one.ca_holder, one.name, one.id_number, one.role, one.pin) for one in staff if one.ca_holder]
    holders.append(
        (
            "hospital",
            HOSPITAL.name,
            HOSPITAL.unified_social_credit_code,
            "organization",
            credentials.pin(random),
        )
    )
    return [
        {
            "holder": holder,
            "name": name,
            "id_number_digest": hashlib.sha256(number.encode()).hexdigest(),
            "kind": kind,
            "pin": pin,
        }
        for holder, name, number, kind, pin in holders
    ]
