"""Create and update (https://hl7.org/fhir/R4/http.html), under the hospital's rules."""

import uuid
from dataclasses import dataclass
from typing import Any

from simulators.his import query, rules, schedules, systems, window
from simulators.his.elements import values_at
from simulators.his.identity_card import fault_of
from simulators.his.moments import instant
from simulators.his.outcomes import Issue, Json, Refusal, refuse
from simulators.his.parameters import PARAMETERS, WRITABLE
from simulators.his.search import search
from simulators.his.store import Store, Stored
from simulators.server import Clock

# Of these there is never a second one with the same value in a type.
_UNIQUE = {
    "urn:internet-hospital:request",
    systems.ID_CARD,
    systems.MRN,
    systems.VISIT,
    systems.PRESCRIPTION,
    systems.REPORT,
}


@dataclass(frozen=True)
class Written:
    """`status` 200 or 201."""

    status: int
    kind: str
    id: str
    stored: Stored


class Writer:
    """Every method is one transaction, or part of the one that is open."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, kind: str, resource: Json, if_none_exist: str = "", id: str = "") -> Written:
        """`if_none_exist`: a query string. Raises Refusal."""
        writable(kind, resource)
        with self._store.transaction():
            if if_none_exist and (there := self.existing(kind, if_none_exist)) is not None:
                return there
            written = self.add(kind, resource, id)
            self.judge(written)
            return written

    def existing(self, kind: str, conditions: str) -> Written | None:
        """What fits the conditions; 412 when several do."""
        rows = self._matching(kind, conditions)
        if len(rows) > 1:
            raise refuse(412, "multiple-matches", f"{len(rows)} resources of {kind} fit {conditions}")
        if not rows:
            return None
        stored = self._store.by_row(rows[0])
        return Written(200, kind, str(stored.resource()["id"]), stored)

    def find_one(self, reference: str) -> str:
        """A conditional reference (`Patient?identifier=…`) as a literal one."""
        kind, _, conditions = reference.partition("?")
        if kind not in PARAMETERS:
            raise refuse(400, "value", f"reference {reference} names no known type")
        rows = self._matching(kind, conditions)
        if len(rows) != 1:
            raise refuse(
                412, "multiple-matches" if rows else "not-found", f"{len(rows)} resources fit {reference}"
            )
        return f"{kind}/{self._store.by_row(rows[0]).resource()['id']}"

    def _matching(self, kind: str, conditions: str) -> list[int]:
        wanted = query.read(kind, query.pairs_of(conditions), strict=True)
        if not wanted.criteria:
            raise refuse(400, "value", f"{conditions!r} names no search parameter")
        return search(self._store, wanted)

    def add(self, kind: str, resource: Json, id: str = "") -> Written:
        """Into the store, not yet judged."""
        resource["id"] = id or str(uuid.uuid4())
        self._refuse_duplicates(kind, resource)
        if kind == "Patient":
            self._admit(resource)
        stored = self._store.add(resource, instant(self._clock.now()))
        return Written(201, kind, resource["id"], stored)

    def judge(self, written: Written) -> None:
        """Raises Refusal 422 with every breach of the hospital's rules; notes what was received."""
        resource = written.stored.resource()
        if issues := rules.breaches(self._store, resource):
            raise Refusal(422, *issues)
        now = instant(self._clock.now())
        if written.kind == "Appointment" and (written.status == 201 or schedules.gives_back(resource)):
            taken = schedules.take(self._store, resource, now)
            if taken:
                raise Refusal(
                    409, *(Issue("conflict", f"{slot} 已被占用", "Appointment.slot") for slot in taken)
                )
        if written.kind == "ChargeItem" and written.status == 201:
            window.judge(self._store, self._clock, resource)
        if written.kind == "Invoice" and written.status == 201:
            window.settle(self._store, self._clock, resource)
        action = "create" if written.status == 201 else "update"
        self._store.note(now, action, written.kind, written.id, written.stored)

    def update(self, kind: str, id: str, resource: Json, if_match: str = "") -> Written:
        """`if_match`: the header as it came. Raises Refusal."""
        writable(kind, resource)
        if resource.get("id") != id:
            raise refuse(400, "value", f"the body's id is not {id}", f"{kind}.id")
        with self._store.transaction():
            before = self._store.get(kind, id)
            if before is None:
                raise refuse(
                    404, "not-found", f"{kind}/{id} is not known; ids are given here, PUT does not create"
                )
            if if_match and _version(if_match) != before.version:
                raise refuse(412, "conflict", f"{kind}/{id} is at version {before.version}")
            if before.own:
                raise refuse(403, "forbidden", f"{kind}/{id} 是本院自己的记录，只能查看")
            stored = self._store.replace(before, resource, instant(self._clock.now()))
            written = Written(200, kind, id, stored)
            self.judge(written)
            return written

    def _refuse_duplicates(self, kind: str, resource: Json) -> None:
        for one in values_at(resource, ("identifier",)):
            if isinstance(one, dict) and one.get("system") in _UNIQUE and isinstance(one.get("value"), str):
                same = f"{one['system']}|{one['value']}"
                criteria = query.read(kind, [("identifier", same)], strict=True)
                if search(self._store, criteria):
                    raise refuse(409, "duplicate", f"{kind} 已有标识 {one['value']}", f"{kind}.identifier")

    def _admit(self, resource: Json) -> None:
        """A new patient gets a number of the hospital's (建档)."""
        cards = [
            str(one.get("value", ""))
            for one in values_at(resource, ("identifier",))
            if isinstance(one, dict) and one.get("system") == systems.ID_CARD
        ]
        fault = fault_of(
            cards[0] if cards else "", str(resource.get("birthDate", "")), str(resource.get("gender", ""))
        )
        if fault:
            raise refuse(422, "value", fault, "Patient.identifier")
        number = int(self._store.fact("last_number") or 8_000_000) + 1
        self._store.set_fact("last_number", str(number))
        resource["identifier"].append({"use": "usual", "system": systems.MRN, "value": f"P{number}"})
        resource.setdefault("active", True)


def writable(kind: str, resource: Any) -> None:
    if kind not in WRITABLE:
        raise refuse(405, "not-supported", f"{kind} cannot be written here")
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise refuse(400, "structure", f"the body is no {kind}")
    if issues := rules.shape(resource):
        raise Refusal(400, *issues)


def _version(if_match: str) -> int:
    number = if_match.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit()):
        raise refuse(400, "value", 'If-Match is not of the form W/"1"')
    return int(number)
