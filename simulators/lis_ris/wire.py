"""HL7 v2 by hand: what goes between the frame bytes, and what it says."""

from collections.abc import Iterable

BEGIN, FINISH = b"\x0b", b"\x1c\r"
LETTERS = {"utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000", "": ""}
_OUT = str.maketrans({"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\", "\n": "\\.br\\"})
_BACK = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", ".br": "\n"}


def esc(text: str) -> str:
    return text.translate(_OUT)


def unesc(text: str) -> str:
    """Of the sequences that a laboratory's own program knows."""
    if "\\" not in text:
        return text
    parts = text.split("\\")
    made = [parts[0]]
    for place, part in enumerate(parts[1:], 1):
        made.append(_BACK.get(part, f"\\{part}\\") if place % 2 else part)
    return "".join(made)


class Msg:
    """A message that came in: `seg("PID")[3]` is a raw field (`MSH` counts the separator, as HL7 does)."""

    def __init__(self, raw: bytes) -> None:
        head = raw.split(b"\r", 1)[0].decode("latin-1").split("|")
        named = head[17].upper() if len(head) > 17 else ""
        self.text = raw.decode("gb18030" if "18030" in named else "utf-8")
        self.lines = [line.split("|") for line in self.text.split("\r") if line]
        if not self.lines or self.lines[0][0] != "MSH":
            raise ValueError("no MSH")
        self.lines[0].insert(1, "|")

    def segs(self, name: str) -> list[list[str]]:
        return [line for line in self.lines if line[0] == name]

    def field(self, name: str, number: int) -> str:
        for line in self.segs(name):
            return at(line, number)
        return ""

    @property
    def kind(self) -> str:
        return "^".join(self.field("MSH", 9).split("^")[:2])


def at(line: list[str], number: int) -> str:
    return line[number] if number < len(line) else ""


def part(field: str, number: int) -> str:
    parts = field.split("^")
    return unesc(parts[number - 1]) if number <= len(parts) else ""


def msh(sender: str, receiver: str, kind: str, control: str, when: str, letters: str) -> str:
    return f"MSH|^~\\&|{sender}|NXYY|{receiver}||{when}||{kind}|{control}|P|2.4|||||CHN|{LETTERS[letters]}"


def packed(lines: Iterable[str], letters: str) -> bytes:
    """The bytes between the frame bytes."""
    return ("\r".join(lines) + "\r").encode(letters or "utf-8")
