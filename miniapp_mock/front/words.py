"""How times, money and states are said on a screen."""

from datetime import date, datetime, timedelta
from typing import Any

from foundation.clock import LOCAL

GLUE = "\u2060"
"""Word joiner: no line ends here."""
WEEKDAYS = "一二三四五六日"


def moment(text: str) -> datetime:
    """A time of the API on a Shanghai wall clock."""
    return datetime.fromisoformat(text).astimezone(LOCAL)


def fen(amount: int) -> str:
    """3000 → ¥30.00."""
    return f"¥{amount // 100:,}.{amount % 100:02d}"


def clock_time(text: str) -> str:
    """14:05."""
    return moment(text).strftime("%H:%M")


def day_name(day: date, today: date) -> str:
    """今天, 明天, 昨天, or 11月22日 周日; another year is named."""
    near = {-1: "昨天", 0: "今天", 1: "明天"}.get((day - today).days)
    if near:
        return near
    year = f"{day.year}年" if day.year != today.year else ""
    return f"{year}{day.month}月{day.day}日 周{WEEKDAYS[day.weekday()]}"


def seconds_left(text: str, now: datetime) -> int:
    """Whole seconds until a time, none after it."""
    return max(0, int((moment(text) - now).total_seconds()))


def date_words(text: str) -> str:
    """2026-11-22 → 2026年11月22日."""
    day = date.fromisoformat(text)
    return f"{day.year}年{day.month}月{day.day}日"


def when(text: str, today: date) -> str:
    """今天 14:05."""
    at = moment(text)
    return f"{day_name(at.date(), today)} {at:%H:%M}"


def deadline(text: str, today: date) -> str:
    """今天 24:00 rather than 明天 00:00: a deadline belongs to the day it ends."""
    at = moment(text)
    if (at.hour, at.minute) == (0, 0):
        return f"{day_name(at.date() - timedelta(days=1), today)} 24:00"
    return when(text, today)


def period(starts: str, ends: str, today: date) -> str:
    """今天 14:00–15:00; never broken at the dash."""
    end = moment(ends)
    return f"{when(starts, today)}–{GLUE}{'24:00' if end.strftime('%H:%M') == '00:00' else end.strftime('%H:%M')}"


def on_the_shelf(one: Any, pack: str, today: date) -> str:
    """What `/drugs/availability` says of a drug: how many packs, or none, and when that was read; empty without a count."""
    hospital = one["hospital"]
    if one["free"] == 0:
        return "线上药房缺货"
    if hospital is None:
        return ""
    counted = f"{hospital['quantity']} {pack}" if hospital["quantity"] else "缺货"
    return f"院内药房{'' if not hospital['quantity'] else ' '}{counted}（更新于 {when(hospital['read_at'], today)}）"


def topic(visit: Any) -> str:
    """What a visit is about: the disease of a follow-up, or that it is a consultation."""
    return str(visit["original_diagnosis"]["name"]) if visit["original_diagnosis"] else "健康咨询"


def sex_name(code: str) -> str:
    """男, 女."""
    return {"male": "男", "female": "女", "1": "男", "2": "女"}.get(code, "")


def decimal(text: Any) -> str:
    """0.500 → 0.5."""
    plain = str(text)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
