"""Search results in pages: a Bundle with `next` links that live for ten minutes."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from simulators.his.outcomes import Json, outcome, refuse
from simulators.his.query import Query
from simulators.his.search import included
from simulators.his.store import Store

LIFE_SECONDS = 600
_MOST = 500
TOKEN, OFFSET = "_getpages", "_getpagesoffset"


@dataclass(frozen=True)
class _Kept:
    query: Query
    rows: list[int]
    until: float


class Pages:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def first(self, query: Query, rows: list[int], base: str, now: float) -> Json:
        """The first page; later ones are kept ready if there are any. `now`: seconds since 1970."""
        token = ""
        if not query.only_count and len(rows) > query.count:
            token = secrets.token_urlsafe(12)
            self._kept[token] = _Kept(query, rows, now + LIFE_SECONDS)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return self._page(query, rows, token, 0, base)

    def later(self, kind: str, token: str, offset: str, base: str, now: float) -> Json:
        """Raises Refusal 410 when the search is forgotten."""
        kept = self._kept.get(token)
        if kept is None or kept.until < now or kept.query.kind != kind:
            raise refuse(410, "expired", "this page is no longer kept; search again")
        if not (offset.isascii() and offset.isdigit()):
            raise refuse(400, "value", f"{OFFSET} is no number")
        return self._page(kept.query, kept.rows, token, int(offset[:9]), base)

    def _page(self, query: Query, rows: list[int], token: str, offset: int, base: str) -> Json:
        address = f"{base}/{query.kind}"
        used = urlencode(query.used, safe=":,|", quote_via=quote)
        here = f"?{TOKEN}={token}&{OFFSET}={offset}" if offset else f"?{used}" if used else ""
        bundle: Json = {
            "resourceType": "Bundle",
            "id": secrets.token_hex(8),
            "type": "searchset",
            "total": len(rows),
            "link": [{"relation": "self", "url": address + here}],
        }
        if query.only_count:
            return bundle
        chosen = rows[offset : offset + query.count]
        bodies = self._store.bodies(chosen)
        matches = [bodies[row] for row in chosen]
        entries = [_entry(base, body, "match") for body in matches]
        entries += [_entry(base, body, "include") for body in included(self._store, query, matches)]
        if query.ignored and not offset:
            entries.append({"resource": outcome(query.ignored), "search": {"mode": "outcome"}})
        if entries:
            bundle["entry"] = entries
        if offset + query.count < len(rows):
            following = f"{address}?{TOKEN}={token}&{OFFSET}={offset + query.count}"
            bundle["link"].append({"relation": "next", "url": following})
        return bundle


class _Name(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name
    id: str


_name = msgspec.json.Decoder(_Name).decode


def _entry(base: str, body: bytes, mode: str) -> dict[str, Any]:
    name = _name(body)
    return {
        "fullUrl": f"{base}/{name.resourceType}/{name.id}",
        "resource": msgspec.Raw(body),
        "search": {"mode": mode},
    }
