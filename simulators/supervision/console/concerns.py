"""The five concerns of the law, each with its figures, each figure with its list."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.server import SHANGHAI
from simulators.supervision.chain import chain_figures
from simulators.supervision.console import figures, findings, staffing
from simulators.supervision.console.figures import Counts, Figure
from simulators.supervision.console.scope import Scope
from simulators.supervision.console.wording import CONCERNS, days_ahead
from simulators.supervision.oversight import reveals

EXPIRING = 30


@dataclass(frozen=True)
class Concern:
    key: str
    name: str
    figures: list[Figure]
    alerts: int
    href: str


def concerns(connection: sqlite3.Connection, now: datetime, scope: Scope) -> list[Concern]:
    alerts, day = findings.alert_counts(connection, scope), figures.counts(connection, scope)
    made: dict[str, Callable[[], list[Figure]]] = {
        "staff": lambda: _staff(connection, day, now),
        "prescription": lambda: _prescriptions(day),
        "act": lambda: _acts(connection, day),
        "privacy": lambda: _privacy(connection, day),
        "security": lambda: _security(connection),
    }
    return [
        Concern(key, name, made[key](), alerts[key], f"/alerts{scope.query(concern=key)}")
        for key, name in CONCERNS.items()
    ]


def _staff(connection: sqlite3.Connection, day: Counts, now: datetime) -> list[Figure]:
    soon = days_ahead(now.astimezone(SHANGHAI).date(), EXPIRING)
    people = staffing.staff(connection, day.scope)
    expiring = [one for one in people if one.until and one.until <= soon]
    query = day.scope.without_days().query
    return [
        Figure("filed", "备案人员", f"{len(people)}人", f"/staff{query()}"),
        Figure("active", "在岗", f"{sum(one.active for one in people)}人", f"/staff{query(only='active')}"),
        Figure("expiring", "三十天内到期", f"{len(expiring)}人", f"/staff{query(only='expiring')}", bad=bool(expiring)),
        day.act("filed", "备案变更", "条"),
    ]  # fmt: skip


def _prescriptions(day: Counts) -> list[Figure]:
    return [
        day.act("prescribed", "开具", "张"),
        day.act("approved", "审核通过", "张"),
        day.act("returned", "退回", "张"),
        day.act("ended", "过期或作废", "张"),
    ]


def _acts(connection: sqlite3.Connection, day: Counts) -> list[Figure]:
    told = sum(findings.grievance_counts(connection, day.scope).values())
    return [
        day.act("started", "接诊", "人次"),
        day.act("declined", "未接诊", "人次"),
        day.act("discontinued", "中止转线下", "人次"),
        Figure("concerns", "投诉与不良事件", f"{told}件", f"/complaints{day.scope.query()}"),
    ]  # fmt: skip


def _privacy(connection: sqlite3.Connection, day: Counts) -> list[Figure]:
    days = Scope(day.scope.since, day.scope.until)
    lines = figures.count_days(connection, "trail", days)
    looks = figures.count_days(
        connection, "trail", days, f"action IN ({', '.join(map(repr, reveals.CLEAR))})"
    )
    return [
        day.act("verified", "实名认证", "次"),
        day.act("viewed", "健康档案浏览", "次"),
        Figure("looks", "未脱敏查看", f"{looks}次", f"/trail{days.query(action=','.join(reveals.CLEAR))}"),
        Figure("trail", "监管端留痕", f"{lines}条", f"/trail{days.query()}"),
    ]


def _security(connection: sqlite3.Connection) -> list[Figure]:
    """Of the channel, which has no days."""
    chain = chain_figures(connection)
    refused = figures.outcome_sum(connection, "rejected")
    twice = figures.outcome_sum(connection, "duplicates")
    return [
        Figure("missing", "缺号", f"{chain['missing']}个", "/feed#gaps", bad=chain["missing"] > 0),
        Figure("broken", "链值不符", f"{chain['broken']}处", "/alerts?rule=chain_broken", bad=chain["broken"] > 0),
        Figure("duplicates", "重复上报", f"{twice}条", "/feed"),
        Figure("refused", "退回", f"{refused}次", "/refusals"),
    ]  # fmt: skip
