"""The demo persons: residents with a story, and who plays which part in `demo.json`."""

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random

from standalone.people import credentials
from standalone.people.age_pyramid import born_years_ago
from standalone.people.demo_cases import ORDINARY, SPECIAL, Case
from standalone.people.id_numbers import IdNumbers
from standalone.people.names import address
from standalone.people.phones import demo_phone
from standalone.people.residents import resident_id
from standalone.people.shapes import (
    Allergy,
    Contact,
    DemoPerson,
    Resident,
    Staff,
    Visit,
)
from standalone.people.visits import VisitMaker, stay


@dataclass
class DemoMaker:
    random: Random
    ids: IdNumbers
    visits: VisitMaker
    today: date
    residents: list[Resident] = field(default_factory=list)
    parts: dict[str, DemoPerson | list[DemoPerson]] = field(default_factory=dict)
    phones: list[dict[str, str]] = field(default_factory=list)
    ordinary: list[DemoPerson] = field(default_factory=list)
    _places: "count[int]" = field(default_factory=lambda: count(1))

    def everybody(self) -> None:
        self._main_patient_and_daughter()
        self._without_history()
        self._around_the_window()
        self._allergic()
        self._child_and_guardian()
        self._doubtful_records()
        for case in SPECIAL:
            self.parts[case.key] = self._case(case)
        self.ordinary = [self._case(case) for case in ORDINARY]
        self.parts["patients"] = [*self.ordinary]

    # one story each

    def _main_patient_and_daughter(self) -> None:
        patient, part = self._resident(
            "周桂珍", "2", 68, "主要演示患者：高血压、2型糖尿病，10天前在老年科确诊"
        )
        daughter, proxy = self._resident("陆晓燕", "2", 41, "主要演示患者的女儿，可作代理人")
        patient.contact = Contact(daughter.name, daughter.phone, "女")
        patient.conditions = ["I10.x00", "E11.900"]
        for days, codes, panels in (
            (210, ("I10.x00",), ("ecg",)),
            (128, ("I10.x00", "E11.900"), ("hba1c", "renal")),
            (66, ("I10.x00", "E11.900"), ("lipids",)),
            (10, ("I10.x00", "E11.900"), ("glucose", "hba1c", "renal")),
        ):
            drugs = ("苯磺酸氨氯地平片", "盐酸二甲双胍片")[: len(codes)]
            self._visit(patient, codes, "0310", days, doctor="D01", panels=panels, drugs=drugs)
        self._visit(daughter, ("N60.100",), "0500", 180)
        self.parts["patient"] = self._told(part, patient.visits[-1])
        self.parts["proxy"] = proxy

    def _without_history(self) -> None:
        _, self.parts["patient_without_history"] = self._resident("顾志远", "1", 45, "从未在本院就诊")

    def _around_the_window(self) -> None:
        last = last_day_back(self.today)
        for key, name, sex, age, day, note in (
            ("patient_expired", "钱国梁", "1", 66, add_months(self.today, -2), "最近一次诊断在两个月前"),
            ("patient_last_day", "沈月琴", "2", 61, last, "今天是可以复诊的最后一天"),
            ("patient_day_too_late", "龚宝根", "1", 69, last - timedelta(days=1), "昨天是可以复诊的最后一天"),
        ):
            resident, part = self._resident(name, sex, age, note)
            resident.conditions = ["I10.x00"]
            back = (self.today - day).days
            visit = self._visit(
                resident, ("I10.x00",), "0310", back, panels=("renal",), drugs=("苯磺酸氨氯地平片",)
            )
            self.parts[key] = self._told(part, visit)

    def _allergic(self) -> None:
        resident, part = self._resident("孙丽华", "2", 52, "青霉素过敏；急性支气管炎8天前确诊")
        resident.allergies = [
            Allergy("penicillin", "青霉素类过敏", "penicillin", "曾于输液后出现全身皮疹伴胸闷")
        ]
        visit = self._visit(resident, ("J20.900",), "0310", 8, panels=("blood_count", "crp"))
        self.parts["allergic_patient"] = self._told(part, visit)

    def _child_and_guardian(self) -> None:
        guardian, keeper = self._resident("陈晓东", "1", 34, "4岁孩子的父亲，监护人")
        for key, name, sex, age, code, note in (
            ("child_under_six", "陈一禾", "2", 4, "L30.900", "4岁，湿疹10天前在儿科确诊，须监护人陪同"),
            ("child_over_six", "陈一帆", "1", 8, "J30.400", "8岁，变应性鼻炎12天前在儿科确诊"),
        ):
            child, part = self._resident(name, sex, age, note, phone=guardian.phone)
            child.contact = Contact(guardian.name, guardian.phone, "父")
            drugs = ("丁酸氢化可的松乳膏",) if age < 6 else ("氯雷他定糖浆",)
            visit = self._visit(child, (code,), "0700", 10 if age < 6 else 12, drugs=drugs)
            part = self._told(part, visit)
            part.guardian = keeper
            self.parts[key] = part
        self.parts["guardian"] = keeper

    def _doubtful_records(self) -> None:
        suspected, part = self._resident("郑秀兰", "2", 63, "只有疑似诊断")
        visit = self._visit(suspected, ("I25.103",), "0310", 5, certainty="suspected", panels=("ecg",))
        self.parts["patient_suspected"] = self._told(part, visit)

        cancelled, part = self._resident("卫学明", "1", 58, "最近的就诊已退号")
        visit = self._visit(cancelled, ("I10.x00",), "0310", 5)
        visit.status, visit.prescriptions, visit.reports = "cancelled", [], []
        self.parts["patient_cancelled"] = self._told(part, visit)

        words, part = self._resident("蒋雅芳", "2", 60, "医生只写了文字诊断，没有编码")
        visit = self._visit(words, ("I10.x00",), "0310", 6)
        visit.diagnoses[0].code, visit.diagnoses[0].name = "", "高血压病"
        self.parts["patient_text_only"] = self._told(part, visit, asks_for="I10.x00")

        inpatient, part = self._resident("韦志明", "1", 72, "慢阻肺住院，40天前入院，12天前出院")
        visit = stay(self._visit(inpatient, ("J44.900",), "0310", 40, panels=("chest_xray",)), 28, self.today)
        self.parts["patient_inpatient"] = self._told(part, visit)

        merged, part = self._resident("朱玉华", "2", 65, "就诊记录在已合并的旧病历号下")
        former = f"P9{int(merged.id[1:]):06d}"
        merged.former_ids = [former]
        visit = self._visit(merged, ("I10.x00",), "0310", 9, panels=("lipids",))
        visit.held_under = former
        self.parts["patient_merged"] = self._told(part, visit)

    def _case(self, case: Case) -> DemoPerson:
        resident, part = self._resident(case.name, case.sex, case.age, case.note)
        visit = self._visit(resident, (case.code,), case.department, case.days_ago)
        return self._told(part, visit, asks_for=case.asks_for)

    # the pieces of a story

    def _resident(
        self, name: str, sex: str, age: int, note: str, phone: str = ""
    ) -> tuple[Resident, DemoPerson]:
        place = next(self._places)
        birth_date = born_years_ago(age, self.today, 20 + self.random.randrange(300))
        id_number = self.ids.new(birth_date, sex)
        assert id_number is not None  # the demo persons are the first to get one
        resident = Resident(
            id=resident_id(place),
            name=name,
            sex=sex,
            birth_date=birth_date,
            id_number=id_number,
            phone=phone or demo_phone(place),
            address=address(self.random),
        )
        self.residents.append(resident)
        part = DemoPerson(
            id=resident.id,
            name=name,
            note=note,
            sex=sex,
            birth_date=birth_date,
            id_number=id_number,
            phone=resident.phone,
            openid="" if phone else credentials.openid(self.random),
        )
        if part.openid:
            self.phones.append(
                {
                    "openid": part.openid,
                    "unionid": credentials.openid(self.random),
                    "phone": part.phone,
                    "owner_name": name,
                    "label": f"{name}（{age}岁）{note}",
                    "role": "patient",
                }
            )
        return resident, part

    def _visit(
        self,
        resident: Resident,
        codes: tuple[str, ...],
        department: str,
        days_ago: int,
        *,
        doctor: str = "",
        certainty: str = "confirmed",
        panels: tuple[str, ...] = (),
        drugs: tuple[str, ...] = (),
    ) -> Visit:
        catalogue = self.visits.catalogue
        rows = [catalogue.diagnosis(code, department) for code in codes]
        day = self.today - timedelta(days=days_ago)
        visit = self.visits.make(rows, day, doctor=doctor, certainty=certainty, prescribe=not drugs, report=0)
        visit.reports = [self.visits.report(catalogue.panels[panel], rows, day) for panel in panels]
        for prescription in visit.prescriptions:
            prescription.note = "按说明书使用，如有不适停药就诊"
        if drugs:
            regimens = [catalogue.regimens[name] for name in drugs]
            visit.prescriptions = [self.visits.prescription_of(regimens, day, visit.doctor)]
            visit.prescriptions[0].note = "病情稳定，继续原方案"
        resident.visits.append(visit)
        resident.conditions = resident.conditions or [row.code for row in rows if row.chronic]
        return visit

    def _told(self, part: DemoPerson, visit: Visit, asks_for: str = "") -> DemoPerson:
        main = visit.diagnoses[0]
        part.department, part.doctor = visit.department, visit.doctor
        part.visit_date = visit.discharged_on or visit.date
        part.diagnosis_code, part.diagnosis_name = main.code, main.name
        part.asks_for = asks_for or main.code
        return part


