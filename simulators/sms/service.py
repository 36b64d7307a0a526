"""Taking messages and saying what became of them."""

import string
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from simulators.server import Clock
from simulators.signed import Refused
from simulators.sms.store import Message, Store
from simulators.sms.wire import NewMessage

NOTICE = "模拟短信 · 不会发到任何手机"
TEMPLATES: dict[str, str] = tomllib.loads((Path(__file__).parent / "templates.toml").read_text("utf-8"))
WITHIN_SECONDS = 1.0
"""After so long a message has arrived, or has not."""


class Company:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def take(self, wanted: NewMessage, *, arrives: bool) -> tuple[Message, bool]:
        """The message and whether it is new. Raises Refused."""
        body = msgspec.json.encode(wanted, order="deterministic")
        known = self._store.by_request(wanted.request_id)
        if known is not None:
            if known.body != body:
                raise Refused("REQUEST_ID_USED", 409, "同一 request_id 的内容不一致")
            return known, False
        text = _filled(wanted)
        outcome = "delivered" if arrives else "undelivered"
        at = self._clock.now().timestamp()
        return (
            self._store.add(wanted.request_id, body, wanted.phone, wanted.template, text, at, outcome),
            True,
        )

    def find(self, number: str) -> Message:
        found = self._store.by_id(int(number)) if number.isascii() and number.isdigit() else None
        if found is None:
            raise Refused("NOT_FOUND", 404, "没有该短信")
        return found

    def described(self, message: Message) -> dict[str, Any]:
        over = self._clock.now().timestamp() - message.taken_at >= WITHIN_SECONDS
        status = message.outcome if over else "accepted"
        reason = "手机停机或不在服务区" if status == "undelivered" else ""
        return {"id": str(message.id), "status": status, "reason": reason}


def _filled(wanted: NewMessage) -> str:
    """The text on the phone. Fields must be exactly those of the template."""
    template = TEMPLATES.get(wanted.template)
    if template is None:
        raise Refused("UNKNOWN_TEMPLATE", 422, f"模板不存在：{wanted.template}")
    fields = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    if fields != set(wanted.params):
        raise Refused("BAD_PARAMS", 422, f"模板变量应为：{', '.join(sorted(fields))}")
    return template.format(**wanted.params)
