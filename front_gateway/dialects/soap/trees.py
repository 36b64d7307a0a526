"""XML from outside, read without trusting it, and XML to the outside, made by a library.

What is refused: any document type (and with it every entity, internal or external), more than `MAX_DEPTH` levels,
more than `MAX_NODES` elements, and what is not well-formed. The size is bounded before (`Upstream`, 5 MB).
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from lxml import etree

MAX_DEPTH = 40
MAX_NODES = 200_000
_DECLARATION = re.compile(r"\ufeff?\s*<\?xml\b[^>]*\?>")


class Unreadable(Exception):
    """The text is no XML that is taken; the message never quotes it."""


@dataclass(slots=True)
class Node:
    """One element: its name without prefix, its own text, what is in it."""

    name: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def all(self, path: str) -> list["Node"]:
        """Every element under `path` (`Rows/Row`), in order."""
        found = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def text_at(self, path: str) -> str:
        """The text of the first element under `path`, stripped; empty when there is none."""
        found = self.all(path)
        return found[0].text.strip() if found else ""


class _Builder:
    """Takes lxml's events. Raises inside of them, which ends the reading at once."""

    def __init__(self) -> None:
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self._root: Node | None = None
        self._refused = ""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        self._refuse("a document type")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH:
            self._refuse("nested too deeply")
        if self._count > MAX_NODES:
            self._refuse("too many elements")
        node = Node(_local(tag), {_local(name): value for name, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)
        self._texts.append([])

    def data(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def comment(self, _: str) -> None:
        pass

    def pi(self, _: str, __: str | None = None) -> None:
        pass

    def close(self) -> Node:
        if self._refused or self._root is None:
            raise Unreadable(self._refused or "not well-formed")
        return self._root

    def _refuse(self, why: str) -> NoReturn:
        self._refused = why  # lxml calls close() after this, whose error is the one that is seen
        raise Unreadable(why)


def read(text: str) -> Node:
    """The root element of `text`; `Unreadable`. A declaration is skipped: the text is decoded already."""
    body = text[match.end() :] if (match := _DECLARATION.match(text)) else text.removeprefix("\ufeff")
    parser = etree.XMLParser(
        target=_Builder(), resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False,
        huge_tree=False, recover=False,
    )  # fmt: skip
    try:
        root: Node = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, UnicodeError):
        raise Unreadable("not well-formed") from None
    return root


class Unwritable(ValueError):
    """A value has a character that no XML can hold."""


class Maker:
    """An element that is being filled."""

    def __init__(self, name: str, namespace: str = "", *, prefix: str = "") -> None:
        self.element = etree.Element(
            _qualified(name, namespace), nsmap={prefix: namespace} if prefix else None
        )

    @classmethod
    def _of(cls, element: "etree._Element") -> "Maker":
        made = cls.__new__(cls)
        made.element = element
        return made

    def add(self, path: str, text: str | None = None, *, namespace: str = "", cdata: bool = False) -> "Maker":
        """A new element at the end of `path`; those on the way are made where they are not there yet."""
        *way, last = path.split("/")
        at = self.element
        for name in way:
            there = [one for one in at if one.tag == _qualified(name, namespace)]
            at = there[-1] if there else etree.SubElement(at, _qualified(name, namespace))
        made = etree.SubElement(at, _qualified(last, namespace))
        if text is not None:
            try:
                made.text = etree.CDATA(text) if cdata else text
            except ValueError:
                raise Unwritable(path) from None
        return self._of(made)

    def text(self) -> str:
        """As XML, without a declaration."""
        return str(etree.tostring(self.element, encoding="unicode"))


def _qualified(name: str, namespace: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
