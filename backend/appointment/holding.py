"""Holding places: for one request inside a larger transaction, or for many requests in one of their own.

Both go the same way: the persons' locks, the facts of all in one statement, the decision (`rules.decide`), the places, and all rows
in one statement. In a rush the requests that wait for the database go together (`hold_together`), so that a place costs a
fraction of a round trip; who comes alone does not wait for company. See docs/decisions/0032.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import rules
from backend.appointment.facts import Asked, Found, facts_of
from backend.appointment.model import Appointment
from backend.appointment.queries import SUBJECT
from backend.appointment.rules import Terms, Wish
from backend.payment.billing import bill
from backend.payment.model import Payment
from backend.policy import policy
from backend.schedule import service as pool
from backend.schedule.service import Taken, Wanted
from foundation.actor import Actor
from foundation.clock import local
from foundation.db import idempotency
from foundation.db.audit import AuditEvent, line_of, refusal_of
from foundation.db.base import Base
from foundation.db.bulk import driver, insert_all, whole
from foundation.db.guards import guarded
from foundation.db.idempotency import IdempotencyKey
from foundation.db.intents import Intent, open_intent
from foundation.db.unit_of_work import clock_of
from foundation.errors import AppError
from foundation.ids import new_id
from foundation.together import LATER, Later

EXPIRE_HOLD = "appointment.expire_hold"
ACTION = "appointment.request"
DESCRIPTION = "互联网复诊诊查费"
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name"
_IF_FREE = (
    "SELECT pg_try_advisory_xact_lock(hashtextextended(name, 0)), set_config('lock_timeout', '300ms', true)"
    " FROM unnest($1::text[]) AS name"
)
"""A group does not wait long for one slot either: its members then go alone and wait as anybody does."""
_NO_LOCK = "SELECT true FROM unnest($1::text[]) AS name"


@dataclass(frozen=True, slots=True)
class Press:
    """One request for a place. `key` and `digest` are those of its idempotency key; `request` is the request's id."""

    actor: Actor
    person_id: UUID
    slot_id: UUID
    eligibility_id: UUID
    complaint: str
    wish: Wish
    account_id: UUID | None = None
    key: str = ""
    digest: bytes = b""
    request: str = ""

    @property
    def asked(self) -> Asked:
        """The rows it is about."""
        return Asked(self.account_id, self.person_id, self.slot_id, self.eligibility_id, self.key)

    @property
    def keys(self) -> frozenset[object]:
        """What no other request may share with it at the same time."""
        return frozenset((self.person_id, (self.account_id, self.key) if self.key else self.person_id))


@dataclass(frozen=True, slots=True)
class Held:
    """A place that is held: the appointment's columns by name, its bill, and what an answer shows besides."""

    row: dict[str, Any]
    payment_id: UUID
    found: Found

    @property
    def appointment(self) -> Any:
        """With the attributes of an `Appointment`, for who only reads."""
        return SimpleNamespace(**self.row)


@dataclass(frozen=True, slots=True)
class Replay:
    """The same request was answered before."""

    status: int
    body: bytes


Outcome = Held | Replay | AppError | Later
Answer = Callable[[Held], tuple[int, bytes]]
"""Status and body of the answer to a place that is held; kept with the idempotency key."""


@dataclass
class _Batch:
    """Requests in work: one outcome for each, and rows to be written."""

    presses: Sequence[Press]
    outcomes: list[Outcome | None]
    now: datetime
    answer: Answer | None
    rows: dict[type[Base], list[dict[str, Any]]] = field(default_factory=dict)

    def open(self) -> list[int]:
        """Places in the list of those who have no outcome yet."""
        return [at for at, outcome in enumerate(self.outcomes) if outcome is None]

    def write(self, table: type[Base], *rows: dict[str, Any]) -> None:
        self.rows.setdefault(table, []).extend(rows)


async def hold(
    session: AsyncSession, presses: Sequence[Press], answer: Answer | None = None
) -> list[Outcome]:
    """An outcome for each; no two of them may be for one person. Refusals are returned, not raised.

    A group leaves for `LATER` whose person is being booked for elsewhere; a single request waits for that.
    """
    now = clock_of(session).now()
    batch = _Batch(presses, await _locked(session, presses), now, answer)
    at = batch.open()
    found = dict(zip(at, await facts_of(session, [presses[i].asked for i in at], now), strict=True))
    terms = {i: decided for i in at if (decided := _decided(batch, i, found[i])) is not None}
    places = await pool.take_all(
        session, [Wanted(presses[i].slot_id, terms[i].channel, presses[i].wish.only_kept) for i in terms]
    )
    for i, place in zip(terms, places, strict=True):
        slot = found[i].facts.slot
        assert slot is not None
        if place is None:
            batch.outcomes[i] = rules.no_place(slot.pool, now, presses[i].wish)
        else:
            _write(batch, i, found[i], terms[i], place)
    await insert_all(session, batch.rows)
    return [outcome for outcome in batch.outcomes if outcome is not None]


