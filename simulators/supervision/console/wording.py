"""A record in words: labels and code names from the field tables, times of Shanghai, money in yuan."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from simulators.server import SHANGHAI
from simulators.supervision.console.masking import NO_WORDS, Words, mask_record
from simulators.supervision.tables import Field, Method, guangdong, shanghai, tianjin
from simulators.supervision.tables.codes import label, subject_label
from simulators.supervision.validate import is_empty

METHODS: dict[str, Method] = {**tianjin().methods, **shanghai().methods, **guangdong().methods}
PROFILES = {"tianjin-1.0": "天津规范", "shanghai": "实时（自拟）", "guangdong": "按表逐行（传输自拟）"}
CONCERNS = {
    "staff": "人员",
    "prescription": "处方",
    "act": "诊疗行为",
    "privacy": "隐私保护",
    "security": "信息安全",
}
EVENTS = {
    "identity.verified": "实名认证",
    "eligibility.decided": "复诊资格判定",
    "appointment.booked": "预约挂号",
    "appointment.cancelled": "取消预约",
    "appointment.moved": "改约",
    "record.viewed": "健康档案浏览",
    "encounter.started": "医师接诊",
    "encounter.declined": "未接诊",
    "encounter.completed": "复诊完成",
    "encounter.discontinued": "复诊中止",
    "consultation.started": "健康咨询开始",
    "consultation.declined": "未接健康咨询",
    "consultation.completed": "健康咨询完成",
    "consultation.discontinued": "健康咨询转线下",
    "record.signed": "病历签名",
    "record.amended": "病历修订",
    "prescription.signed": "处方开具",
    "prescription.approved": "处方审核通过",
    "prescription.returned": "处方退回",
    "prescription.cancelled": "处方作废",
    "prescription.expired": "处方过期",
    "dispense.completed": "药品发出",
    "payment.confirmed": "支付",
    "refund.succeeded": "退款",
    "evaluation.submitted": "患者评价",
    "complaint.filed": "投诉",
    "adverse_event.reported": "不良事件",
    "practitioner.changed": "人员备案",
    "drug_catalogue.changed": "药品目录变更",
}
ACTIONS = {
    "session.sign_in": "登录",
    "session.sign_out": "退出",
    "session.failed": "密码错误",
    "session.locked": "密码多次错误，暂停登录",
    "visit.view": "查看就诊",
    "visit.replay": "回放就诊",
    "record.view": "查看记录",
    "matter.take_up": "开始办理",
    "matter.look": "标为已查看",
    "matter.ask": "询问医院",
    "matter.answer": "医院答复",
    "matter.withdraw": "撤回询问",
    "matter.close": "办结",
    "matter.reopen": "重新处理",
    "question.answered_late": "撤回后收到答复",
    "sample.draw": "抽查取样",
    "sample.view": "查看抽查",
    "sample.judge": "抽查结论",
    "reveal.ask": "申请查看",
    "reveal.grant": "批准查看",
    "reveal.refuse": "不予批准",
    "reveal.look": "查看未脱敏信息",
    "reveal.look_refused": "查看被拒",
    "reveal.export_refused": "导出未脱敏证据包被拒",
    "reveal.chat": "查阅未脱敏的文字记录",
    "reveal.refused": "申请或批准被拒",
    "reveal.export": "导出未脱敏的证据包",
    "evidence.export": "导出证据包",
    "evidence.made": "证据包已生成",
    "look-in.open": "旁看视频",
    "look-in.refused": "旁看视频未获准",
    "look-in.end": "结束旁看",
    "chat.read": "查阅文字记录",
    "chat.refused": "查阅文字记录未获准",
}
DETAILS = {
    "authority": "检查文书号", "reason": "原因", "note": "说明", "why": "原因", "reveal": "许可", "method": "接口",
    "seed": "种子", "wanted": "数量", "scope": "筛选", "up_to": "截至记录", "population": "名单", "clear": "含原文",
    "population_digest": "名单摘要", "number": "编号", "verdict": "结论", "manifest_sha256": "核验码", "export": "导出",
    "key": "事项", "nonce": "平台随机数", "address": "来源地址", "with_export": "含导出",
    "look_in": "旁看编号",
}  # fmt: skip
_SUBJECTS = {
    "visit": ("就诊", "/visits/"), "record": ("记录", "/records/"), "matter": ("事项", "/matters/"),
    "sample": ("抽查", "/samples/"), "reveal": ("许可", "/reveals/"), "session": ("账号", ""),
    "look-in": ("旁看", ""),
}  # fmt: skip
# What a line in a list says, in this order, where the record has it.
_LINE = (
    "patientName", "name", "sex", "age", "deptName", "doctorName", "workDate", "eligibilityResult", "result",
    "viewerName", "archiveTypes", "subject", "amountFen", "icdName", "thisDiagnosis", "furtherConsultDiagnosis",
    "totalFee", "totalFeeFen", "auditDoctor", "refuseReason", "discontinueReason", "returnReason", "cancelReason",
    "deliveryType", "satisfaction", "reportedBy", "hospDrugName", "eventDescription", "description", "titleCode", "licenceNumber",
    "hzxm", "xbdm", "nls", "ksmc", "ysxm", "ryxm", "zcmc", "jzzt", "yyzt", "cfzt", "ypmc", "zdmc", "myd", "sjms",
)  # fmt: skip
_PLACE = {"organID", "unitID", "organName", "eventId", "eventType", "stream", "streamSeq", "hospitalSeq",
          "eventDigest", "chainHash", "prevHash", "jgdm", "fwwddm", "jgmc", "sjbs", "sjscsj", "tbrqsj", "cxbz", "mj"}  # fmt: skip


def subject_of(subject: str) -> tuple[str, str]:
    """What a line of the trail is about, and where it is; no address where there is no page."""
    kind, _, number = subject.partition(" ")
    name, path = _SUBJECTS.get(kind, (kind, ""))
    if subject.startswith("sample of "):
        return "抽查", "/samples"
    return f"{name} {number}", f"{path}{quote(number, safe='')}" if path else ""


def title_of(method: str, event_type: str | None) -> str:
    return EVENTS.get(event_type or "") or (METHODS[method].label if method in METHODS else method)


def line(method: str, record: Mapping[str, Any]) -> str:
    """One line for a list; persons masked."""
    shown = mask_record(method, record)
    fields = {field.name: field for field in METHODS[method].fields}
    parts = [
        say(fields[name], shown[name]) for name in _LINE if name in fields and not is_empty(shown.get(name))
    ]
    return " · ".join(parts[:7])


def details(
    method: str, record: Mapping[str, Any], also: Words = NO_WORDS, *, with_place: bool = False
) -> list[tuple[str, str]]:
    """(label, value) of every field that is there, without lists; `with_place` adds organisation and chain."""
    shown = mask_record(method, record, also)
    return [
        (name_of(field), say(field, shown[field.name]))
        for field in METHODS[method].fields
        if not is_empty(shown.get(field.name))
        and field.kind.name != "list"
        and (with_place or field.name not in _PLACE)
    ]


def lists(method: str, record: Mapping[str, Any], also: Words = NO_WORDS) -> list[tuple[str, list[str]]]:
    """The lists inside a record: (label, lines)."""
    shown = mask_record(method, record, also)
    return [
        (field.label, [_list_line(field, item) for item in shown[field.name]])
        for field in METHODS[method].fields
        if field.kind.name == "list" and shown.get(field.name)
    ]


def _list_line(field: Field, item: Mapping[str, Any]) -> str:
    said = {one.name: say(one, item[one.name]) for one in field.items if not is_empty(item.get(one.name))}
    if "drname" not in said:
        return "，".join(said.values())
    parts = [
        f"{said['drname']} {said['drmodel']}",
        said["admission"],
        said["frequency"],
        f"每次{said['dosage']}{said['drunit']}",
        f"共{said['dosageTotal']}{said['doseUnit']}",
        f"{said['useDays']}天",
    ]
    return " · ".join([*parts, *(said[name] for name in ("drugManf", "remark") if name in said)])


def name_of(field: Field) -> str:
    """A field's label without its unit, which the value carries."""
    return field.label.removesuffix("（分）").removesuffix("（元）")


def say(field: Field, value: Any) -> str:
    """One value in words."""
    if isinstance(value, list):
        return "、".join(say(field, one) for one in value)
    text = str(value)
    match field.kind.name:
        case "code" | "codes":
            text = label(field.kind.table, text)
        case "subject" | "subjects":
            text = f"{subject_label(text)}（{text}）"
        case "event":
            text = EVENTS.get(text, text)
        case "fen":
            text = yuan(value)
        case "iso":
            text = minute(datetime.fromisoformat(text))
        case "names" | "icds":
            text = text.replace("|", "、")
    if field.label.endswith("（元）"):
        text = f"{text}元"
    return f"{text}岁" if field.name in ("age", "patientAge", "nls") else text


def span(seconds: float) -> str:
    """A length of time."""
    if seconds < 10:
        return f"{seconds:.1f}秒"
    if seconds < 120:
        return f"{seconds:.0f}秒"
    return f"{seconds / 60:.0f}分钟" if seconds < 7200 else f"{seconds / 3600:.1f}小时"


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}元"


def minute(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def days_ahead(today: date, days: int) -> str:
    """A day to compare with dates of the feed."""
    return (today + timedelta(days=days)).isoformat()
