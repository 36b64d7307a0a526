"""Chinese names of records and fields, for people who have to find out what is missing."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from contracts.supervision_desk import Missing
from regulator_adapter.routing import UNROUTED

_PLACE = re.compile(r"\[(\d+)\]")
KINDS = {UNROUTED: "无法识别的事件"}


@cache
def _names() -> dict[str, Any]:
    text = resources.files("regulator_adapter").joinpath("names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def kind(method: str) -> str:
    """The record's name, such as 在线复诊; the method itself when it has none."""
    found: str = KINDS.get(method) or _names()["records"].get(method, method)
    return found


def field(method: str, path: str) -> str:
    """The field's name; `orderList[1].drcode` is 药品明细第2条·药品编码."""
    names = _names()["fields"] | _names().get("special", {}).get(method, {})
    parts = []
    for part in path.split("."):
        plain = _PLACE.sub("", part)
        at = _PLACE.search(part)
        word = names.get(plain, plain)
        parts.append(f"{word}第{int(at[1]) + 1}条" if at else word)
    return "·".join(parts)


def missing(method: str, problems: str, words: str) -> list[Missing]:
    """The fields a record was stopped for; `problems` is joined with `|`, `words` has what is wrong with each."""
    said = dict(_pairs(words.split("；")))
    names = [name.strip() for name in problems.split("|") if name.strip()]
    if any(" " in name for name in names):
        return []
    return [Missing(name, field(method, name), said.get(name, "缺少必填字段")) for name in names]


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    found = (word.partition("：") for word in words)
    return [(name.strip(), rest.strip()) for name, _, rest in found if rest]