def staff_parts(staff: list[Staff], random: Random) -> dict[str, DemoPerson | list[DemoPerson]]:
    """Doctors by department, pharmacists, the desks, and a supervisor of the city."""
    by_role: dict[str, list[DemoPerson]] = {}
    for one in staff:
        by_role.setdefault(one.role, []).append(_staff_part(one))
    doctors = by_role["doctor"]
    parts: dict[str, DemoPerson | list[DemoPerson]] = {
        "doctor": doctors[0],
        "second_doctor": doctors[1],
        "doctors": doctors,
        "pharmacist": by_role["pharmacist"][0],
        "second_pharmacist": by_role["pharmacist"][1],
    }
    parts |= {
        role: by_role[role][0] for role in ("clerk", "schedule_manager", "duty_desk", "quality", "admin")
    }
    parts["supervisor"] = DemoPerson(
        id="SV01",
        name="监管员（演示）",
        note="市级监管平台工作人员",
        login="supervisor",
        password=credentials.password(random),
        totp_secret=credentials.totp_secret(random),
    )
    parts["second_supervisor"] = DemoPerson(
        id="SV02",
        name="监管员乙（演示）",
        note="市级监管平台工作人员，批准查看未脱敏信息",
        login="supervisor2",
        password=credentials.password(random),
        totp_secret=credentials.totp_secret(random),
    )
    return parts


def _staff_part(one: Staff) -> DemoPerson:
    return DemoPerson(
        id=one.id,
        name=one.name,
        note=one.title_name or one.role,
        sex=one.sex,
        phone=one.phone,
        openid=one.openid,
        id_number=one.id_number,
        login=one.login,
        password=one.password,
        totp_secret=one.totp_secret,
        ca_holder=one.ca_holder,
        pin=one.pin,
        department=one.departments[0] if one.departments else "",
    )


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_day_back(today: date) -> date:
    """The earliest day whose next month, clamped to its end, reaches today: the default window of one month."""
    day = today - timedelta(days=32)
    while add_months(day, 1) < today:
        day += timedelta(days=1)
    return day
