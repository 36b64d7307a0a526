"""One visit with its texts, prescription and reports."""

from datetime import date, timedelta
from itertools import count
from random import Random

from standalone.people.catalogue import Catalogue, DiagnosisRow, LabItem, Panel, Regimen
from standalone.people.shapes import (
    Diagnosis,
    Prescription,
    PrescriptionItem,
    Record,
    Report,
    ReportItem,
    Visit,
)

_SINCE = ("三天", "一周", "十余天", "半月", "一月", "半年余", "一年余", "三年余", "五年余", "十年余")
_ADVICE = (
    "遵嘱用药，按时复诊。",
    "注意休息，清淡饮食，如有不适及时就诊。",
    "监测指标，规律服药，一月后复诊。",
    "避免诱因，门诊随访。",
)


class VisitMaker:
    """Makes visits, prescriptions and reports with running numbers from `first`."""

    def __init__(
        self, random: Random, catalogue: Catalogue, doctors: dict[str, list[str]], first: int = 1
    ) -> None:
        self.random = random
        self.catalogue = catalogue
        self.doctors = doctors
        self._visits = count(first)
        self._prescriptions = count(first)
        self._reports = count(first)

    def make(
        self,
        rows: list[DiagnosisRow],
        day: date,
        *,
        certainty: str = "confirmed",
        doctor: str = "",
        prescribe: float = 0.75,
        report: float = 0.3,
    ) -> Visit:
        """An out-patient visit for `rows`, the first of which is the main diagnosis."""
        random, main = self.random, rows[0]
        if not doctor:
            here = self.doctors[main.department]
            doctor = here[int(random.random() * len(here))]
        since = _SINCE[int(random.random() * 4) + (5 if main.chronic else 0)]
        visit = Visit(
            id=f"V{next(self._visits):08d}",
            date=day,
            department=main.department,
            doctor=doctor,
            diagnoses=[
                Diagnosis(row.code, row.name, certainty if rank == 1 else "confirmed", rank)
                for rank, row in enumerate(rows, 1)
            ],
            record=Record(
                f"{main.complaint}{since}",
                f"患者{since}来{main.complaint}，{'长期随访，病情平稳。' if main.chronic else '自行处理效果欠佳，来院就诊。'}",
                _ADVICE[int(random.random() * len(_ADVICE))],
            ),
        )
        if main.treatments and random.random() < prescribe:
            visit.prescriptions = [self.prescription(rows, day, doctor)]
        if main.panels and random.random() < report:
            panel = main.panels[int(random.random() * len(main.panels))]
            visit.reports = [self.report(self.catalogue.panels[panel], rows, day)]
        return visit

    def prescription(self, rows: list[DiagnosisRow], day: date, doctor: str) -> Prescription:
        """One choice of treatment for each diagnosis, at most five drugs, none twice."""
        chosen: dict[str, Regimen] = {}
        for row in rows:
            if row.treatments:
                for regimen in row.treatments[int(self.random.random() * len(row.treatments))]:
                    chosen.setdefault(regimen.drug.code, regimen)
        return self.prescription_of(list(chosen.values())[:5], day, doctor)

    def prescription_of(self, regimens: list[Regimen], day: date, doctor: str) -> Prescription:
        return Prescription(
            f"R{next(self._prescriptions):08d}", day, doctor, [_item(regimen) for regimen in regimens]
        )

    def report(self, panel: Panel, rows: list[DiagnosisRow], day: date) -> Report:
        codes = [row.code for row in rows]
        return Report(
            id=f"L{next(self._reports):08d}",
            date=day,
            panel=panel.code,
            name=panel.name,
            category=panel.category,
            conclusion=shifted(panel.conclusions, codes) or panel.normal_conclusion,
            items=[self._result(item, codes) for item in panel.items],
        )

    def _result(self, item: LabItem, codes: list[str]) -> ReportItem:
        shift = shifted(item.shifts, codes)
        if item.mean is None:
            usual = (
                "Ⅱ度" if item.code == "CLEAN" else "未检出" if item.code in {"YEAST", "TRICH"} else "阴性(-)"
            )
            return ReportItem(
                item.code, item.name, shift or usual, flag="A" if shift else "", loinc=item.loinc
            )
        mean = float(shift) if shift else item.mean
        spread = item.spread if not shift else max(item.spread, mean * 0.06)
        value = max(float(item.low) * 0.5, mean * 0.4, self.random.gauss(mean, spread))
        if not shift:  # most people are within the range on a usual day
            value = min(max(value, float(item.low)), float(item.high))
        flag = "H" if value > float(item.high) else "L" if value < float(item.low) else ""
        return ReportItem(
            item.code,
            item.name,
            f"{value:.{item.decimals}f}",
            item.unit,
            item.low,
            item.high,
            flag,
            item.loinc,
        )


def stay(visit: Visit, days: int, today: date) -> Visit:
    """The visit as a stay of so many days, over by today at the latest."""
    visit.kind = "inpatient"
    visit.discharged_on = min(visit.date + timedelta(days=days), today)
    return visit


def shifted(pairs: tuple[tuple[str, str], ...], codes: list[str]) -> str:
    """The value of the first pair whose code begins one of the diagnoses, or nothing."""
    for prefix, value in pairs:
        for code in codes:
            if code.startswith(prefix):
                return value
    return ""


def _item(regimen: Regimen) -> PrescriptionItem:
    drug = regimen.drug
    return PrescriptionItem(
        drug.code,
        drug.name,
        regimen.dose,
        drug.dose_unit,
        regimen.frequency,
        drug.route,
        regimen.days,
        regimen.packs,
        drug.pack_unit,
    )
