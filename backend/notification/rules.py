"""Templates: who gets them, by which channels, with which words; what an attempt's outcome means. Pure."""

from dataclasses import dataclass

WECHAT, SMS, CALL_LIST = "wechat", "sms", "call_list"
CHANNELS = {"patient": (WECHAT, SMS, CALL_LIST), "staff": (WECHAT, SMS)}
"""In what order who is told (practice.md 9); a member of staff who cannot be reached is the duty desk's business."""
SENT = ("sent", "delivered")
PATIENCE = 3
"""Attempts over a channel that does not answer, before the next one is tried."""


@dataclass(frozen=True)
class Template:
    """`fields` are WeChat's data keys in the template registered there, `sms` is the id of the text message; `audience` decides the channels."""

    id: str
    audience: str
    fields: tuple[str, ...]
    title: str
    sms: str = ""


VISIT_WAITING = Template(
    "TPL_VISIT_WAITING", "staff", ("thing1", "time2", "thing3"), "有患者正在候诊", "SMS_VISIT_WAITING"
)
DUTY = Template("TPL_DUTY", "staff", ("thing1", "time2", "thing3"), "有事项无人处理", "SMS_DUTY")
VISIT_ACCEPTED = Template(
    "TPL_VISIT_ACCEPTED", "patient", ("thing1", "thing2", "thing3"), "医生已接诊", "SMS_VISIT_ACCEPTED"
)
PRESCRIPTION_APPROVED = Template(
    "TPL_RX_APPROVED", "patient", ("thing1", "time2", "thing3"), "处方已通过审核，请支付", "SMS_RX_APPROVED"
)
PRESCRIPTION_RETURNED = Template(
    "TPL_RX_RETURNED", "staff", ("thing1", "time2", "thing3"), "处方被药师退回", "SMS_RX_RETURNED"
)
REVIEW_WAITING = Template(
    "TPL_REVIEW_WAITING", "staff", ("thing1", "time2", "thing3"), "有处方待药师审核", "SMS_REVIEW_WAITING"
)
PRESCRIPTION_WAITS = Template(
    "TPL_RX_WAITS", "patient", ("thing1", "time2", "thing3"), "处方审核需要等待", "SMS_RX_WAITS"
)
PICK_UP = Template(
    "TPL_PICK_UP", "patient", ("thing1", "time2", "thing3"), "药品已备好，请来院取药", "SMS_PICK_UP"
)
PARCEL_SHIPPED = Template(
    "TPL_SHIPPED", "patient", ("character_string1", "thing2", "thing3"), "药品已发货", "SMS_SHIPPED"
)
REFUNDED = Template("TPL_REFUNDED", "patient", ("amount1", "time2", "thing3"), "退款已到账", "SMS_REFUNDED")
CANCELLED = Template("TPL_CANCELLED", "patient", ("thing1", "time2", "thing3"), "预约已取消", "SMS_CANCELLED")
MOVED = Template("TPL_MOVED", "patient", ("thing1", "time2", "thing3"), "预约时间变更，请确认", "SMS_MOVED")
VISIT_DELAYED = Template(
    "TPL_VISIT_DELAYED", "patient", ("thing1", "time2", "thing3"), "候诊时间有变化", "SMS_VISIT_DELAYED"
)
REFERRED = Template(
    "TPL_REFERRED", "patient", ("thing1", "thing2", "thing3"), "医生建议到医院就诊", "SMS_REFERRED"
)

ALL = (
    VISIT_WAITING,
    DUTY,
    VISIT_ACCEPTED,
    PRESCRIPTION_APPROVED,
    PRESCRIPTION_RETURNED,
    REVIEW_WAITING,
    PRESCRIPTION_WAITS,
    PICK_UP,
    PARCEL_SHIPPED,
    REFUNDED,
    CANCELLED,
    MOVED,
    VISIT_DELAYED,
    REFERRED,
)
BY_ID = {template.id: template for template in ALL}


def fits(template: Template, data: dict[str, str]) -> dict[str, str]:
    """`data` cut to WeChat's limits (thing: 20 characters); `KeyError` when a field is missing."""
    return {name: data[name][:20] if name.startswith("thing") else data[name] for name in template.fields}


def sms_params(template: Template, link: str, count: int) -> dict[str, str]:
    """The variables of a text message: staff are told how many, patients nothing but where to look (practice.md 9)."""
    return {"link": link, "count": str(count)} if template.audience == "staff" else {"link": link}
