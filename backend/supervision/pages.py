"""The supervision desk: what the supervisor has, what is still on our side, what a person must do, and how the way stands."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from sqlalchemy import func, select

from backend.account.queries import deeds
from backend.desk.declared import Attached, DeskCall, Shown, action, page
from backend.desk.rendering import span
from backend.edge import ADMIN, QUALITY
from backend.supervision import desk_routes, routes
from backend.supervision.queries import held
from backend.supervision.rules import reason_words
from contracts.supervision_desk import DayLine
from foundation.clock import local_day_start
from foundation.db.outbox import OutboxEvent
from foundation.errors import Unavailable
from foundation.web.parsing import decode_query, iso_day

T = TypeVar("T")

LATE = timedelta(minutes=5)
KINDS = {
    "identity.verified": "实名认证", "eligibility.decided": "复诊资格判定", "appointment.booked": "预约挂号",
    "appointment.moved": "改约", "appointment.cancelled": "取消预约", "record.viewed": "健康档案浏览", "encounter.started": "在线复诊开始",
    "encounter.declined": "拒绝接诊", "encounter.completed": "在线复诊完成", "encounter.discontinued": "中止并转线下",
    "record.signed": "病历签署", "record.amended": "病历修改", "prescription.signed": "处方签署",
    "prescription.approved": "处方审核通过", "prescription.returned": "处方退回", "prescription.cancelled": "处方作废",
    "prescription.expired": "处方过期", "dispense.completed": "配药完成", "payment.confirmed": "支付成功",
    "refund.succeeded": "退款成功", "evaluation.submitted": "患者评价", "complaint.filed": "投诉",
    "consultation.started": "健康咨询开始", "consultation.completed": "健康咨询完成", "consultation.declined": "拒绝健康咨询",
    "consultation.discontinued": "健康咨询转线下", "adverse_event.reported": "不良事件", "practitioner.changed": "人员备案变更", "drug_catalogue.changed": "药品目录变更",
}  # fmt: skip


async def figures(call: DeskCall) -> Shown:
    """The feed as the JSON route has it, and this day's events by kind."""
    since = local_day_start(call.clock.today())
    query = (
        select(
            OutboxEvent.type,
            func.count(),
            func.count(OutboxEvent.relayed_at),
            func.max(OutboxEvent.occurred_at),
        )
        .where(OutboxEvent.occurred_at >= since)
        .group_by(OutboxEvent.type)
        .order_by(func.count().desc(), OutboxEvent.type)
    )
    adapter, problem = await answered(call.app.adapter.overview())  # first: nothing is held while it is asked
    feed = await routes.figures(call)
    words = {
        "held": await held(call.session, HELD_SHOWN) if feed.held else [], "reason": reason_words,
        "adapter": adapter, "away": problem, "seconds": seconds, "profiles": PROFILES, "lag_limit": LAG_LIMIT,
        "feed": feed, "kinds": KINDS, "late": LATE,
        "by_kind": [tuple(row) for row in (await call.session.execute(query)).all()],
    }  # fmt: skip
    return Shown("supervision/figures.html", words)


class Wanted(msgspec.Struct, frozen=True):
    """What the list shows; `said` belongs to the frame."""

    show: str = "waiting"
    day: str = ""
    said: str = ""


async def records(call: DeskCall) -> Shown:
    """What waits for people, what is on its way, what was carried over."""
    wanted = decode_query(call.request.query_params, Wanted)
    show = wanted.show if wanted.show in TABS else "waiting"
    query = {"show": show, "day": iso_day(wanted.day).isoformat()} if wanted.day else {"show": show}
    found, problem = await answered(call.app.adapter.records(**query))
    words = {
        "found": found, "away": problem, "show": show, "tabs": TABS, "day": wanted.day, "kinds": KINDS, "profiles": PROFILES,
        "seconds": seconds, "tags": TAGS, "again": f"?{urlencode(query)}",
    }  # fmt: skip
    return Shown("supervision/records.html", words)


async def days(call: DeskCall) -> Shown:
    """Days, newest first."""
    found, problem = await answered(call.app.adapter.days())
    return Shown("supervision/days.html", {"found": found, "away": problem, "tags": TAGS})


