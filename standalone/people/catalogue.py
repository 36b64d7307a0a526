"""The curated tables: diagnoses, usual doses, laboratory panels, and the hospital's drug list."""

import csv
import math
from bisect import bisect
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

_DATA = Path(__file__).parent / "data"
FORMULARY = Path(__file__).parents[2] / "backend" / "formulary" / "data" / "formulary.csv"
TIMES_A_DAY = {"qd": 1.0, "qn": 1.0, "bid": 2.0, "tid": 3.0, "qod": 0.5, "qw": 1 / 7, "once": 1.0}
OLDEST = 110


@dataclass(frozen=True, slots=True)
class Drug:
    code: str
    name: str
    strength: str
    strength_mg: float | None
    form: str
    unit: str
    pack_size: int
    pack_unit: str
    manufacturer: str
    price_fen: int
    route: str
    dose_unit: str


@dataclass(frozen=True, slots=True)
class Regimen:
    drug: Drug
    dose: float
    frequency: str
    days: int

    @property
    def packs(self) -> int:
        """Whole packs for the whole course; a bottle or a tube is one pack."""
        per_dose = _units(self.drug, self.dose)
        if per_dose is None:
            return 1
        return max(1, math.ceil(per_dose * TIMES_A_DAY[self.frequency] * self.days / self.drug.pack_size))


def _units(drug: Drug, dose: float) -> float | None:
    if drug.dose_unit == drug.unit:
        return dose
    factor = {"mg": 1.0, "μg": 0.001, "g": 1000.0}.get(drug.dose_unit)
    if factor is None or not drug.strength_mg or drug.unit not in {"片", "粒", "袋"}:
        return None
    return dose * factor / drug.strength_mg


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """`weight`: of a chronic illness its prevalence in per mille, of an acute one its share among visits."""

    code: str
    name: str
    department: str
    sex: str
    age_min: int
    age_max: int
    chronic: bool
    weight: float
    complaint: str
    treatments: tuple[tuple[Regimen, ...], ...]
    panels: tuple[str, ...]

    def fits(self, age: int, sex: str) -> bool:
        return self.age_min <= age <= self.age_max and self.sex in ("0", sex)


@dataclass(frozen=True, slots=True)
class LabItem:
    """An item without a mean is a word (阴性), with one a number."""

    code: str
    name: str
    unit: str
    low: str
    high: str
    mean: float | None
    spread: float
    decimals: int
    loinc: str
    shifts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    code: str
    name: str
    category: str
    normal_conclusion: str
    conclusions: tuple[tuple[str, str], ...]
    items: tuple[LabItem, ...]


class AcuteChoice:
    """Weighted choice among the acute illnesses of one age and sex."""

    def __init__(self, rows: list[DiagnosisRow]) -> None:
        self._rows = rows
        self._edges = list(accumulate(row.weight for row in rows))

    def draw(self, random: Random) -> DiagnosisRow | None:
        if not self._rows:
            return None
        return self._rows[bisect(self._edges, random.random() * self._edges[-1])]


@dataclass(frozen=True, slots=True)
class Catalogue:
    drugs: dict[str, Drug]
    regimens: dict[str, Regimen]
    diagnoses: tuple[DiagnosisRow, ...]
    panels: dict[str, Panel]
    chronic: dict[tuple[int, str], list[tuple[float, DiagnosisRow]]]
    acute: dict[tuple[int, str], AcuteChoice]

    def diagnosis(self, code: str, department: str) -> DiagnosisRow:
        return next(row for row in self.diagnoses if row.code == code and row.department == department)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def load() -> Catalogue:
    drugs = {row["generic_name"]: _drug(row) for row in read_rows(FORMULARY)}
    regimens = {
        row["drug"]: Regimen(drugs[row["drug"]], float(row["dose"]), row["frequency"], int(row["days"]))
        for row in read_rows(_DATA / "regimens.csv")
    }
    diagnoses = tuple(_diagnosis(row, regimens) for row in read_rows(_DATA / "diagnoses.csv"))
    ages = [(age, sex) for age in range(OLDEST + 1) for sex in ("1", "2")]
    return Catalogue(
        drugs=drugs,
        regimens=regimens,
        diagnoses=diagnoses,
        panels=_panels(),
        chronic={
            key: [(_prevalence(row, key[0]), row) for row in diagnoses if row.chronic and row.fits(*key)]
            for key in ages
        },
        acute={
            key: AcuteChoice([row for row in diagnoses if not row.chronic and row.fits(*key)]) for key in ages
        },
    )


def _prevalence(row: DiagnosisRow, age: int) -> float:
    """Illnesses of age come with age."""
    share = row.weight / 1000
    if row.department in {"0310", "0403"} and row.age_max > 60:
        share *= 0.15 if age < 45 else 0.4 if age < 55 else 0.75 if age < 65 else 1.0
    return share


def _drug(row: dict[str, str]) -> Drug:
    return Drug(
        code=row["code"],
        name=row["generic_name"],
        strength=row["strength"],
        strength_mg=float(row["strength_mg"]) if row["strength_mg"] else None,
        form=row["form_name"],
        unit=row["unit"],
        pack_size=int(row["pack_size"]),
        pack_unit=row["pack_unit"],
        manufacturer=row["manufacturer"],
        price_fen=int(row["price_fen"]),
        route=row["route_codes"].split("|")[0],
        dose_unit=row["dose_unit"],
    )


def _diagnosis(row: dict[str, str], regimens: dict[str, Regimen]) -> DiagnosisRow:
    return DiagnosisRow(
        code=row["code"],
        name=row["name"],
        department=row["department"],
        sex=row["sex"],
        age_min=int(row["age_min"]),
        age_max=int(row["age_max"]),
        chronic=row["course"] == "chronic",
        weight=float(row["weight"]),
        complaint=row["complaint"],
        treatments=tuple(
            tuple(regimens[name] for name in choice.split("+"))
            for choice in row["drugs"].split("|")
            if choice
        ),
        panels=tuple(filter(None, row["panels"].split("|"))),
    )


def _panels() -> dict[str, Panel]:
    items: dict[str, list[LabItem]] = {}
    for row in read_rows(_DATA / "lab_items.csv"):
        items.setdefault(row["panel"], []).append(
            LabItem(
                code=row["code"],
                name=row["name"],
                unit=row["unit"],
                low=row["low"],
                high=row["high"],
                mean=float(row["mean"]) if row["mean"] else None,
                spread=float(row["spread"] or 0),
                decimals=int(row["decimals"] or 0),
                loinc=row["loinc"],
                shifts=_pairs(row["shifts"]),
            )
        )
    return {
        row["panel"]: Panel(
            code=row["panel"],
            name=row["name"],
            category=row["category"],
            normal_conclusion=row["normal_conclusion"],
            conclusions=_pairs(row["conclusions"]),
            items=tuple(items.get(row["panel"], ())),
        )
        for row in read_rows(_DATA / "panels.csv")
    }


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`E11:7.4|E10:8.2`, the longer code first, so that E11.1 is found before E11."""
    pairs = [(code, value) for code, _, value in (part.partition(":") for part in text.split("|") if part)]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))
