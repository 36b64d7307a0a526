"""Bundles of type transaction (all or nothing) and batch (each for itself): https://hl7.org/fhir/R4/http.html#transaction"""

import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from simulators.his import query
from simulators.his.outcomes import Issue, Json, Refusal, outcome, refuse
from simulators.his.parameters import PARAMETERS
from simulators.his.search import search
from simulators.his.store import Store
from simulators.his.writes import Writer, Written, writable

_MOST_ENTRIES = 500


@dataclass
class _Entry:
    place: int
    full_url: str
    method: str
    kind: str
    id: str
    conditions: str
    if_none_exist: str
    if_match: str
    resource: Json
    new_id: str = ""


def process(store: Store, writer: Writer, bundle: Json, base: str) -> Json:
    """The answering Bundle. Raises Refusal when a transaction, or the bundle as such, is refused."""
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or kind not in {"transaction", "batch"}:
        raise refuse(400, "structure", "expected a Bundle of type transaction or batch")
    raw = bundle.get("entry", [])
    if not isinstance(raw, list) or len(raw) > _MOST_ENTRIES:
        raise refuse(400, "too-costly", f"entry is no array of at most {_MOST_ENTRIES}")
    if kind == "batch":
        return _bundle(
            "batch-response", [_alone(store, writer, place, one, base) for place, one in enumerate(raw)]
        )
    with store.transaction():
        entries = [_read(place, one) for place, one in enumerate(raw)]
        return _bundle("transaction-response", _together(store, writer, entries, base))


def _bundle(kind: str, entries: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _alone(store: Store, writer: Writer, place: int, raw: Any, base: str) -> Json:
    try:
        with store.transaction():
            return _together(store, writer, [_read(place, raw)], base)[0]
    except Refusal as problem:
        return {"response": {"status": str(problem.status), "outcome": outcome(problem.issues)}}


def _read(place: int, raw: Any) -> _Entry:
    at = f"Bundle.entry[{place}]"
    request = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(request, dict):
        raise refuse(400, "required", "the entry has no request", at)
    method, url = request.get("method"), request.get("url")
    if method not in {"GET", "POST", "PUT"} or not isinstance(url, str):
        raise refuse(400, "not-supported", "only GET, POST and PUT are supported", f"{at}.request")
    path, _, conditions = url.strip("/").partition("?")
    kind, _, number = path.partition("/")
    resource = raw.get("resource")
    if kind not in PARAMETERS:
        raise refuse(400, "not-supported", f"resource type {kind!r} is not known here", f"{at}.request.url")
    if method != "GET" and not isinstance(resource, dict):
        raise refuse(400, "required", "the entry has no resource", at)
    texts = {
        name: raw_text
        for name in ("ifNoneExist", "ifMatch")
        if isinstance(raw_text := request.get(name), str)
    }
    full_url = raw.get("fullUrl")
    return _Entry(
        place=place,
        full_url=full_url if isinstance(full_url, str) else "",
        method=method,
        kind=kind,
        id=number,
        conditions=conditions,
        if_none_exist=texts.get("ifNoneExist", ""),
        if_match=texts.get("ifMatch", ""),
        resource=resource if isinstance(resource, dict) else {},
    )


def _together(store: Store, writer: Writer, entries: list[_Entry], base: str) -> list[Json]:
    """POST, PUT, GET in this order; references between entries are resolved first, rules judged last."""
    places: dict[str, str] = {}
    there = _create_all(writer, [one for one in entries if one.method == "POST"], places)
    answers = {place: _written(written, base) for place, written in there.items()}
    for method in ("PUT", "GET"):
        for one in entries:
            if one.method == method:
                with _told(one.place):
                    answers[one.place] = (
                        _updated(writer, one, places, base)
                        if method == "PUT"
                        else {"resource": _found(store, one), "response": {"status": "200"}}
                    )
    return [answers[one.place] for one in entries]


def _create_all(writer: Writer, posts: list[_Entry], places: dict[str, str]) -> dict[int, Written]:
    """Fills `places`: fullUrl -> reference."""
    there: dict[int, Written] = {}
    for one in posts:
        with _told(one.place):
            existing = writer.existing(one.kind, one.if_none_exist) if one.if_none_exist else None
        if existing is not None:
            there[one.place] = existing
        one.new_id = existing.id if existing else str(uuid.uuid4())
        if one.full_url:
            places[one.full_url] = f"{one.kind}/{one.new_id}"
    made = [one for one in posts if one.place not in there]
    for one in made:
        with _told(one.place):
            resource = _resolved(writer, one.resource, places)
            writable(one.kind, resource)
            there[one.place] = writer.add(one.kind, resource, one.new_id)
    for one in made:
        with _told(one.place):
            writer.judge(there[one.place])
    return there


def _updated(writer: Writer, one: _Entry, places: dict[str, str], base: str) -> Json:
    return _written(
        writer.update(one.kind, one.id, _resolved(writer, one.resource, places), one.if_match), base
    )


class _told:  # noqa: N801 - read as a word in a with statement
    """Names the entry in every issue that is raised inside."""

    def __init__(self, place: int) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> None:
        if isinstance(problem, Refusal):
            at = f"Bundle.entry[{self._place}]"
            issues = [Issue(one.code, one.text, f"{at} {one.at}".strip()) for one in problem.issues]
            raise Refusal(problem.status, *issues) from None


def _resolved(writer: Writer, value: Any, places: dict[str, str]) -> Any:
    """The same JSON with `fullUrl`s and conditional references replaced by ids of this server."""
    if isinstance(value, list):
        return [_resolved(writer, one, places) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _resolved(writer, part, places) for name, part in value.items()}
    literal = changed.get("reference")
    if isinstance(literal, str):
        if literal in places:
            changed["reference"] = places[literal]
        elif "?" in literal and not literal.startswith("http"):
            changed["reference"] = writer.find_one(literal)
    return changed


def _written(written: Written, base: str) -> Json:
    version = written.stored.version
    return {
        "resource": msgspec.Raw(written.stored.body),
        "response": {
            "status": "201 Created" if written.status == 201 else "200 OK",
            "location": f"{base}/{written.kind}/{written.id}/_history/{version}",
            "etag": f'W/"{version}"',
            "lastModified": written.stored.resource()["meta"]["lastUpdated"],
        },
    }


def _found(store: Store, one: _Entry) -> Any:
    if one.id:
        stored = store.get(one.kind, one.id)
        if stored is None:
            raise refuse(404, "not-found", f"{one.kind}/{one.id} is not known")
        return msgspec.Raw(stored.body)
    wanted = query.read(one.kind, query.pairs_of(one.conditions), strict=True)
    rows = search(store, wanted)[: wanted.count]
    bodies = store.bodies(rows)
    entries = [{"resource": msgspec.Raw(bodies[row]), "search": {"mode": "match"}} for row in rows]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
