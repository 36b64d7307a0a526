"""Who did what, in words: lines of the audit trail as a desk shows them under a thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

WORDS: Mapping[str, str] = {
    "price_list.prepare": "编制了草稿",
    "price_list.set": "修改了一项价格",
    "price_list.remove": "删除了一项",
    "price_list.approve": "批准",
    "price_list.withdraw": "撤回",
    "payment.confirm": "确认收款",
    "payment.submit": "提交微信支付",
    "payment.cancel": "取消订单",
    "payment.fail": "支付失败",
    "payment.choose": "选择支付方式",
    "payment.notification": "收到支付通知",
    "payment.view": "查看了订单",
    "refund.request": "提出退款",
    "refund.nothing_due": "按规则不退款",
    "refund.approve": "同意退款",
    "refund.reject": "不同意退款",
    "refund.send": "退款已提交微信支付",
    "refund.succeed": "收到微信支付的退款凭证",
    "refund.mark_abnormal": "微信支付报告退款异常",
    "refund.close": "退款被关闭",
    "refund.late": "超过期限，系统提醒",
    "refund.renew": "重新发起退款",
    "refund.take_up": "重新办理已关闭的退款",
    "refund.view": "查看了退款",
    "refund.ask_elsewhere": "提出改退",
    "refund.redirected": "微信支付已受理改退",
    "refund.redirect": "改退办理中",
    "refund.owe": "款项已到医院账户，待交付患者",
    "refund.not_redirected": "改退未成功",
    "refund.hand_over": "登记已交付患者",
    "refund.give_up": "关闭异常退款",
    "reconciliation.start": "开始核对",
    "reconciliation.differ": "发现差异",
    "reconciliation.close": "当日账目已平，结账",
    "reconciliation.reopen": "重新打开",
    "reconciliation.again": "要求再次核对",
    "reconciliation.export": "导出报表",
    "submission.resubmit": "重报监管记录",
    "submission.carry_over": "结转监管记录",
    "statement.reconcile": "与监管平台对账",
    "statement.restate": "要求重新核对",
    "statement.count": "登记了监管平台页面上的条数",
    "statement.export": "下载了日结证明",
    "difference.mend": "安排补办",
    "difference.found": "登记差异",
    "difference.settle": "处理差异",
    "difference.vanish": "再次核对时差异消失",
    "difference.return_to_open": "差异再次出现",
}


@dataclass(frozen=True)
class Deed:
    """One line: `who` is a name, 系统 or 患者; `refused` says that it was only tried."""

    at: datetime
    who: str
    what: str
    detail: Mapping[str, str]
    refused: bool


def words(action: str) -> str:
    """The action as a person says it; its dotted name when nobody gave it words."""
    return WORDS.get(action, action)
