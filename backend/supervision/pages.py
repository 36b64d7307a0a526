"""Supervision figures at the desk: what the supervisor has, and what is still on our side."""

from datetime import timedelta

from sqlalchemy import func, select

from backend.desk.declared import DeskCall, Shown, page
from backend.edge import ADMIN, QUALITY
from backend.supervision import routes
from foundation.clock import local_day_start
from foundation.db.outbox import OutboxEvent

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
    words = {
        "feed": await routes.figures(call), "kinds": KINDS, "late": LATE,
        "by_kind": [tuple(row) for row in (await call.session.execute(query)).all()],
    }  # fmt: skip
    return Shown("supervision/figures.html", words)


PAGES = [page("/desk/supervision", figures, title="监管上报", roles=[ADMIN, QUALITY], menu="监管上报")]
