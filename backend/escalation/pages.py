"""The duty desk's page: what waits for a doctor, who was told how, and what became of each notice."""

import msgspec

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import DUTY_DESK
from backend.escalation import queries, routes
from backend.escalation.service import DESK
from backend.escalation.states import ESCALATION
from foundation.web.parsing import decode_query

KINDS = {"visit_waiting": "候诊", "prescription_returned": "退回处方", "review_waiting": "待审处方"}
RUNGS = {"wechat": "微信", "sms": "短信", "duty_desk": "值班台", "refund": "自动退款"}
CHANNELS = {"wechat": "微信", "sms": "短信", "call_list": "电话"}
OUTCOMES = {
    "pending": "发送中", "sent": "已发出", "delivered": "已送达", "undelivered": "未送达", "refused": "被拒收",
    "unreachable": "对方无应答", "no_address": "没有号码", "listed": "待电话", "none": "",
}  # fmt: skip
REASONS = {
    "accepted": "已接诊", "declined": "已拒诊", "cancelled": "患者取消", "refund": "无人接诊，已退款", "handed_over": "已转交",
    "signed": "已重新签名", "reviewed": "已审核", "returned": "已退回医生", "endorsed": "待第二药师复核", "withdrawn": "已撤销", "expired": "已过期", "stopped": "已转线下",
}  # fmt: skip


class Filter(msgspec.Struct, frozen=True):
    """`view`: open or closed; `about` is a subject to show first; `said` belongs to the frame."""

    view: str = "open"
    about: str = ""
    said: str = ""


async def escalations(call: DeskCall) -> Shown:
    """The oldest first; the one a notice was about stands out."""
    wanted = decode_query(call.request.query_params, Filter)
    rows = await queries.listed(call.session, closed=wanted.view == "closed")
    words = {
        "rows": rows, "lines": await queries.lines(call.session, rows), "names": await queries.names(call.session),
        "wanted": wanted, "labels": ESCALATION.labels, "kinds": KINDS, "rungs": RUNGS, "channels": CHANNELS,
        "outcomes": OUTCOMES, "reasons": REASONS,
    }  # fmt: skip
    return Shown("escalation/escalations.html", words)


LIST = page(
    "/desk/escalations", escalations, title="待医生查看", roles=[DUTY_DESK], menu="待医生查看", live=[DESK]
)
PAGES = [LIST]
ACTIONS = [
    action("/desk/escalations/{id}/see", routes.ENDPOINTS, routes.see, back=LIST, then="/desk/escalations", said="已记录，由您跟进。"),
]  # fmt: skip
