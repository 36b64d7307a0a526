"""What keeps a day open, with the words that the hospital's desk shows."""

from collections.abc import Sequence
from typing import Any

import msgspec

TEXTS = {
    "sender_silent": "平台后端尚未报送当日出站计数",
    "unsealed": "后端还有 {count} 个当日事件尚未编号",
    "sender_differs": "后端出站与上报适配器收到的不一致：{note}",
    "not_arrived": "有编号的事件没有到达上报适配器（已请后端补送）",
    "unlinked": "有事件与前一事件的链值不相接",
    "records_gone": "{count} 个事件的上报记录少于收到时所生成的，请系统管理员核查数据库",
    "later": "编号之后又到达 {count} 个当日事件，等待后端再次报送计数",
    "open": "{count} 条记录还在上报途中",
    "for_people": "{count} 条记录被退回或待人工处理",
    "changed": "对账期间出站计数、登记的条数或结转的记录有变化，下一轮再对",
    "platform_silent": "监管平台没有答复对账：{note}",
    "seal_refused": "监管平台对账单的签章不可信：{note}",
    "wrong_statement": "监管平台答复的不是本次对账单：{note}",
    "missing_there": "监管平台缺少 {count} 条已有回执的记录",
    "missing_for_good": "监管平台缺少 {count} 条已有回执的记录，其内容已随日结删除，不能补送；回执仍在，请与监管平台核对",
    "extra_there": "监管平台多出 {count} 条我方没有回执的记录",
    "unexplained": "双方合计不同，逐条却没有差别（分组 {note}），请与监管平台核对",
    "uncounted": "请登记监管平台页面上显示的条数（我方 {count} 条）",
    "count_differs": "监管平台页面的条数与我方不一致：{note}",
    "no_seal": "没有配置对账签章证书，不能结清",
}
"""Kind → Chinese sentence."""


class Difference(msgspec.Struct, frozen=True):
    """One reason. `numbers` are `[first, last]` runs of feed numbers; `profile` and `method` are empty when it is about all.

    `replayed`: how many of the missing records went on their way again because of it.
    """

    kind: str
    count: int = 0
    profile: str = ""
    method: str = ""
    numbers: list[list[int]] = []
    note: str = ""
    replayed: int = 0

    @property
    def text(self) -> str:
        """For people."""
        return TEXTS[self.kind].format(count=self.count, note=self.note)


def as_rows(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """For the JSON column."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(found)
    return plain


def from_rows(rows: list[dict[str, Any]]) -> list[Difference]:
    """From the JSON column."""
    return msgspec.convert(rows, list[Difference])
