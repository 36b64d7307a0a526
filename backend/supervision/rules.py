"""When an event goes again that could not go for a reason of its own, and what that reason is called. Pure."""

from datetime import timedelta

FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
"""Long enough that a thousand of them cost nothing, short enough that a key put back is enough."""
UNREADABLE, REFUSED, TOO_LARGE = "unreadable", "refused", "too_large"
REASONS = {
    UNREADABLE: "内容无法解密：字段密钥缺失，或内容已损坏",
    REFUSED: "上报系统不接受",
    TOO_LARGE: "内容超过上报系统的大小限制",
    "digest_mismatch": "摘要与内容不符",
    "already_different": "上报系统中同一编号已有不同内容",
    "wrong_hospital": "不属于本院",
}


def held_for(times: int) -> timedelta:
    """How long an event waits that has been held `times` times: 1, 2, 4 … 30 minutes."""
    return min(FIRST * (1 << min(max(times, 1) - 1, 10)), LONGEST)


def reason_words(reason: str) -> str:
    """For people; a code of the adapter that has no word here is shown as it is."""
    return REASONS.get(reason) or f"{REASONS[REFUSED]}（{reason}）"
