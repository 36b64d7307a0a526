"""Kinds of alarms: what they are called and what is to be done. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`title` heads the row, `advice` says what a person does about it; `by_itself` when it is also seen to be over."""

    title: str
    advice: str
    by_itself: bool = False


KINDS: Mapping[str, Kind] = {
    "adverse_event_grave": Kind(
        "有严重不良事件上报", "请立即通知质控部门：在“不良事件”中查看、受理，并按医疗质量安全事件的要求处置。", by_itself=True
    ),
    "supervisor_asked": Kind("监管人员有询问", "请质控人员打开询问，核实后在期限内答复。", by_itself=True),
    "wechat_pay_clock": Kind(
        "服务器时钟不准", "请系统管理员校准服务器时间（NTP）。时钟恢复前，收款、退款会暂停并自动重试。", by_itself=True
    ),
    "wechat_pay_sign_error": Kind(
        "微信支付不接受我们的签名", "请核对商户号、商户私钥和证书序列号是否配套、证书是否过期。", by_itself=True
    ),
    "wechat_pay_unknown_key": Kind(
        "微信支付换了公钥", "请到微信支付商户平台下载新的公钥，以“公钥ID.pem”为名放入公钥目录，无需重启。", by_itself=True
    ),
    "wechat_pay_not_signed": Kind(
        "微信支付的应答未通过验签", "请核对微信支付公钥是否与公钥ID一致，并检查网络是否被代理改写。", by_itself=True
    ),
    "wechat_pay_no_certificate": Kind(
        "没有取得微信支付平台证书", "若商户使用的是微信支付公钥，请改为公钥模式；否则检查 APIv3 密钥。", by_itself=True
    ),
    "payment_amount_mismatch": Kind(
        "收到的金额与订单不符", "款项未入账。请核对微信支付商户平台上的订单后，人工退款或补记。"
    ),
    "payment_unknown_order": Kind(
        "收到不属于本系统的款项", "商户号收到一笔本系统没有的订单，请在微信支付商户平台核对来源。"
    ),
    "refund_unknown": Kind(
        "有不是本系统发起的退款", "有人在微信支付商户平台直接退款，请核对经办人，并在对账时说明。"
    ),
    "refund_abnormal": Kind(
        "退款到不了患者账户", "请打开这笔退款：改退到患者银行卡，或退到医院账户后线下交付并登记凭证。", by_itself=True
    ),
    "refund_to_hand_over": Kind(
        "退款已到医院账户，待交付患者", "请交付患者（转账或现金），由另一位工作人员打开退款登记凭证。", by_itself=True
    ),
    "refund_closed": Kind("退款被微信支付关闭", "请打开这笔退款，核对后重新发起。", by_itself=True),
    "refund_refused": Kind("微信支付拒绝退款", "请按微信支付的说明核对，必要时线下退还并登记。", by_itself=True),
    "insurance_refuses_refund": Kind(
        "医保拒绝退费", "请与医保经办机构核对原因；处理后到“待人工处理”重新执行该笔退款。", by_itself=True
    ),
    "returned_cash_abnormal": Kind(
        "医保未支付，自费款退不回去", "请在微信支付商户平台对这笔退款做异常退款处理（退到患者银行卡或医院账户）；到账后自动结束。",
        by_itself=True,
    ),
    "returned_cash_closed": Kind(
        "医保未支付，自费退款被关闭", "请查明关闭原因（例如商户余额不足），再到“待人工处理”重新执行，将换用新的退款单号。",
        by_itself=True,
    ),
    "returned_cash_refused": Kind(
        "医保未支付，自费退款被拒绝", "请按微信支付的说明核对，再到“待人工处理”重新执行，必要时线下退还并登记。", by_itself=True
    ),
    "returned_cash_at_hospital": Kind(
        "医保未支付，自费款退到了医院账户", "请将款项交付患者（转账或现金），并在处理说明中写明凭证。"
    ),
    "insurance_settled_after_all": Kind(
        "已改付的订单，医保又结算了", "请与医保经办机构核对并办理退费；患者已付的自费部分核对后在微信支付商户平台退还。"
    ),
    "refund_late": Kind(
        "退款超过期限", "请打开退款：待审批的请尽快审批；已提交的请核对微信支付的处理进度，必要时联系患者。", by_itself=True
    ),
    "reconciliation_differs": Kind(
        "对账有差异", "请打开对账日，逐笔查明原因并登记处理结果；全部处理后当日自动结账。", by_itself=True
    ),
    "reconciliation_waits": Kind(
        "对账资料迟迟未到", "请核对微信支付账单下载权限，以及医院信息系统是否正常；资料到齐后自动核对。", by_itself=True
    ),
    "refund_not_enough": Kind(
        "商户账户余额不足，退款排队中", "请财务为微信支付商户账户充值；余额足够后会自动继续。", by_itself=True
    ),
    "parcel_unknown": Kind(
        "快递返回了不认识的状态", "包裹按“状态未知”显示，不会当作签收。请向快递公司核实，必要时联系患者。", by_itself=True
    ),
    "parcel_exception": Kind("包裹配送异常", "请联系快递公司和患者；退回的药品先隔离，再由药师认定原因。", by_itself=True),
    "parcel_silent": Kind("包裹长时间没有动静", "请向快递公司查询该运单，必要时联系患者。", by_itself=True),
    "recording_failed": Kind(
        "视频问诊没有录上", "请系统管理员检查录像磁盘的空间和写入权限；受影响的问诊录像不完整，请在录像清单中核对并说明。"
    ),
    "review_server_down": Kind(
        "外部审方服务不可用", "处方已全部转药师人工审核。请系统管理员检查外部审方服务的地址、密钥和网络。", by_itself=True
    ),
    "recording_lost": Kind(
        "录像文件缺失", "媒体进程中断后没有找到该段录像的文件，请系统管理员检查录像磁盘，并在处理说明中写明原因。"
    ),
    "hospital_prices_differ": Kind(
        "药品价格与院内价目不一致", "请核对院内价目与线上药品目录，由药剂科和物价员更正其中一方；改正后次日自动结束。", by_itself=True
    ),
    "hospital_fees_differ": Kind(
        "服务价格与院内价目不一致", "请物价员核对院内价目与线上价格表，更正其中一方；改正后次日自动结束。", by_itself=True
    ),
    "hospital_stock_differs": Kind(
        "线上可订的药品院内药房已无货", "请药房盘点并在“药房库存”登记；必要时联系已下单的患者。改正后次日自动结束。", by_itself=True
    ),
    "supervision_waiting": Kind(
        "有监管记录待人工处理", "请在“上报待办”中查看原因：缺少的内容在业务系统中补正后重报，确实不能上报的写明理由结转。", by_itself=True
    ),
    "outbox_held": Kind(
        "有事件无法送达上报系统", "请在“监管上报”中查看原因：密钥缺失的请系统管理员补回旧密钥，被拒收的请核对上报系统的日志；改正后自动补送。", by_itself=True
    ),
    "supervision_day_open": Kind(
        "监管日结超过两天没有结清", "请在“上报日结”中查看差异；平台不能自动对账的，请登记其页面上的条数。", by_itself=True
    ),
    "supervision_adapter_away": Kind(
        "监管上报系统没有应答", "请系统管理员检查上报系统进程和网络；事件留在平台后端，恢复后自动补送。", by_itself=True
    ),
    "supervision_undelivered": Kind(
        "监管事件超过十五分钟没有送达上报系统", "请系统管理员查看“监管上报”页和后台任务、上报系统的日志；被拒收的事件会挡住当日的日结。", by_itself=True
    ),
    "supervision_certificate": Kind(
        "上报链路的证书即将到期", "请系统管理员在到期前更换证书，见“上报连接”。", by_itself=True
    ),
}  # fmt: skip
OTHER = Kind("需要人工处理", "请查看详情。")


def kind_of(name: str) -> Kind:
    """What is known about it."""
    return KINDS.get(name, OTHER)
