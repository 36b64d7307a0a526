"""Registered message templates, and the limits on what a message may put into their fields."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

SUBSCRIBE, TEMPLATE = "subscribe", "template"

_DAY = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2})"
_HOUR = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_TIME = rf"(?:{_DAY} ?)?{_HOUR}"
_DATE = rf"{_DAY}(?: ?{_HOUR})?"
_HAN = r"[㐀-䶿一-鿿·]"
_NOT_HAN = r"[^㐀-䶿一-鿿\s]"

# By WeChat's list of field types: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/ (sendMessage).
LIMITS = {
    "thing": r".{1,20}",
    "number": r"-?\d{1,32}(?:\.\d{1,31})?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "character_string": r"[!-~ ]{1,32}",
    "time": rf"{_TIME}(?: ?[~～] ?{_TIME})?",
    "date": rf"{_DATE}(?: ?[~～] ?{_DATE})?",
    "amount": r"[¥￥$€£]?\d{1,10}(?:\.\d{1,2})?元?",
    "phone_number": r"[\d+\-() *]{1,17}",
    "car_number": r".{1,8}",
    "name": rf"(?:.{{1,10}}|{_NOT_HAN}[^㐀-䶿一-鿿]{{0,19}})",
    "phrase": rf"{_HAN}{{1,5}}",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in LIMITS.items()}


@dataclass(frozen=True)
class Template:
    """`fields`: key → label, in the order in which the phone shows them."""

    id: str
    kind: str
    title: str
    fields: dict[str, str]

    def first_problem(self, data: Mapping[str, Any]) -> str | None:
        """WeChat's words about the first field that is wrong, None when all is well."""
        for key in (*self.fields, *(key for key in data if key not in self.fields)):
            entry = data.get(key)
            value = entry.get("value") if isinstance(entry, dict) else None
            if key not in self.fields:
                return f"data.{key} is not in the template"
            if value is None or value == "":
                return f"data.{key}.value is empty"
            if not isinstance(value, str | int) or isinstance(value, bool) or not fits(key, str(value)):
                return f"data.{key}.value invalid"
        return None


def kind_of(key: str) -> str:
    """`character_string12` is a `character_string`."""
    return key.rstrip("0123456789")


def fits(key: str, value: str) -> bool:
    return _PATTERNS[kind_of(key)].fullmatch(value) is not None


def load_templates() -> dict[str, Template]:
    text = (files("miniapp_mock.wechat.open") / "templates.toml").read_text("utf-8")
    templates = {
        name: Template(name, entry["kind"], entry["title"], entry["fields"])
        for name, entry in tomllib.loads(text).items()
    }
    for template in templates.values():
        assert template.kind in {SUBSCRIBE, TEMPLATE}
        assert all(kind_of(key) in LIMITS for key in template.fields)
    return templates
