"""Our codes → a platform's. A code that is not here is an error that names it, never a blank."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unknown:
    """Stands in a record where a code could not be translated; the check before sending names the field and the value."""

    value: str


Translated = str | Unknown


def translate(table: Mapping[str, str], value: str) -> Translated:
    """The platform's code for `value`."""
    return table.get(value, Unknown(value))


SEX = {"male": "1", "female": "2", "unknown": "0"}
"""GB/T 2261.1, of which Tianjin has only these three."""

SEX_NATIONAL = {**SEX, "unspecified": "9"}

CERTIFICATE_TIANJIN = {
    "01": "1",  # 居民身份证
    "02": "99",  # 居民户口簿: not in Tianjin's table
    "03": "2",  # 护照
    "04": "3",  # 军官证
    "05": "99",  # 驾驶证: not in Tianjin's table
    "06": "5",  # 港澳居民来往内地通行证 → 回乡证
    "07": "4",  # 台湾居民来往内地通行证 → 台胞证
    "99": "99",
}
"""CV02.01.101 → Tianjin's own numbering."""

VISIT_TYPE = {"text": "1", "phone": "2", "video": "3"}

CONSULTATION_TYPE = {"text": "1", "phone": "2", "video": "3"}
"""businessType of a health consultation by its mode."""

FOLLOW_UP_BUSINESS = "4"
OTHER_BUSINESS = "99"

DELIVERY = {"0": "0", "1": "1", "2": "2"}
"""delivery_type → deliveryType. Other regulators of the same vendor write 3 for an outside store: change it here."""

DELIVERY_EXPIRED = "4"

SUBJECT_KIND = {"patient": "1", "doctor": "2", "pharmacist": "3"}

IDENTITY_METHOD = {"id_number_and_name": "1", "face": "2", "sms": "3", "health_card": "4"}

IDENTITY_RESULT = {"match": "1", "mismatch": "2", "not_found": "3"}

IDENTITY_REASON = {"mismatch": "姓名与身份证号不一致", "not_found": "查无此人"}

BOOKED_BY = {"self": "1", "guardian": "2", "proxy": "3", "counter": "3"}
"""Staff at the counter act for the patient, as a proxy does."""

CANCELLED_BY = {"patient": "1", "practitioner": "2", "hospital": "2", "system": "3"}

ARCHIVE = {"EMR": "1", "LIS": "2", "PACS": "3", "RX": "4", "CITY": "5"}

VIEW_PURPOSE = {
    "treatment": "1",
    "review": "2",
    "quality": "3",
    "complaint": "4",
    "patient": "5",
    "eligibility": "6",
}

ELIGIBILITY = {"eligible": "1", "doctor_decides": "2", "refused": "3"}

PAY_SUBJECT = {"appointment": "1", "prescription": "2", "delivery": "3"}

SEVERITY = {"轻微": "1", "轻度": "1", "一般": "2", "中度": "2", "重度": "3", "严重": "3", "死亡": "4"}
"""damage_degree → shSeverity, where the report uses one of these words; the words themselves are always sent."""

STAFF = {"doctor": "1", "pharmacist": "2", "nurse": "3"}

STAFF_BY_TITLE = {"23": "1", "24": "2", "25": "3"}
"""First two digits of the title code (231 主任医师, 241 主任药师, 251 主任护师) → shViewerType, shStaffType."""
