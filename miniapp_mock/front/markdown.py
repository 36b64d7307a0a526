"""The hospital's documents, a small part of Markdown, as HTML: headings, lists, paragraphs, bold. Everything else is text."""

import re
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape

_ITEM = re.compile(r"^(?:[-*]|(\d+)\.)\s+(.*)$")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def to_html(text: str, *, skip_title: bool = True) -> Markup:
    """Escaped first, then marked up: a document can never bring markup of its own."""
    lines = text.strip().splitlines()
    if skip_title and lines and lines[0].startswith("# "):
        lines = lines[1:]
    return Markup("\n").join(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    for kind, group in groupby(lines, _kind):
        if kind == "heading":
            for line in group:
                yield Markup("<h2>{}</h2>").format(_inline(line.lstrip("# ")))
        elif kind in ("ol", "ul"):
            items = [_ITEM.match(line) for line in group]
            inner = Markup("").join(Markup("<li>{}</li>").format(_inline(item[2])) for item in items if item)
            yield Markup("<{0}>{1}</{0}>").format(Markup(kind), inner)  # noqa: S704 - `kind` is one of two words
        elif kind == "text":
            yield Markup("<p>{}</p>").format(Markup("<br>").join(_inline(line) for line in group))


def _kind(line: str) -> str:
    if not line.strip():
        return "empty"
    if line.startswith("#"):
        return "heading"
    item = _ITEM.match(line)
    if item is None:
        return "text"
    return "ol" if item[1] else "ul"


def _inline(text: str) -> Markup:
    return Markup(_BOLD.sub(r"<strong>\1</strong>", str(escape(text.strip()))))  # noqa: S704 - escaped just before
