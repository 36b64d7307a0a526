"""What a request line and its headers may look like. Everything the whitelist can name is plain, so tricks need no decoding.

Refused outright: absolute-form and authority-form, a fragment, a query that is not plain names and values, any `%` (encoded slashes and dots, double
encoding), back slashes, `//`, `.` and `..` segments, non-ASCII, repeated framing headers, chunked bodies (RFC 9112, 11.2).
"""

import re

from foundation.errors import TooLarge
from front_gateway.call import Headers
from front_gateway.refusals import BadTarget, LengthRequired

MAX_TARGET = 256
MAX_QUERY = 512
MAX_HEADERS = 48
MAX_HEADER_BYTES = 8_000
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_FIELD = re.compile(r"([A-Za-z0-9_.-]{1,40})=([A-Za-z0-9_.~:,+-]{0,200})")
_ONCE = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "x-request-id"}
)


def plain_path(target: str) -> str:
    """`target` when it is a plain absolute path; `BadTarget` otherwise."""
    if len(target) > MAX_TARGET:
        raise BadTarget("target too long")
    if not _PLAIN.fullmatch(target):
        raise BadTarget("target is not a plain path")
    if ".." in target:
        raise BadTarget("dots in the path")
    return target


def split_target(target: str) -> tuple[str, tuple[str, ...]]:
    """Plain path and names of the query's fields; `BadTarget` for tricks. Values are plain too, and no name comes twice."""
    path, mark, query = target.partition("?")
    if not mark:
        return plain_path(path), ()
    found = [_FIELD.fullmatch(part) for part in query.split("&")]
    names = [one[1] for one in found if one]
    if len(query) > MAX_QUERY or len(names) < len(found) or len(set(names)) < len(names):
        raise BadTarget("query is not plain")
    return plain_path(path), tuple(names)


def announced_length(headers: Headers) -> int:
    """Length of the body as announced, 0 without one; refuses headers that contradict one another."""
    seen: set[str] = set()
    size = 0
    for name, value in headers:
        if name in seen and name in _ONCE:
            raise BadTarget(f"header {name} twice")
        seen.add(name)
        size += len(name) + len(value)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise BadTarget("too many headers")
    if "transfer-encoding" in seen:
        raise LengthRequired("请求体须以 Content-Length 注明长度")
    if "expect" in seen or "upgrade" in seen:
        raise BadTarget("expect or upgrade")
    raw = next((value for name, value in headers if name == "content-length"), "0")
    if not raw.isascii() or not raw.isdigit():
        raise BadTarget("content-length is no number")
    if len(raw) > 12:
        raise TooLarge
    return int(raw)


def shown(target: str) -> str:
    """A refused target as the audit may keep it: no query, nothing that could be a number of a person."""
    path = re.sub(r"[^\x21-\x7e]", "?", target.split("?", 1)[0].split("#", 1)[0])[:120]
    return re.sub(r"%[0-9A-Fa-f]{2}", "%", re.sub(r"\d{5,}", "#", path))
