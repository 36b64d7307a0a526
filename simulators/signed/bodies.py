"""JSON bodies read by their declared type; a mistake names the field."""

import re
from typing import TypeVar

import msgspec
from starlette.requests import Request

from simulators.server import BadField

T = TypeVar("T")

_NAMED = re.compile(r"(?:missing required|contains unknown) field `([^`]*)`")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")


async def read(request: Request, kind: type[T]) -> T:
    """The body as a `kind` (a msgspec.Struct that forbids unknown fields). Raises BadField."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as problem:
        raise _located(str(problem)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadField("", "the body is not JSON") from None


def _located(text: str) -> BadField:
    """`Object missing required field `name` - at `$.sender`` is about `sender.name`."""
    place = _PLACE.search(text)
    named = _NAMED.search(text)
    parts = [place.group(1) if place else "", named.group(1) if named else ""]
    return BadField(".".join(part for part in parts if part), _PLACE.sub("", text))
