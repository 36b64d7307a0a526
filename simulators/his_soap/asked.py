"""One request as the trades see it, and the results that are no rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from simulators.his_soap.messages import Malformed


class Result(Exception):
    """Answered with `code` and a text, and nothing written."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


NOTHING, EXISTS, TAKEN, OVER, RULE, UNKNOWN, MALFORMED = (
    "100", "201", "202", "203", "300", "301", "901",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """`body` is the element Body."""

    trade: str
    message_id: str
    body: ET.Element

    @classmethod
    def of(cls, root: ET.Element) -> "Asked":
        """Raises Malformed."""
        body = root.find("Body")
        trade, message_id, sender, sent = (
            (root.findtext(f"Head/{name}") or "").strip()
            for name in ("TradeCode", "MessageId", "Sender", "SendTime")
        )
        if root.tag != "Request" or body is None or not (trade and message_id and sender and sent):
            raise Malformed("报文头不完整")
        return cls(trade, message_id, body)

    def text(self, name: str) -> str:
        """A field; empty when it is not there."""
        return (self.body.findtext(name) or "").strip()

    def needed(self, name: str) -> str:
        """A field that must be there."""
        if not (found := self.text(name)):
            raise Result(MALFORMED, f"缺少 {name}")
        return found

    def under(self, path: str) -> Iterator[dict[str, str]]:
        """Repeated elements, each as its fields."""
        for one in self.body.findall(path):
            yield {part.tag: (part.text or "").strip() for part in one}
