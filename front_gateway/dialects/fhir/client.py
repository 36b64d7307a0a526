"""Speaks FHIR's REST interface to one server; every answer about a person is checked against whom it was asked about."""

import asyncio
from collections.abc import Collection, Sequence
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from foundation.logs import log, request_id
from front_gateway.call import Headers
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import (
    as_bundle,
    as_resource,
    matches,
    next_page,
    outcome_text,
    unusable,
)
from front_gateway.dialects.fhir.references import id_in, target_of
from front_gateway.dialects.fhir.resources import Resource, Written
from front_gateway.dialects.hashes import resource_hash
from front_gateway.refusals import HospitalRefused, Target, TooSlow, Unreachable, Unusable, WrongSubject
from front_gateway.upstream import GATEWAY_STATUS, Reply, Upstream

R = TypeVar("R", bound=Resource)
Params = Sequence[tuple[str, str]]

PAGE = 100
PAGE_LIMIT = 20
CAPABILITY_SECONDS = 600.0
_JSON = "application/fhir+json"
_READ: Headers = (("accept", _JSON), ("prefer", "handling=strict"))
_WRITE: Headers = (("accept", _JSON), ("content-type", _JSON), ("prefer", "return=representation"))
REFUSALS = frozenset({400, 404, 405, 409, 410, 415, 422, 501})
"""Statuses by which a server says that it will not have a resource."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


class NotThere(Exception):
    """The server has no such resource."""


class TooManyPages(Unusable):
    """More than is read for one question."""


class _Capability(msgspec.Struct, frozen=True):
    type: str = ""
    conditionalCreate: bool = False  # noqa: N815 - FHIR's name


class _Rest(msgspec.Struct, frozen=True):
    resource: list[_Capability] = []


class _Statement(msgspec.Struct, frozen=True):
    resourceType: str = ""  # noqa: N815 - FHIR's name
    fhirVersion: str = ""  # noqa: N815 - FHIR's name
    rest: list[_Rest] = []


class FhirClient:
    """`Unusable`, `WrongSubject`, `Unreachable`, `TooSlow`, `HospitalRefused` are what can go wrong."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.base_path = upstream.base.raw_path.rstrip("/")
        self._conditional: dict[str, bool] = {}
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def read(self, kind: type[R], id: str, deadline: Deadline) -> R:
        """One resource; `NotThere` when there is none."""
        reply = await self._send("GET", f"/{kind.TYPE}/{quote(id, safe='')}", _READ, None, deadline)
        if reply.status in (404, 410):
            raise NotThere
        _usable(reply, f"read {kind.TYPE}")
        resource = as_resource(reply.body, kind)
        if resource.id != id:
            raise unusable(f"asked for one {kind.TYPE}, got another")
        return resource

    async def search(
        self, kind: type[R], params: Params, deadline: Deadline, *, about: Collection[str] | None
    ) -> list[R]:
        """All matches over all pages. Each must be about one of the patients `about` (ids); None asks nothing."""
        query = "&".join(
            f"{name}={quote(value, safe=',')}" for name, value in (*params, ("_count", str(PAGE)))
        )
        where, seen, found = f"/{kind.TYPE}?{query}", set[str](), list[R]()
        while where:
            if where in seen:
                raise unusable("pages go round in a circle")
            if len(seen) == PAGE_LIMIT:
                raise TooManyPages(Target.HIS, "too many pages")
            seen.add(where)
            reply = await self._send("GET", where, _READ, None, deadline)
            _usable(reply, f"search {kind.TYPE}")
            bundle = as_bundle(reply.body)
            for resource in matches(bundle, kind):
                if about is not None:
                    self.check_subject(resource, kind.TYPE, about)
                found.append(resource)
            where = next_page(bundle, self.base_path, kind.TYPE)
        return found

    def check_subject(self, resource: Resource, resource_type: str, about: Collection[str]) -> None:
        """`WrongSubject` unless `resource` is about one of the patients `about`."""
        if not self.is_about(resource, *about):
            raise WrongSubject(resource_hash(resource_type, resource.id))

    def is_about(self, resource: Resource, *patients: str) -> bool:
        """Whether `resource` is about one of `patients` (ids)."""
        return id_in(resource.about().reference, "Patient", self.base_path) in patients

    async def create(
        self, resource: dict[str, Any], system: str, value: str, about: Collection[str], deadline: Deadline
    ) -> Written:
        """Create `resource` unless one with the identifier `system|value` is there; give what the hospital now has.

        What is there must be about one of the patients `about` (the registrations of one person).

        Conditional where the server says so, search before create otherwise. `HospitalRefused` when it will not have it.
        """
        kind: str = resource["resourceType"]
        token = quote(f"{system}|{value}", safe="")
        headers = _WRITE
        if await self._conditional_create(kind, deadline):
            headers = (*_WRITE, ("if-none-exist", f"identifier={token}"))
        elif there := await self.find_written(kind, system, value, about, deadline):
            return there
        reply = await self._send("POST", f"/{kind}", headers, _encode(resource), deadline)
        _refused(reply)
        _usable(reply, f"create {kind}", (200, 201))
        written = self._written(reply, kind)
        if written.identifier and not written.has_identifier(system, value):
            raise unusable(f"{kind} came back without its identifier")
        if written.about().reference:
            self.check_subject(written, kind, about)
        return written

    async def find_written(
        self, kind: str, system: str, value: str, about: Collection[str], deadline: Deadline
    ) -> Written | None:
        """The one resource of type `kind` with this identifier, None when there is none."""
        found = await self.all_written(kind, system, value, about, deadline, most=2)
        if len(found) > 1:
            raise unusable(f"several {kind} bear one identifier")
        return found[0] if found else None

    async def all_written(
        self,
        kind: str,
        system: str,
        value: str,
        about: Collection[str],
        deadline: Deadline,
        *,
        most: int = PAGE,
    ) -> list[Written]:
        """The resources of type `kind` with this identifier, `most` of them."""
        query = f"identifier={quote(f'{system}|{value}', safe='')}&_count={most}"
        reply = await self._send("GET", f"/{kind}?{query}", _READ, None, deadline)
        _refused(reply)
        _usable(reply, f"search {kind}")
        typed = _written_as(kind)
        found = [one for one in matches(as_bundle(reply.body), typed) if one.has_identifier(system, value)]
        for one in found:
            self.check_subject(one, kind, about)
        return found

    async def replace(
        self, kind: str, id: str, version: str, body: dict[str, Any], deadline: Deadline
    ) -> None:
        """Write a new version of `kind`/`id`, only if nobody else did since `version`."""
        match = (("if-match", f'W/"{version}"'),) if version else ()
        reply = await self._send("PUT", f"/{kind}/{id}", (*_WRITE, *match), _encode(body), deadline)
        if reply.status in (409, 412):
            raise HospitalRefused("changed meanwhile", reply.status)
        _refused(reply)
        _usable(reply, f"update {kind}", (200, 201))

    async def read_plain(self, kind: str, id: str, deadline: Deadline) -> dict[str, Any]:
        """A resource with everything in it, to be changed and written again."""
        reply = await self._send("GET", f"/{kind}/{quote(id, safe='')}", _READ, None, deadline)
        if reply.status in (404, 410):
            raise NotThere
        _usable(reply, f"read {kind}")
        body: dict[str, Any] = msgspec.json.decode(reply.body)
        return body

    async def capability(self, deadline: Deadline) -> None:
        """Ask for the CapabilityStatement; `Unusable` when it is no R4 server."""
        reply = await self._send("GET", "/metadata", (("accept", _JSON),), None, deadline)
        _usable(reply, "read metadata")
        try:
            statement = msgspec.json.decode(reply.body, type=_Statement)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unusable("CapabilityStatement cannot be read") from None
        if statement.resourceType != "CapabilityStatement" or not statement.fhirVersion.startswith("4.0"):
            raise unusable("not a FHIR R4 server")
        self._conditional = {
            line.type: line.conditionalCreate for rest in statement.rest for line in rest.resource
        }
        self._asked_at = monotonic()

    async def has(self, kind: str, deadline: Deadline) -> bool:
        """Whether the server lists resources of type `kind`; a statement that lists nothing says nothing against it."""
        await self._conditional_create(kind, deadline)
        return not self._conditional or kind in self._conditional

    async def _conditional_create(self, kind: str, deadline: Deadline) -> bool:
        async with self._asking:
            if self._asked_at is None or monotonic() - self._asked_at > CAPABILITY_SECONDS:
                try:
                    await self.capability(deadline)
                except Unusable as error:
                    log.warning("capability_unusable", reason=error.reason)
                    self._conditional, self._asked_at = {}, monotonic()
        return self._conditional.get(kind, False)

    async def _send(
        self, method: str, where: str, headers: Headers, body: bytes | None, deadline: Deadline
    ) -> Reply:
        """One request, with the id that the call travels under."""
        marked = (*headers, ("x-request-id", request_id.get())) if request_id.get() else headers
        return await self._upstream.send(method, where, marked, body, deadline)

    def _written(self, reply: Reply, kind: str) -> Written:
        """From the body, or from `Location` where the server sends none."""
        if reply.body.strip():
            return as_resource(reply.body, _written_as(kind))
        location = next((value for name, value in reply.headers if name == "location"), "")
        target = target_of(location, self.base_path) or target_of(location.lstrip("/"), self.base_path)
        if target is None or target[0] != kind:
            raise unusable(f"created {kind} has neither body nor location")
        return Written(id=target[1])


_written_types: dict[str, type[Written]] = {}


def _written_as(kind: str) -> type[Written]:
    """`Written` for resources of type `kind`."""
    if kind not in _written_types:
        _written_types[kind] = type(
            f"Written{kind}", (Written,), {"TYPE": kind, "__module__": __name__}, frozen=True
        )
    return _written_types[kind]


def _refused(reply: Reply) -> None:
    if reply.status in REFUSALS:
        raise HospitalRefused(outcome_text(reply.body) or f"HTTP {reply.status}", reply.status)


def _usable(reply: Reply, what: str, wanted: Collection[int] = (200,)) -> None:
    """Raise what a status other than `wanted` means; log what the server said about it, without content."""
    if reply.status in wanted:
        return
    log.warning("hospital_answered", what=what, status=reply.status)
    if reply.status in GATEWAY_STATUS or reply.status == 429:
        if reply.status == 504:
            raise TooSlow(Target.HIS)
        raise Unreachable(Target.HIS, f"{what}: HTTP {reply.status}")
    raise unusable(f"{what}: HTTP {reply.status}")