async def one_day(call: DeskCall) -> Shown:
    """One day: both sides, what differs, what was carried over, statements."""
    day = desk_routes.day_of(call)
    found = await call.app.adapter.day(day)
    by_hand = [line for line in found.lines if line.by_hand and not _agrees(line)]
    words = {
        "found": found, "row": found.newest, "day": day, "by_hand": by_hand, "tags": TAGS, "profiles": PROFILES, "sign_in_tags": SIGN_IN_TAGS,
        "over": call.clock.today() > day, "kinds": KINDS, "deeds": await deeds(call.session, ("statement", day)),
    }  # fmt: skip
    return Shown("supervision/day.html", words)


def _agrees(line: DayLine) -> bool:
    """A person has read the page, and it is our count."""
    return line.platform is not None and line.platform - line.duplicates == line.accepted


async def bundle(call: DeskCall) -> Shown:
    """The proof as a file."""
    day = desk_routes.day_of(call)
    content = await call.app.adapter.bundle(day)
    return Shown("", attached=Attached(f"supervision-{day.isoformat()}.json", content, "application/json"))


async def connections(call: DeskCall) -> Shown:
    """Certificates, neighbours, clocks."""
    found, problem = await answered(desk_routes.connections(call))
    words = {"found": found, "away": problem, "soon": ENDS_SOON, "skew": SKEW}
    return Shown("supervision/connections.html", words)


async def answered(asked: Awaitable[T]) -> tuple[T | None, str]:
    """The answer, or why there is none: a page says so and shows what is known here."""
    try:
        return await asked, ""
    except Unavailable as error:
        return None, error.detail


def seconds(length: int) -> str:
    """`38 秒`, `12 分钟`, `3 小时 5 分`."""
    return f"{length} 秒" if length < 120 else span(timedelta(seconds=length))


LAG_LIMIT = 300
"""Seconds after which a real-time platform is behind."""
ENDS_SOON, SKEW, HELD_SHOWN = 30, 60, 50
PROFILES = {"tianjin-1.0": "天津规范（次日）", "shanghai": "市平台（实时）", "guangdong": "省平台（逐行）"}
TABS = {"waiting": "待人工处理", "open": "上报途中", "carried": "已结转", "all": "全部"}
TAGS = {
    "closed": "tag-ok", "differing": "tag-block", "exchanged": "tag-info", "open": "", "accepted": "tag-ok",
    "rejected": "tag-block", "parked": "tag-reason",
}  # fmt: skip
SIGN_IN_TAGS = {"closed": "tag-ok", "refused": "tag-block", "due": "tag-info", "carried": "tag-reason"}
DESK = [ADMIN, QUALITY]
RECORDS_AT, DAYS_AT = "/desk/submissions", "/desk/statements"
FIGURES = page("/desk/supervision", figures, title="监管上报", roles=DESK, menu="监管上报")
RECORDS = page(RECORDS_AT, records, title="上报待办", roles=DESK, menu="上报待办")
DAYS = page(DAYS_AT, days, title="上报日结", roles=DESK, menu="上报日结")
BUNDLE = page(f"{DAYS_AT}/{{day}}/bundle", bundle, title="日结证明", roles=DESK, audited="statement.export")
DAY = page(f"{DAYS_AT}/{{day}}", one_day, title="某日日结", roles=DESK)
LINKS = page("/desk/connections", connections, title="上报连接", roles=DESK, menu="上报连接")
PAGES = [FIGURES, RECORDS, DAYS, BUNDLE, DAY, LINKS]
ONE, THAT_DAY = f"{RECORDS_AT}/{{id}}", f"{DAYS_AT}/{{day}}"
THEIRS = desk_routes.ENDPOINTS
ACTIONS = [
    action(f"{ONE}/resubmit", THEIRS, desk_routes.resubmit, back=RECORDS, then=RECORDS_AT, said="已安排重报。"),
    action(f"{ONE}/carry-over", THEIRS, desk_routes.carry_over, back=RECORDS, then=RECORDS_AT,
           said="已结转，该记录仍列在“已结转”中。"),
    action(f"{RECORDS_AT}/resubmit", THEIRS, desk_routes.resubmit_code, back=RECORDS, then=RECORDS_AT,
           said="已安排该代码下的记录全部重报。"),
    action(f"{THAT_DAY}/reconcile", THEIRS, desk_routes.reconcile, back=DAY, then=THAT_DAY, said="已与监管平台对账。"),
    action(f"{THAT_DAY}/restate", THEIRS, desk_routes.restate, back=DAY, then=THAT_DAY, said="已开出补充对账单。"),
    action(f"{THAT_DAY}/counts", THEIRS, desk_routes.enter_count, back=DAY, then=THAT_DAY, said="已登记，稍后自动对账。"),
]  # fmt: skip
