"""How long a queue takes, from how long visits took; whom a visit may be handed over to. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import Issue

ENOUGH = 5
"""Measured visits from which on they say more than the default."""
LEAST_SPREAD = 0.3
"""No doctor's visits differ less than this share of their mean: five alike are luck."""
SURE = 1.28
"""Standard deviations to each side: four of five waits end within the range."""
STEP = 5


@dataclass(frozen=True)
class Pace:
    """Minutes of a visit: mean, standard deviation, and how many visits were measured (0: the default)."""

    mean: float
    deviation: float
    measured: int


def pace(own: Sequence[float], department: Sequence[float], default: int) -> Pace:
    """The doctor's own visits when there are enough, else her department's, else the default with half of it as deviation."""
    for lengths in (own, department):
        if len(lengths) >= ENOUGH:
            mean = sum(lengths) / len(lengths)
            variance = sum((one - mean) ** 2 for one in lengths) / (len(lengths) - 1)
            return Pace(mean, max(math.sqrt(variance), mean * LEAST_SPREAD), len(lengths))
    return Pace(float(default), default / 2, 0)


@dataclass(frozen=True)
class Expected:
    """A wait as a range of minutes, rounded outwards to fives."""

    low: int
    high: int


def expected(pace: Pace, *, ahead: int, running: Sequence[float], until_slot: float) -> Expected:
    """The wait of somebody with `ahead` people before her; `running` are the minutes that visits under way have lasted.

    A visit that has lasted longer than usual is expected to go on for half a standard deviation. Before her slot
    (`until_slot` minutes from now) she may not be seen, and those before her may not be seen either: the range says so.
    """
    rests = [max(pace.mean - lasted, pace.deviation / 2) for lasted in running[:1]]
    middle = ahead * pace.mean + sum(rests)
    spread = SURE * pace.deviation * math.sqrt(ahead + len(rests))
    early = max(until_slot, 0.0)
    low = max(middle - spread, early)
    high = early + max(middle + spread, 0.0)
    return Expected(int(low // STEP) * STEP, math.ceil(high / STEP) * STEP)


def words(wait: Expected, *, ahead: int, doctor_busy: bool) -> str:
    """What the patient reads."""
    if ahead == 0 and not doctor_busy and wait.high <= STEP:
        return "轮到您了，等待医生接诊，请不要离开"
    if ahead == 0 and doctor_busy:
        return f"医生还在为前一位患者看诊，预计再等 {_range(wait)}"
    return f"预计等候 {_range(wait)}"


def _range(wait: Expected) -> str:
    if wait.high <= STEP:
        return f"不到 {STEP} 分钟"
    if wait.low == wait.high:
        return f"{wait.high} 分钟左右"
    return f"{wait.low}–{wait.high} 分钟" if wait.low else f"{wait.high} 分钟以内"


def may_take_over(
    *, same: bool, filed: bool, on_shift: bool, running: int, most: int, costs: int, paid: int
) -> list[Issue]:
    """Why a colleague cannot take a visit over: every reason."""
    issues = []
    if same:
        issues.append(Issue("practitioner_id", "same_doctor", "患者已在该医生处候诊"))
    if not filed:
        issues.append(Issue("practitioner_id", "not_licensed", "该医生未在本科室备案"))
    if not on_shift:
        issues.append(Issue("practitioner_id", "not_on_shift", "该医生未上班"))
    if running >= most:
        issues.append(Issue("practitioner_id", "too_many_visits", f"该医生同时接诊已达 {most} 位"))
    if costs < paid:
        issues.append(Issue("practitioner_id", "cheaper", "该医生诊查费较低，不能转诊，请患者退款后另行预约"))
    return issues
