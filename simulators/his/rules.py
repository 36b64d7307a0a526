"""The hospital's rules for what is written back: all breaches at once, in plain Chinese for whoever has to set it right."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import Any

from simulators.his import systems
from simulators.his.definitions import ELEMENTS, REPEATING, REQUIRED, SINGLE, STATUS
from simulators.his.elements import patient_of, values_at
from simulators.his.moments import span_of_value
from simulators.his.outcomes import Issue, Json
from simulators.his.parameters import PARAMETERS
from simulators.his.store import Store

_KNOWN_BY_IDENTIFIER = {
    systems.PRACTITIONER: "Practitioner",
    systems.DEPARTMENT: "Organization",
    systems.MRN: "Patient",
    systems.ID_CARD: "Patient",
    systems.DRUG: "Medication",
}
_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Za-z+*†]{1,8})?")
_MONEY = ("totalGross", "totalNet", "amount")
Issues = Iterator[Issue]


def shape(resource: Json) -> list[Issue]:
    """What FHIR itself asks of the JSON; 400 when it is not kept."""
    kind = resource["resourceType"]
    issues = []
    for name, value in resource.items():
        if name not in ELEMENTS[kind] and not name.startswith("_"):
            issues.append(Issue("structure", f"{kind} has no element {name}", f"{kind}.{name}"))
        elif name in REPEATING and name not in SINGLE.get(kind, ()) and not isinstance(value, list):
            issues.append(Issue("structure", f"{name} is an array", f"{kind}.{name}"))
        elif value is None or value in ("", [], {}):
            issues.append(Issue("structure", f"{name} is empty", f"{kind}.{name}"))
    return issues


def breaches(store: Store, resource: Json) -> list[Issue]:
    """What the hospital does not accept. The resource is already in the store (its transaction is still open)."""
    return [
        *_missing(resource),
        *_wrong_codes(resource),
        *_wrong_days(resource),
        *_references(store, resource, resource, resource["resourceType"]),
        *_patient(store, resource),
        *_drug(store, resource),
        *_amounts(resource),
        *_attachments(resource),
    ]


def _missing(resource: Json) -> Issues:
    kind = resource["resourceType"]
    for name in REQUIRED[kind]:
        if name == "medication":
            present = "medicationCodeableConcept" in resource or "medicationReference" in resource
        else:
            present = name in resource
        if not present:
            yield Issue("required", f"缺少 {name}", f"{kind}.{name}")


def _wrong_codes(resource: Json) -> Issues:
    kind = resource["resourceType"]
    status = resource.get("status")
    if kind in STATUS and status is not None and not (isinstance(status, str) and status in STATUS[kind]):
        yield Issue("code-invalid", f"状态 {status} 不存在", f"{kind}.status")
    if kind == "Condition":
        codes = list(values_at(resource, ("code", "coding")))
        texts = list(values_at(resource, ("code", "text")))
        for one in codes:
            if one_system(one) == systems.ICD10 and not _ICD10.fullmatch(str(one.get("code", ""))):
                yield Issue("code-invalid", f"诊断编码 {one.get('code')} 不是 ICD-10 编码", "Condition.code")
        if not codes and not texts:
            yield Issue("required", "诊断既无编码也无文字", "Condition.code")


def one_system(coding: Any) -> str:
    return str(coding.get("system", "")) if isinstance(coding, dict) else ""


def _wrong_days(resource: Json) -> Issues:
    kind = resource["resourceType"]
    for parameter in PARAMETERS[kind].values():
        if parameter.kind == "date" and parameter.path[0] != "meta":
            for value in values_at(resource, parameter.path):
                if span_of_value(value) is None:
                    yield Issue("value", f"{parameter.path[0]} 不是日期", f"{kind}.{parameter.path[0]}")
    if kind == "Appointment":
        start, end = (span_of_value(resource.get(name)) for name in ("start", "end"))
        if start and end and start[0] >= end[0]:
            yield Issue("value", "预约的结束时间不晚于开始时间", "Appointment.end")


def _references(store: Store, resource: Json, value: Any, at: str) -> Issues:
    """Every reference must lead somewhere."""
    if isinstance(value, list):
        for one in value:
            yield from _references(store, resource, one, at)
    elif isinstance(value, dict):
        literal = value.get("reference")
        if isinstance(literal, str):
            yield from _literal(store, resource, literal, at)
        elif literal is not None and not isinstance(literal, dict):
            yield Issue("value", "引用不是文本", at)
        elif isinstance(value.get("identifier"), dict):
            yield from _logical(store, value["identifier"], at)
        for name, part in value.items():
            if isinstance(part, dict | list) and name not in {"identifier", "contained"}:
                yield from _references(store, resource, part, f"{at}.{name}")


def _literal(store: Store, resource: Json, literal: str, at: str) -> Issues:
    if literal.startswith("#"):
        if literal[1:] not in set(values_at(resource, ("contained", "id"))):
            yield Issue("not-found", f"{literal} 不在 contained 中", at)
        return
    kind, _, rest = literal.partition("/")
    number = rest.partition("/_history/")[0]
    if kind in PARAMETERS:
        if not store.exists(kind, number):
            yield Issue("not-found", f"{literal} 不存在", at)
    elif not literal.startswith(("http://", "https://")):
        yield Issue("not-found", f"{literal} 不能识别", at)


def _logical(store: Store, identifier: Json, at: str) -> Issues:
    system, value = identifier.get("system"), identifier.get("value")
    kind = _KNOWN_BY_IDENTIFIER.get(system) if isinstance(system, str) else None
    if kind is not None and not store.knows(kind, str(value)):
        yield Issue("not-found", f"{value} 在本院没有登记", at)


def _patient(store: Store, resource: Json) -> Issues:
    """One known, unmerged patient, throughout."""
    kind = resource["resourceType"]
    if kind in {"Patient", "PaymentNotice"}:
        return
    patient = patient_of(resource)
    element = "participant" if kind == "Appointment" else "subject"
    if not patient:
        if element in resource:  # its absence has been told already
            yield Issue("required", "必须指明本院的一位患者", f"{kind}.{element}")
        return
    found = store.get("Patient", patient)
    if found is None:
        return  # already said by the check of references
    register = found.resource()
    if register.get("active") is False:
        survivor = next((value for value in values_at(register, ("link", "other", "reference"))), "")
        yield Issue("business-rule", f"病历号 {patient} 已合并，请使用 {survivor}", f"{kind}.subject")
    for name in (
        "encounter",
        "context",
        "authorizingPrescription",
        "appointment",
        "diagnosis",
        "reasonReference",
    ):
        for literal in _literals(resource.get(name)):
            other_kind, _, number = literal.partition("/")
            other = store.get(other_kind, number)
            if other is not None and patient_of(other.resource()) not in {patient, ""}:
                yield Issue("business-rule", f"{literal} 属于另一位患者", f"{kind}.{name}")


def _literals(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _literals(one)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for part in value.values():
            if isinstance(part, dict | list):
                yield from _literals(part)


def _drug(store: Store, resource: Json) -> Issues:
    kind = resource["resourceType"]
    if "medicationCodeableConcept" not in resource:
        return
    at = f"{kind}.medicationCodeableConcept"
    codes = [
        str(one.get("code", ""))
        for one in values_at(resource, ("medicationCodeableConcept", "coding"))
        if one_system(one) == systems.DRUG
    ]
    if not codes:
        yield Issue("required", "药品没有本院编码", at)
    for code in codes:
        if not store.exists("Medication", code):
            yield Issue("code-invalid", f"本院药品目录中没有 {code}", at)


def _amounts(resource: Json) -> Issues:
    kind = resource["resourceType"]
    for name in _MONEY:
        if name in resource:
            money = resource[name]
            value = money.get("value") if isinstance(money, dict) else None
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
                yield Issue("value", "金额不是非负数", f"{kind}.{name}")
            elif abs(value * 100 - round(value * 100)) > 1e-6:
                yield Issue("value", "金额精确到分", f"{kind}.{name}")
            elif money.get("currency") != "CNY":
                yield Issue("value", "币种必须是 CNY", f"{kind}.{name}")


def _attachments(resource: Json) -> Issues:
    if resource["resourceType"] != "DocumentReference":
        return
    at = "DocumentReference.content.attachment"
    attachments = [one for one in values_at(resource, ("content", "attachment")) if isinstance(one, dict)]
    if not attachments:
        yield Issue("required", "文书没有内容", at)
    for one in attachments:
        if "contentType" not in one or not ("data" in one or "url" in one):
            yield Issue("required", "文书内容缺少类型或数据", at)
        if "data" in one:
            try:
                content = base64.b64decode(str(one["data"]), validate=True)
            except (binascii.Error, ValueError):
                yield Issue("value", "文书内容不是 base64", at)
                continue
            if "hash" in one and one["hash"] != base64.b64encode(hashlib.sha1(content).digest()).decode():  # noqa: S324 - R4 says SHA-1
                yield Issue("value", "文书内容与摘要不符", at)
            if "size" in one and one["size"] != len(content):
                yield Issue("value", "文书内容与长度不符", at)
