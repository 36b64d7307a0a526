"""Heads of HTTP/1.1 messages: what one may consist of at all, and the bytes of those we write.

The grammar is the strict core of RFC 9112 and stands before the parser (llhttp by httptools), so that both must agree: lines end in
CR LF, no folding, no white space before a colon, no control character, one space between the parts of the first line.
"""

import re
from email.utils import formatdate
from http import HTTPStatus
from time import time

import httptools

from foundation.errors import BadRequest
from front_gateway.call import Answer, Headers
from front_gateway.refusals import BadTarget

MAX_HEAD = 12_000
_HEAD = re.compile(
    rb"[A-Z]{1,16} [\x21-\x7e\x80-\xff]{1,8192} HTTP/1\.1\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n"
)
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|\x00")
_WORDS = {one.value: one.phrase for one in HTTPStatus}
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")


class Asked:
    """The head of one request as llhttp reads it; `BadTarget` for what is none. `stays`: it does not ask for another protocol."""

    __slots__ = ("headers", "method", "stays", "target")

    def __init__(self, raw: bytes) -> None:
        if not _HEAD.fullmatch(raw):
            raise BadTarget("not HTTP/1.1")
        found: list[tuple[str, str]] = []
        self.headers: Headers = ()
        self.target = ""
        self.stays = True
        parser = httptools.HttpRequestParser(_Sink(self, found))
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            self.stays = False  # CONNECT, or the header: what follows would be another protocol
        except httptools.HttpParserError:
            raise BadTarget("not HTTP/1.1") from None
        self.method: str = parser.get_method().decode("ascii")
        self.headers = tuple(found)
        if not any(name == "host" for name, _ in found):
            raise BadTarget("no host")


class _Sink:
    """What the parser calls."""

    __slots__ = ("_asked", "_found")

    def __init__(self, asked: Asked, found: list[tuple[str, str]]) -> None:
        self._asked = asked
        self._found = found

    def on_url(self, raw: bytes) -> None:
        self._asked.target = raw.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._found.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))


def hopeless(raw: bytes | bytearray) -> bool:
    """Whether an unfinished head can no longer become one."""
    return len(raw) > MAX_HEAD or _BARE.search(raw) is not None


def answer_bytes(answer: Answer, *, keep: bool, head_only: bool = False) -> bytes:
    """The answer on the wire; `head_only` as HEAD asks for it, or because the body follows in pieces."""
    bare = answer.status == 204
    lines = [
        f"HTTP/1.1 {answer.status} {_WORDS.get(answer.status, '')}\r\nserver: gateway\r\n{_dated()}",
        *(f"{name}: {value}\r\n" for name, value in answer.headers),
        "" if bare else f"content-length: {answer.size}\r\n",
        "\r\n" if keep else "connection: close\r\n\r\n",
    ]
    head = "".join(lines).encode("latin-1")
    return head if bare or head_only else head + answer.body


def request_bytes(method: str, host: str, target: str, headers: Headers, body: bytes | None) -> bytes:
    """A request on the wire; `BadRequest` for what would be read as something else."""
    if not _TARGET.fullmatch(target) or not all(_VALUE.fullmatch(value) for _, value in headers):
        raise BadRequest("不能转发这样的请求头")
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {host}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers]
    if body is not None or method != "GET":
        lines.append(f"content-length: {len(body or b'')}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1") + (body or b"")


def safe_values(headers: Headers) -> bool:
    """Whether no value could end its line."""
    return all(_VALUE.fullmatch(value) for _, value in headers)


class _Date:
    """The `date` line, made once a second."""

    second = 0
    line = ""


def _dated() -> str:
    now = int(time())
    if now != _Date.second:
        _Date.second, _Date.line = now, f"date: {formatdate(now, usegmt=True)}\r\n"
    return _Date.line
