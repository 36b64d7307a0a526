"""Speaks QIDO-RS and WADO-RS to one archive. Queries are written by hand: see the package's own words for why."""

import re
from collections.abc import Sequence

from front_gateway.call import Headers
from front_gateway.deadline import Deadline
from front_gateway.dialects.dicomweb.attributes import Attributes, entries_of, text, unusable
from front_gateway.refusals import ImageNotFound, Target, TooSlow, Unreachable
from front_gateway.upstream import GATEWAY_STATUS, Reply, Upstream

PAGE = 100
MOST = 5_000
"""Entries of one question; an archive that has more is not understood."""
UID = re.compile(r"[0-9.]{1,64}")
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Numbers of patients that need no encoding and are no wildcard."""
_JSON: Headers = (("accept", "application/dicom+json"),)
_PICTURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
"""What may be passed on, and how its bytes begin; asked for in this order."""
_NOT_THIS_TYPE = frozenset({406, 415})


class PacsClient:
    """`Unusable`, `Unreachable`, `TooSlow`, `ImageNotFound` are what can go wrong."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def search(
        self, path: str, query: Sequence[tuple[str, str]], unique: str, deadline: Deadline
    ) -> list[Attributes]:
        """Every entry under `path`, page by page; `unique` is the tag that tells entries apart."""
        found: dict[str, Attributes] = {}
        asked = "&".join(f"{name}={value}" for name, value in (*query, ("limit", str(PAGE))))
        offset = 0
        while True:
            reply = await self._send(f"{path}?{asked}&offset={offset}", _JSON, deadline)
            if reply.status == 404:
                return []
            page = entries_of(reply, "QIDO-RS")
            fresh = {uid: entry for entry in page if (uid := _uid(entry, unique)) not in found}
            found |= fresh
            if len(found) > MOST:
                raise unusable("more entries than anybody looks at")
            if len(page) != PAGE or not fresh:  # a server without paging gives all, again and again
                return list(found.values())
            offset += PAGE

    async def metadata(self, path: str, deadline: Deadline) -> list[Attributes]:
        """Everything that is written in an instance, its picture aside."""
        reply = await self._send(f"{path}/metadata", _JSON, deadline)
        if reply.status == 404:
            raise ImageNotFound
        return entries_of(reply, "metadata")

    async def rendered(self, path: str, query: str, deadline: Deadline) -> tuple[str, bytes]:
        """(media type, bytes) of a picture; `ImageNotFound` when the archive has none there."""
        for media_type, beginning in _PICTURES.items():
            reply = await self._send(
                f"{path}/rendered{'?' if query else ''}{query}", (("accept", media_type),), deadline
            )
            if reply.status in _NOT_THIS_TYPE:
                continue
            if reply.status in (404, 410):
                raise ImageNotFound
            if reply.status != 200:
                raise unusable(f"rendered: HTTP {reply.status}")
            named = next((value for name, value in reply.headers if name == "content-type"), "")
            if named.split(";")[0].strip().lower() != media_type or not reply.body.startswith(beginning):
                raise unusable(f"rendered: no {media_type}")
            return media_type, reply.body
        raise unusable("rendered: neither JPEG nor PNG")

    async def _send(self, path_and_query: str, headers: Headers, deadline: Deadline) -> Reply:
        reply = await self._upstream.send("GET", path_and_query, headers, None, deadline)
        if reply.status == 504:
            raise TooSlow(Target.PACS)
        if reply.status in GATEWAY_STATUS:
            raise Unreachable(Target.PACS, f"HTTP {reply.status}")
        return reply


def _uid(entry: Attributes, tag: str) -> str:
    uid = text(entry, tag)
    if not UID.fullmatch(uid):
        raise unusable("an entry without its UID")
    return uid
