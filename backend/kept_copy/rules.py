"""What is said of a copy."""

from enum import StrEnum

from foundation.errors import Issue

SHORTEST, LONGEST = 4, 200


class Kind(StrEnum):
    """What is kept."""

    RECORD = "record"
    SHEET = "sheet"
    RECORDING = "recording"
    ATTACHMENT = "attachment"


WORDS = {
    Kind.RECORD: "病历内容", Kind.SHEET: "签名文书", Kind.RECORDING: "问诊录像", Kind.ATTACHMENT: "问诊图片与语音",
}  # fmt: skip
CHANGED, GONE = "changed_here", "gone_here"
DIFFERS = "read_back_differs"
REFUSALS = {
    CHANGED: "云端文件与登记的摘要不符，请先查明原因",
    GONE: "云端文件已不存在（可能已到期清除）",
    DIFFERS: "从医院存储读回的内容不一致，请检查医院存储",
    "kept_otherwise": "医院存储中已有同名而内容不同的文件，请信息科核查后重试",
    "digest_mismatch": "传送途中内容有变，请重试",
    "too_large": "文件超过前置机允许的大小，请调整前置机白名单后重试",
    "not_kept": "医院存储中没有找到已送达的文件，请检查医院存储",
}
"""What a person should know of a refusal; a code that is not here is shown as it is."""


def reason_issues(reason: str) -> list[Issue]:
    """Why a copy is tried again has to be said."""
    if SHORTEST <= len(reason.strip()) <= LONGEST:
        return []
    return [Issue("reason", "length", f"请填写 {SHORTEST} 至 {LONGEST} 字的原因")]
