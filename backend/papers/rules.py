"""What a paper may be. Pure."""

from collections.abc import Iterable
from datetime import date

from backend.chat.rules import FILE_LIMIT, PICTURES
from foundation.errors import Issue


def paper_issues(
    kind: str,
    dated: date,
    media_type: str,
    size: int,
    *,
    today: date,
    kinds: Iterable[str],
    there: int,
    most: int,
) -> list[Issue]:
    """Everything that keeps it from being taken; `there` are waiting already, `most` may be."""
    issues = []
    if kind not in kinds:
        issues.append(Issue("kind", "not_allowed", "只能上传出院小结或门诊病历"))
    if dated > today:
        issues.append(Issue("dated", "in_the_future", "材料上的日期不能晚于今天"))
    if media_type not in PICTURES:
        issues.append(Issue("media_type", "not_allowed", "请拍照上传，只支持图片"))
    if size <= 0:
        issues.append(Issue("size", "empty", "文件是空的"))
    if size > FILE_LIMIT:
        issues.append(Issue("size", "too_large", f"图片不能超过 {FILE_LIMIT // 1_000_000} MB"))
    if there >= most:
        issues.append(Issue("papers", "too_many", f"最多上传 {most} 张，请先删除不需要的"))
    return issues