async def write_refusals(
    session: AsyncSession, presses: Sequence[Press], outcomes: Sequence[Outcome]
) -> None:
    """An audit line for each refusal, in the transaction that decided it: whoever passes the refusal on writes none."""
    now, lines = clock_of(session).now(), []
    for press, outcome in zip(presses, outcomes, strict=True):
        if isinstance(outcome, AppError) and outcome.written_down:
            lines.append(refusal_of(now, press.actor, ACTION, SUBJECT, "", outcome, press.request))
            outcome.written_down = False
    await insert_all(session, {AuditEvent: lines})


async def _locked(session: AsyncSession, presses: Sequence[Press]) -> list[Outcome | None]:
    """One booking of a person at a time: what she holds is counted under this lock (practice.md 1)."""
    names = [f"person:{press.person_id}" for press in presses]
    query = _NO_LOCK if not guarded("person_lock") else _ALONE if len(presses) == 1 else _IF_FREE
    connection = await driver(session)
    rows = await connection.fetch(query, names)
    return [LATER if row[0] is False else None for row in rows]


def _decided(batch: _Batch, i: int, found: Found) -> Terms | None:
    press, earlier = batch.presses[i], found.earlier
    try:
        if earlier is not None and guarded("kept_answer"):
            body = idempotency.replayed(press.digest, earlier.digest, earlier.sealed)
            batch.outcomes[i] = Replay(earlier.status, body)
            return None
        return rules.decide(found.facts, press.wish, policy(), now=batch.now, today=local(batch.now).date())
    except AppError as refused:
        batch.outcomes[i] = refused
        return None


def _write(batch: _Batch, i: int, found: Found, terms: Terms, place: Taken) -> None:
    """The rows of a held place: appointment, bill, audit line, the intent that ends the hold, the kept answer."""
    press, now = batch.presses[i], batch.now
    assert found.fee is not None
    assert found.facts.slot is not None
    slot = found.facts.slot
    expires = rules.held_until(
        policy(), press.wish.by, now=now, starts_at=slot.starts_at, ends_at=slot.ends_at
    )
    row = _appointment(press, found, terms, place, expires)
    batch.write(Appointment, row)
    money = bill(
        subject_kind=SUBJECT, subject_id=row["id"], stream=f"visit:{row['id']}", account_id=row["account_id"],
        person_id=press.person_id, lines=[found.fee], description=DESCRIPTION, made_at=now, expires_at=expires,
    )  # fmt: skip
    for table, rows in money.items():
        batch.write(table, *rows)
    batch.write(
        AuditEvent,
        line_of(now, press.actor, ACTION, SUBJECT, row["id"], request=press.request),
    )
    if guarded("hold_intent"):
        batch.write(Intent, open_intent(EXPIRE_HOLD, row["id"], expires))
    held = Held(row, money[Payment][0]["id"], found)
    if press.key and batch.answer is not None:
        assert press.account_id is not None
        batch.write(
            IdempotencyKey,
            idempotency.kept(press.account_id, press.key, press.digest, *batch.answer(held), now),
        )
    batch.outcomes[i] = held


def _appointment(press: Press, found: Found, terms: Terms, place: Taken, expires: datetime) -> dict[str, Any]:
    slot = found.facts.slot
    assert slot is not None
    row = {
        "id": new_id(), "person_id": press.person_id, "account_id": press.account_id, "slot_id": slot.id,
        "practitioner_id": slot.practitioner_id, "department_code": slot.department_code,
        "eligibility_id": press.eligibility_id, "day": slot.day, "starts_at": slot.starts_at, "ends_at": slot.ends_at,
        "serial_number": place.number, "channel": terms.channel, "place": place.place, "booked_by": terms.booked_by,
        "mode": press.wish.mode, "complaint": press.complaint, "guardian": terms.guardian, "hold_expires_at": expires,
    }  # fmt: skip
    return whole(Appointment, row)
