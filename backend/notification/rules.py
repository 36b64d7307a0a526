"""Templates: who gets them, by which channel, with which words. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """`fields` are WeChat's data keys in the template registered there; `audience` decides the channel."""

    id: str
    audience: str
    fields: tuple[str, ...]
    title: str


VISIT_WAITING = Template("TPL_VISIT_WAITING", "staff", ("thing1", "time2", "thing3"), "有患者正在候诊")
VISIT_ACCEPTED = Template("TPL_VISIT_ACCEPTED", "patient", ("thing1", "thing2", "thing3"), "医生已接诊")
PRESCRIPTION_APPROVED = Template(
    "TPL_RX_APPROVED", "patient", ("thing1", "time2", "thing3"), "处方已通过审核，请支付"
)
PRESCRIPTION_RETURNED = Template("TPL_RX_RETURNED", "staff", ("thing1", "time2", "thing3"), "处方被药师退回")
PARCEL_SHIPPED = Template("TPL_SHIPPED", "patient", ("character_string1", "thing2", "thing3"), "药品已发货")
REFUNDED = Template("TPL_REFUNDED", "patient", ("amount1", "time2", "thing3"), "退款已到账")
CANCELLED = Template("TPL_CANCELLED", "patient", ("thing1", "time2", "thing3"), "预约已取消")
MOVED = Template("TPL_MOVED", "patient", ("thing1", "time2", "thing3"), "预约时间变更，请确认")
VISIT_DELAYED = Template("TPL_VISIT_DELAYED", "patient", ("thing1", "time2", "thing3"), "候诊时间有变化")

ALL = (
    VISIT_WAITING,
    VISIT_ACCEPTED,
    PRESCRIPTION_APPROVED,
    PRESCRIPTION_RETURNED,
    PARCEL_SHIPPED,
    REFUNDED,
    CANCELLED,
    MOVED,
    VISIT_DELAYED,
)
BY_ID = {template.id: template for template in ALL}


def fits(template: Template, data: dict[str, str]) -> dict[str, str]:
    """`data` cut to WeChat's limits (thing: 20 characters); `KeyError` when a field is missing."""
    return {name: data[name][:20] if name.startswith("thing") else data[name] for name in template.fields}
