"""What needs a person: work that was given up, and steps the hospital refused. To be read by clerks and administrators."""

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from backend.desk.declared import DeskCall, Shown, page
from backend.edge import ADMIN, CLERK
from backend.writeback.model import WriteBack
from backend.writeback.service import PLACE_TAKEN
from foundation.db.intents import Intent

MOST = 100
STEPS = {
    "registration": "挂号", "charge.registration": "诊查费收费", "record": "病历", "prescription": "处方",
    "charge.prescription": "药费收费", "dispense": "发药",
    "refund": "退费", "move": "改约", "cancellation": "取消就诊",
}  # fmt: skip
REFUSALS = {PLACE_TAKEN: "院内该时段已被占用，请为患者改约或退费"}
"""What is to be done about a refusal, where it is always the same."""
KINDS = {
    "notification.deliver": "发送通知", "writeback.send": "回写医院", "encounter.acceptance_deadline": "接诊超时处理",
    "encounter.remind": "提醒医生接诊", "prescription.expire": "处方到期", "payment.settle": "核对支付结果",
    "payment.close": "关闭超时订单", "refund.drive": "办理退款", "refund.alarm": "退款期限提醒", "dispense.ship": "快递下单", "dispense.track": "查询物流",
    "dispense.lapse": "过期未发药退款",
    "insurance.return_cash": "退回医保未成功的自费部分", "insurance.tidy": "撤销未付的医保订单",
    "insurance.tell_refund": "告知微信医保退费", "e_bill.drive": "开具或冲红电子票据",
    "prescription.sheet": "制作处方笺", "medical_record.sheet": "制作病历文书", "signature.stamp": "为签名取时间戳",
    "e_prescription.drive": "上传或撤销医保电子处方", "appraisal.draw": "抽取点评处方",
    "timetable.open": "开放号源", "timetable.read": "同步院内号源",
    "rescheduling.carry_out": "停诊改约通知与退款", "rescheduling.lapse": "改约到期未答复",
    "appointment.expire_hold": "释放未支付号源", "appointment.noshow": "标记爽约", "complaint.escalate": "投诉升级",
    "fee_lock.lift": "请医院窗口恢复收费",
    "stock.mirror": "读取院内药房库存",
    "supervision.days": "向上报系统报送每日出站计数", "supervision.drop": "清除已结清日子的上报内容",
    "stock.compare": "核对院内价格与库存",
    "reconciliation.run": "每日对账", "reconciliation.days": "建立对账日", "refund.redirect": "异常退款转至银行卡",
    "fairness.draw": "放号抽签", "fairness_report.keep": "号源分配公示", "waiting.late": "医生迟到提醒", "waiting.lapse": "医生迟到未答复",
    "escalation.climb": "逐级提醒值班", "escalation.look_again": "再次提醒医生", "notification.report": "查询短信送达",
    "encounter.time_warning": "问诊时间将到", "encounter.time_over": "问诊时间已到", "chat.forget_upload": "清理未传完的文件",
    "papers.discard": "清理没有用上的材料", "kept_copy.drive": "送医院留存", "kept_copy.sweep": "查找待留存与可清除的内容",
    "encounter.time_extended": "通知问诊时间延长", "video.make_film": "合成问诊录像", "video.retention": "清理到期录像",
    "video.recover": "收回中断的录像", "video.search": "查找未登记的录像",
}  # fmt: skip


async def parked(call: DeskCall) -> Shown:
    """Oldest first: what waits longest is what somebody waits for."""
    work = (
        select(Intent)
        .where(Intent.parked_at.is_not(None), Intent.done_at.is_(None))
        .order_by(Intent.parked_at)
    )
    later = aliased(WriteBack)
    settled = exists().where(  # moved or cancelled since: the place is nobody's concern any more
        WriteBack.refused_code == PLACE_TAKEN, later.appointment_id == WriteBack.appointment_id, later.id > WriteBack.id,
        later.step.in_(("move", "cancellation")), later.acknowledged_at.is_not(None),
    )  # fmt: skip
    refused = select(WriteBack).where(WriteBack.refused_code != "", ~settled).order_by(WriteBack.asked_at)
    words = {
        "work": (await call.session.scalars(work.limit(MOST))).all(), "kinds": KINDS, "steps": STEPS, "refusals": REFUSALS,
        "refused": (await call.session.scalars(refused.limit(MOST))).all(),
    }  # fmt: skip
    return Shown("writeback/parked.html", words)


PAGES = [page("/desk/parked", parked, title="待人工处理", roles=[CLERK, ADMIN], menu="待人工处理")]
