"""Formulas with their sources. Pure; every figure is for reading, none goes into a prescription by itself.

Cockcroft & Gault 1976 (creatinine clearance), CKD-EPI 2021 without race (eGFR), KDIGO 2012 (stages), Mosteller 1987 (body surface).
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from foundation.errors import Issue

UMOL_PER_MG_DL = 88.4
ADULT = 18
MALE, FEMALE = "male", "female"
STAGES = ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4"), (0, "G5"))


@dataclass(frozen=True)
class Asked:
    """What is known; None where it is not. Creatinine in μmol/L, weight in kg, height in cm, `per_kg` in mg/kg."""

    age: int
    sex: str
    weight: Decimal | None = None
    height: Decimal | None = None
    creatinine: Decimal | None = None
    per_kg: Decimal | None = None
    per_day: bool = False
    times: int = 1
    most: Decimal | None = None
    strength: Decimal | None = None


@dataclass(frozen=True)
class Computed:
    """Figures with one decimal as text, empty where something is missing; `notes` say what a figure does not."""

    clearance: str = ""
    egfr: str = ""
    stage: str = ""
    surface: str = ""
    single: str = ""
    daily: str = ""
    units: str = ""
    notes: tuple[str, ...] = ()


def issues(asked: Asked) -> list[Issue]:
    """Figures that no person has."""
    limits = (
        ("weight", asked.weight, Decimal(1), Decimal(300), "体重应在 1 到 300 千克之间"),
        ("height", asked.height, Decimal(30), Decimal(250), "身高应在 30 到 250 厘米之间"),
        ("creatinine", asked.creatinine, Decimal(10), Decimal(2000), "肌酐应在 10 到 2000 μmol/L 之间"),
        ("per_kg", asked.per_kg, Decimal("0.001"), Decimal(1000), "每千克剂量应在 0.001 到 1000 毫克之间"),
        ("most", asked.most, Decimal("0.001"), Decimal(100_000), "单次极量应为正数"),
        ("strength", asked.strength, Decimal("0.001"), Decimal(100_000), "规格应为正数"),
    )
    return [
        Issue(name, "out_of_range", words)
        for name, value, low, high, words in limits
        if value is not None and not low <= value <= high
    ]


def compute(asked: Asked) -> Computed:
    """Everything that can be computed from what is known."""
    notes: list[str] = []
    clearance = egfr = stage = ""
    if asked.creatinine is not None and asked.age < ADULT:
        notes.append("未满 18 岁，成人肾功能公式不适用")
    elif asked.creatinine is not None and asked.sex in (MALE, FEMALE):
        rate = egfr_2021(asked.age, asked.sex, float(asked.creatinine))
        egfr, stage = _one(rate), stage_of(rate)
        if asked.weight is not None:
            clearance = _one(
                cockcroft_gault(asked.age, asked.sex, float(asked.weight), float(asked.creatinine))
            )
        else:
            notes.append("填写体重后可算肌酐清除率（药品说明书多按它调量）")
    single, daily, units = _dose(asked, notes)
    surface = ""
    if asked.weight is not None and asked.height is not None:
        surface = f"{math.sqrt(float(asked.weight * asked.height) / 3600):.2f}"
    return Computed(clearance, egfr, stage, surface, single, daily, units, tuple(notes))


def cockcroft_gault(age: int, sex: str, weight: float, creatinine: float) -> float:
    """Creatinine clearance in mL/min; women 0.85."""
    return (140 - age) * weight / (72 * creatinine / UMOL_PER_MG_DL) * (0.85 if sex == FEMALE else 1)


def egfr_2021(age: int, sex: str, creatinine: float) -> float:
    """CKD-EPI 2021 in mL/min/1.73 m²."""
    woman = sex == FEMALE
    kappa, alpha = (0.7, -0.241) if woman else (0.9, -0.302)
    share = creatinine / UMOL_PER_MG_DL / kappa
    rate: float = 142 * min(share, 1) ** alpha * max(share, 1) ** -1.2 * 0.9938**age
    return rate * 1.012 if woman else rate


def stage_of(rate: float) -> str:
    """KDIGO's stage of an eGFR."""
    return next(name for least, name in STAGES if rate >= least)


def _dose(asked: Asked, notes: list[str]) -> tuple[str, str, str]:
    if asked.per_kg is None or asked.weight is None:
        return "", "", ""
    whole = asked.per_kg * asked.weight
    single = whole / asked.times if asked.per_day else whole
    if asked.most is not None and single > asked.most:
        notes.append(f"按体重算得 {_two(single)} mg，超过单次极量，按极量 {_two(asked.most)} mg 计")
        single = asked.most
    units = ""
    if asked.strength is not None:
        units = _two(single / asked.strength)
        notes.append("分次量为计算值，请按可分割的剂型取整")
    return _two(single), _two(single * asked.times), units


def _one(value: float) -> str:
    return f"{value:.1f}"


def _two(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP).normalize():f}"
