"""The five concerns of the law, each with its figures."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from simulators.supervision.chain import chain_figures
from simulators.supervision.console.figures import Today, count_since, day_bounds, outcome_sum, today
from simulators.supervision.console.reading import alert_counts
from simulators.supervision.console.wording import CONCERNS


@dataclass(frozen=True)
class Concern:
    key: str
    name: str
    figures: list[tuple[str, str]]
    alerts: int


def concerns(connection: sqlite3.Connection, now: datetime) -> list[Concern]:
    counts = alert_counts(connection)
    day = today(connection, now)
    figures = {
        "staff": _staff(connection, day),
        "prescription": _prescriptions(day),
        "act": _acts(day),
        "privacy": _privacy(connection, day, now),
        "security": _security(connection, now),
    }
    return [Concern(key, name, figures[key], counts[key]) for key, name in CONCERNS.items()]


def _staff(connection: sqlite3.Connection, day: Today) -> list[tuple[str, str]]:
    filed, active, expiring = connection.execute(
        "SELECT count(*), coalesce(sum(json_extract(body, '$.status') = '1'), 0), "
        "coalesce(sum(json_extract(body, '$.filedUntil') < date('now', '+30 days')), 0) FROM records WHERE id IN "
        "(SELECT max(id) FROM records WHERE method = 'uploadPractitioner' GROUP BY business_no)"
    ).fetchone()
    return [
        ("备案人员", f"{filed}人"),
        ("在岗", f"{active}人"),
        ("三十天内到期", f"{expiring}人"),
        ("今日备案变更", f"{day.counts['practitioner.changed']}条"),
    ]


def _prescriptions(day: Today) -> list[tuple[str, str]]:
    count = day.counts
    return [
        ("今日开具", f"{day.acts('prescribed')}张"),
        ("审核通过", f"{day.acts('approved')}张"),
        ("退回", f"{count['prescription.returned']}张"),
        ("过期或作废", f"{count['prescription.expired'] + count['prescription.cancelled']}张"),
    ]


def _acts(day: Today) -> list[tuple[str, str]]:
    count = day.counts
    return [
        ("今日接诊", f"{day.acts('started')}人次"),
        ("未接诊", f"{day.acts('declined')}人次"),
        ("中止转线下", f"{count['encounter.discontinued']}人次"),
        ("投诉与不良事件", f"{count['complaint.filed'] + count['adverse_event.reported']}件"),
    ]


def _privacy(connection: sqlite3.Connection, day: Today, now: datetime) -> list[tuple[str, str]]:
    return [
        ("今日实名认证", f"{day.counts['identity.verified']}次"),
        ("健康档案浏览", f"{day.counts['record.viewed']}次"),
        ("监管端查看留痕", f"{count_since(connection, 'views', day_bounds(now)[0])}次"),
    ]


def _security(connection: sqlite3.Connection, now: datetime) -> list[tuple[str, str]]:
    chain = chain_figures(connection)
    return [
        ("缺号", f"{chain['missing']}个"),
        ("链值不符", f"{chain['broken']}处"),
        ("重复上报", f"{outcome_sum(connection, 'duplicates')}条"),
        ("今日退回", f"{count_since(connection, 'refusals', day_bounds(now)[0])}次"),
    ]
