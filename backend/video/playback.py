"""A film over HTTP, in the parts that a player asks for (RFC 9110, 14): decrypted on the way, never on a disk."""

import re
from collections.abc import Mapping

from starlette.responses import Response, StreamingResponse

from backend.video.model import RecordingFilm
from foundation.object_store import ObjectStore

PIECE = 4_000_000
"""Bytes given out at once to who asks for everything that follows: a player asks again, and jumps more often than not."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class NotSatisfiable(Exception):
    """The part lies behind the end."""


def part(header: str, size: int) -> tuple[int, int] | None:
    """First byte and length of the part that a `Range` header asks for; None when all is to be sent. `NotSatisfiable`."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise NotSatisfiable
        return size - length, length
    start = int(first)
    if start >= size or (last and int(last) < start):
        raise NotSatisfiable
    end = min(int(last) + 1, size) if last else min(start + PIECE, size)
    return start, end - start


def film_response(
    store: ObjectStore, film: RecordingFilm, headers: Mapping[str, str], *, download: bool
) -> tuple[Response, bool]:
    """The answer, and whether it begins at the film's beginning."""
    name = f"{film.track}-{film.encounter_id}.mkv"
    answer = {
        "accept-ranges": "bytes", "cache-control": "private, no-store", "x-content-type-options": "nosniff",
        "content-disposition": f'{"attachment" if download else "inline"}; filename="{name}"',
    }  # fmt: skip
    try:
        asked = part(headers.get("range", ""), film.bytes)
    except NotSatisfiable:
        return Response(status_code=416, headers={**answer, "content-range": f"bytes */{film.bytes}"}), False
    start, length = asked or (0, film.bytes)
    answer["content-length"] = str(length)
    if asked is not None:
        answer["content-range"] = f"bytes {start}-{start + length - 1}/{film.bytes}"
    body = store.read(film.object_key, start, length)
    kind = "video/x-matroska" if download else "video/webm"
    return StreamingResponse(body, 206 if asked else 200, answer, kind), start == 0
