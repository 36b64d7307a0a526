"""The figures, counted in the database: each is one statement over the period, and no row leaves it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.fairness_report.wire import Draws, Figures, Share

CHANNELS = {
    "general": "普通号",
    "follow-up": "本人复诊保留号",
    "staff-assisted": "窗口代办保留号",
    "referral": "转诊保留号",
}
HELPERS = {"self": "本人", "guardian": "监护人", "proxy": "家人代办", "counter": "窗口代办"}
REPEATS = {"1": "只约 1 次的人", "2-3": "约 2–3 次的人", "4+": "约 4 次及以上的人"}
FIRSTS = {"first": "第一次预约的人", "again": "以前约过的人"}
RELEASES = {
    "draw": "放号后 1 分钟内（含抽号）", "10m": "1–10 分钟", "1h": "10–60 分钟", "1d": "1–24 小时", "later": "24 小时以后",
    "open": "不定时放出的号",
}  # fmt: skip
REFUSED = {
    "quota_used": "超过每人每天次数", "doctor_quota_used": "超过同一医生每天次数", "booking_paused": "多次未到暂停预约",
}  # fmt: skip

_BOOKED = """
    SELECT appointment.id, appointment.person_id, appointment.channel, appointment.booked_by, slot.released_at,
        payment.made_at AS requested_at
    FROM appointment JOIN slot ON slot.id = appointment.slot_id
    JOIN payment ON payment.subject_kind = 'appointment' AND payment.subject_id = appointment.id
    WHERE appointment.booked_at >= :first AND appointment.booked_at < :last
"""
_PARTS = f"""
WITH booked AS ({_BOOKED}),
each AS (
    SELECT person_id, count(*) AS places,
        NOT EXISTS (
            SELECT FROM appointment earlier WHERE earlier.person_id = booked.person_id AND earlier.booked_at < :first
        ) AS new
    FROM booked GROUP BY person_id
)
SELECT 'channel' AS part, channel AS key, count(*) AS number FROM booked GROUP BY channel
UNION ALL SELECT 'helper', booked_by, count(*) FROM booked GROUP BY booked_by
UNION ALL SELECT 'repeat', CASE WHEN places = 1 THEN '1' WHEN places <= 3 THEN '2-3' ELSE '4+' END, sum(places)
    FROM each GROUP BY 2
UNION ALL SELECT 'first', CASE WHEN new THEN 'first' ELSE 'again' END, sum(places) FROM each GROUP BY 2
UNION ALL SELECT 'release', CASE
        WHEN released_at IS NULL THEN 'open'
        WHEN requested_at < released_at + interval '1 minute' THEN 'draw'
        WHEN requested_at < released_at + interval '10 minutes' THEN '10m'
        WHEN requested_at < released_at + interval '1 hour' THEN '1h'
        WHEN requested_at < released_at + interval '1 day' THEN '1d'
        ELSE 'later' END, count(*) FROM booked GROUP BY 2
UNION ALL SELECT 'total', 'places', count(*) FROM booked
UNION ALL SELECT 'total', 'persons', count(*) FROM each
UNION ALL SELECT 'total', 'most', coalesce(max(places), 0) FROM each
UNION ALL SELECT 'draws', 'count', count(*) FROM release_draw WHERE resolved_at >= :first AND resolved_at < :last
UNION ALL SELECT 'draws', 'tickets', coalesce(sum(tickets), 0) FROM release_draw
    WHERE resolved_at >= :first AND resolved_at < :last
UNION ALL SELECT 'draws', 'given', coalesce(sum(given), 0) FROM release_draw
    WHERE resolved_at >= :first AND resolved_at < :last
UNION ALL SELECT 'refused', code, count(*) FROM audit_event
    WHERE action = 'appointment.request' AND outcome = 'refused' AND at >= :first AND at < :last
        AND code IN ('quota_used', 'doctor_quota_used', 'booking_paused')
    GROUP BY code
UNION ALL SELECT 'pauses', 'begun', count(*) FROM booking_pause WHERE starts_at >= :first AND starts_at < :last
UNION ALL SELECT 'pauses', 'lifted', count(*) FROM booking_pause WHERE lifted_at >= :first AND lifted_at < :last
"""


async def figures(session: AsyncSession, first: datetime, last: datetime) -> Figures:
    """All figures of [first, last)."""
    rows = (await session.execute(text(_PARTS), {"first": first, "last": last})).all()
    parts: dict[str, dict[str, int]] = {}
    for row in rows:
        parts.setdefault(row.part, {})[row.key] = int(row.number)
    total, draws, pauses = parts.get("total", {}), parts.get("draws", {}), parts.get("pauses", {})
    return Figures(
        places=total.get("places", 0), persons=total.get("persons", 0), most_of_one=total.get("most", 0),
        by_channel=shares(CHANNELS, parts.get("channel", {})), by_helper=shares(HELPERS, parts.get("helper", {})),
        by_repeat=shares(REPEATS, parts.get("repeat", {})), by_first=shares(FIRSTS, parts.get("first", {})),
        by_release=shares(RELEASES, parts.get("release", {})),
        draws=Draws(draws.get("count", 0), draws.get("tickets", 0), draws.get("given", 0)),
        refused=shares(REFUSED, parts.get("refused", {})), pauses=pauses.get("begun", 0),
        pauses_lifted=pauses.get("lifted", 0),
    )  # fmt: skip


def shares(labels: Mapping[str, str], counts: Mapping[str, Any]) -> list[Share]:
    """Every known part in its order, also when it is nothing; percentages with one decimal, half up."""
    total = sum(int(count) for count in counts.values())
    found = []
    for key, label in labels.items():
        count = int(counts.get(key, 0))
        tenths = (2000 * count + total) // (2 * total) if total else 0
        found.append(Share(key, label, count, f"{tenths // 10}.{tenths % 10}"))
    return found
