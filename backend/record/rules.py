"""What a record must say before it can be signed. Pure."""

from foundation.errors import Issue

NEEDED = {"chief_complaint": "主诉", "present_history": "现病史", "opinion": "诊疗意见"}
LIMIT = 500
"""The supervision interface takes at most 500 characters per field."""


def record_issues(fields: dict[str, str], diagnoses: int) -> list[Issue]:
    """Every field that is missing or too long."""
    issues = [
        Issue(name, "missing", f"请填写{words}") for name, words in NEEDED.items() if not fields[name].strip()
    ]
    issues += [
        Issue(name, "too_long", f"最多 {LIMIT} 个字") for name, text in fields.items() if len(text) > LIMIT
    ]
    issues += [
        Issue(name, "blank_left", "模板里还有没填的【】") for name, text in fields.items() if "【" in text
    ]
    if not diagnoses:
        issues.append(Issue("diagnoses", "missing", "请先确认诊断"))
    return issues
