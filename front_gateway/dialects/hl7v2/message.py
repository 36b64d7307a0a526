"""A message taken apart: segments by name, fields by HL7's own numbers (MSH-1 is the separator), text unescaped on demand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from foundation.clock import local
from front_gateway.dialects.hl7v2.charsets import NAMES, BadCharset, Charset, decoded
from front_gateway.dialects.hl7v2.escapes import LINE, USUAL, Separators, escaped, unescaped

MOST_SEGMENTS = 20_000
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.\d{1,4})?)?)?(?:[+-]\d{4})?")
VERSION = "2.4"
US = "INTERNET-HOSPITAL"


class BadMessage(Exception):
    """What came is no message of HL7 v2, or cannot be read as one; the text has no content."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One line; `fields[n]` is the raw text of field n, `fields[0]` the name."""

    name: str
    fields: tuple[str, ...]
    separators: Separators = USUAL
    codec: str = "utf-8"

    def raw(self, number: int) -> str:
        """Field `number` as it was sent; empty when it is not there, or null (`""`)."""
        found = self.fields[number] if number < len(self.fields) else ""
        return "" if found == '""' else found

    def repetitions(self, number: int) -> list[str]:
        """The field's repetitions, raw."""
        found = self.raw(number)
        return found.split(self.separators.repetition) if found else []

    def part(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """The text of one part of the field's first repetition."""
        return self.of(next(iter(self.repetitions(number)), ""), component, subcomponent)

    def of(self, repetition: str, component: int = 1, subcomponent: int = 1) -> str:
        """The text of one part of a repetition."""
        parts = repetition.split(self.separators.component)
        one = parts[component - 1] if component <= len(parts) else ""
        inner = one.split(self.separators.subcomponent) if self.separators.subcomponent else [one]
        found = inner[subcomponent - 1] if subcomponent <= len(inner) else ""
        return "" if found == '""' else self.plain(found).strip()

    def plain(self, raw: str) -> str:
        """`raw` unescaped."""
        return unescaped(raw, self.separators, self.codec)


@dataclass(frozen=True, slots=True)
class Message:
    """The first segment is MSH."""

    segments: tuple[Segment, ...]
    separators: Separators = field(default=USUAL)

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @property
    def kind(self) -> str:
        """`ORU^R01`: MSH-9 without the structure."""
        code, event = self.header.part(9, 1), self.header.part(9, 2)
        return f"{code}^{event}" if event else code

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.part(10)

    def all(self, name: str) -> Iterator[Segment]:
        """The segments called `name`."""
        return (one for one in self.segments if one.name == name)

    def first(self, name: str) -> Segment:
        """The first segment called `name`, an empty one when there is none."""
        return next(self.all(name), Segment(name, (name,), self.separators))


def parsed(raw: bytes, default: Charset) -> Message:
    """The message in `raw`; `BadMessage` when it is none."""
    try:
        text, codec = decoded(raw, default)
    except BadCharset as error:
        raise BadMessage(str(error)) from None
    text = text.strip("\r\n")
    separators = _separators(text)
    lines = _lines(text, separators.field)
    if len(lines) > MOST_SEGMENTS:
        raise BadMessage("too many segments")
    made = [_segment(line, separators, codec) for line in lines]
    if any(one.name == "MSH" for one in made[1:]):
        raise BadMessage("two messages in one frame")
    return Message(tuple(made), separators)


def _separators(text: str) -> Separators:
    if not text.startswith("MSH") or len(text) < 8:
        raise BadMessage("does not begin with MSH")
    mark = text[3]
    rest = text[4:].split(mark, 1)[0]
    if not 2 <= len(rest) <= 5 or len({mark, *rest}) != 1 + len(rest):
        raise BadMessage("MSH-2 names no usable separators")
    if any(one.isalnum() or one.isspace() for one in mark + rest):
        raise BadMessage("MSH-2 names no usable separators")
    usual = ["^", "~", "\\", "&"]
    component, repetition, escape, sub = [*rest[:4], *([""] * 4)][:4]
    if not escape and "\\" not in mark + rest:
        escape = usual[2]
    if not sub and "&" not in mark + rest:
        sub = usual[3]
    return Separators(mark, component, repetition, escape, sub)


def _lines(text: str, mark: str) -> list[str]:
    """Segments end with a return; systems were seen that end them with a line feed, or leave one inside a text."""
    raw = text.split("\r") if "\r" in text else text.split("\n")
    begins = re.compile(rf"[A-Z][A-Z0-9]{{2}}(?:{re.escape(mark)}|$)")
    made: list[str] = []
    for one in raw:
        line = one.strip("\n")
        if begins.match(line):
            made.append(line)
        elif line and made:
            made[-1] += LINE + line
    return made


def _segment(line: str, separators: Separators, codec: str) -> Segment:
    fields = line.split(separators.field)
    if fields[0] == "MSH":
        fields.insert(1, separators.field)
    return Segment(fields[0], tuple(fields), separators, codec)


def day(text: str) -> date | None:
    """The day of a TS (`20261122093000+0800`); None when it is none."""
    found = _TIME.fullmatch(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def stamp(at: datetime) -> str:
    """A moment as TS, in Shanghai's time and saying so."""
    return local(at).strftime("%Y%m%d%H%M%S%z")


def line(name: str, *fields: str) -> str:
    """A segment of fields that are escaped already."""
    return "|".join((name, *fields)).rstrip("|")


def joined(*parts: str) -> str:
    """Components, each escaped."""
    return "^".join(escaped(one) for one in parts).rstrip("^")


def written(segments: Sequence[str], charset: Charset) -> bytes:
    """The bytes of a message; `BadCharset` never: both sets of letters have them all."""
    return ("\r".join(segments) + "\r").encode(charset.value)


def header(kind: str, control_id: str, to: str, at: datetime, charset: Charset) -> str:
    """MSH of a message of ours. `to` is the receiving application."""
    return line(
        "MSH", USUAL.msh2(), US, "", escaped(to), "", stamp(at), "", kind, control_id, "P", VERSION, "", "", "", "", "CHN",
        NAMES[charset],
    )  # fmt: skip
