"""Everything a decision about a request needs, for any number of requests in one statement.

It locks nothing: what a person holds is counted under the person's lock, and the pool is looked at again when a place is taken.
Written as SQL and asked of the driver itself: it is the busiest statement of the morning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.rules import Facts, SlotFacts
from backend.appointment.states import OPEN, AppointmentState
from backend.patient.queries import INFORMED_CONSENT
from backend.payment.rules import Line
from backend.schedule.rules import Channel, Pool
from foundation.clock import local
from foundation.db.bulk import driver
from foundation.db.columns import keyring

FULFILLED = AppointmentState.FULFILLED
AHEAD = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN)
SEEN_BEFORE = timedelta(days=180)
"""So long somebody whom the doctor saw counts as a follow-up of hers (places are kept for them)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows one request is about; `key` is the idempotency key, if any."""

    account_id: UUID | None
    person_id: UUID
    slot_id: UUID
    eligibility_id: UUID
    key: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer that was given to the same key: digest of what was asked, status, body."""

    digest: bytes
    status: int
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Found:
    """The facts, what the answer shows besides, and an earlier answer."""

    facts: Facts
    person_name: str
    practitioner_name: str
    practitioner_title: str
    department_name: str
    ahead: int
    fee: Line | None
    """Of the price list in force (`pricing.queries.version_at`)."""
    earlier: Earlier | None


def _words(*states: AppointmentState) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


_FACTS = f"""
SELECT
    mine.kind AS grant_kind, mine.relation, mine.scope, person.name, person.birth_date,
    owner.name AS owner_name, owner.id_number AS owner_id_number, owner.phone AS owner_phone,
    EXISTS (
        SELECT FROM consent WHERE consent.person_id = asked.person_id AND document_kind = $6 AND withdrawn_at IS NULL
            AND document_hash = (SELECT content_hash FROM document WHERE kind = $6 ORDER BY published_at DESC LIMIT 1)
    ) AS consented,
    decision.outcome, decision.booking_day, decision.only_department,
    slot.id AS slot_id, slot.practitioner_id, slot.department_code, slot.day, slot.starts_at, slot.ends_at, slot.price_code,
    slot.mode, slot.capacity, slot.remaining, slot.held_follow_up, slot.held_staff, slot.held_referral, slot.released_at,
    slot.shares_end_at, slot.stopped_at, slot.fresh_until,
    doctor.active, doctor.years_of_experience, doctor.name AS doctor_name, doctor.title_name,
    filing.id IS NOT NULL AS filed, filing.filed_until, department.name AS department_name,
    held.on_day, held.with_doctor, held.here,
    (
        SELECT max(ends_at) FROM booking_pause
        WHERE person_id = asked.person_id AND lifted_at IS NULL AND starts_at <= $7 AND ends_at > $7
    ) AS paused_until,
    slot.held_follow_up > 0 AND EXISTS (
        SELECT FROM appointment WHERE person_id = asked.person_id AND practitioner_id = slot.practitioner_id
            AND day >= $8 AND state = {_words(FULFILLED)}
    ) AS seen_before,
    (
        SELECT count(*) FROM appointment WHERE practitioner_id = slot.practitioner_id AND day = slot.day
            AND state IN ({_words(*AHEAD)}) AND starts_at <= slot.starts_at
    ) AS ahead,
    price.name AS price_name, price.amount, price.version AS price_version,
    earlier.digest, earlier.status, earlier.answer
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) WITH ORDINALITY
    AS asked (account_id, person_id, slot_id, decision_id, key, n)
LEFT JOIN person_grant mine
    ON mine.account_id = asked.account_id AND mine.person_id = asked.person_id AND mine.revoked_at IS NULL
LEFT JOIN person ON person.id = asked.person_id
LEFT JOIN person_grant own
    ON mine.kind = 'guardian' AND own.account_id = asked.account_id AND own.kind = 'self' AND own.revoked_at IS NULL
LEFT JOIN person owner ON owner.id = own.person_id
LEFT JOIN eligibility_decision decision ON decision.id = asked.decision_id AND decision.person_id = asked.person_id
LEFT JOIN slot ON slot.id = asked.slot_id
LEFT JOIN practitioner doctor ON doctor.id = slot.practitioner_id
LEFT JOIN practitioner_filing filing
    ON filing.practitioner_id = slot.practitioner_id AND filing.department_code = slot.department_code
LEFT JOIN department ON department.code = slot.department_code
LEFT JOIN price_item price ON price.code = slot.price_code AND price.version = (
    SELECT version FROM price_list WHERE state = 'approved' AND effective_from <= $7 ORDER BY effective_from DESC LIMIT 1
)
LEFT JOIN LATERAL (
    SELECT count(*) AS on_day, count(*) FILTER (WHERE practitioner_id = slot.practitioner_id) AS with_doctor,
        coalesce(bool_or(slot_id = slot.id AND state IN ({_words(*OPEN)})), false) AS here
    FROM appointment
    WHERE person_id = asked.person_id AND day = slot.day AND state IN ({_words(*OPEN, FULFILLED)})
) held ON true
LEFT JOIN idempotency_key earlier ON earlier.actor_id = asked.account_id AND earlier.key = asked.key
ORDER BY asked.n
"""


async def facts_of(session: AsyncSession, asked: Sequence[Asked], now: datetime) -> list[Found]:
    """In the order of the requests."""
    connection = await driver(session)
    rows = await connection.fetch(
        _FACTS, [one.account_id for one in asked], [one.person_id for one in asked], [one.slot_id for one in asked],
        [one.eligibility_id for one in asked], [one.key for one in asked], INFORMED_CONSENT, now,
        local(now).date() - SEEN_BEFORE,
    )  # fmt: skip
    return [_found(row) for row in rows]


def _found(row: Any) -> Found:
    """One row; what is sealed is opened only where it is looked at."""
    ring = keyring()
    born = row["birth_date"] and ring.open(row["birth_date"], "person.birth_date").decode()
    facts = Facts(
        grant_kind=row["grant_kind"], grant_relation=row["relation"], grant_scope=row["scope"],
        birth_date=date.fromisoformat(born) if born else None, guardian=_guardian(row), consented=row["consented"],
        outcome=row["outcome"], booking_day=row["booking_day"], slot=_slot(row), held_on_day=row["on_day"],
        held_with_doctor=row["with_doctor"], held_here=row["here"], paused_until=row["paused_until"],
        seen_before=bool(row["seen_before"]), only_department=row["only_department"] or "",
    )  # fmt: skip
    fee = None
    if row["price_version"] is not None:
        fee = Line(row["price_code"], row["price_name"], row["amount"], 1, row["price_version"])
    earlier = Earlier(row["digest"], row["status"], row["answer"]) if row["digest"] else None
    return Found(
        facts, ring.open(row["name"], "person.name").decode() if row["name"] else "", row["doctor_name"] or "",
        row["title_name"] or "", row["department_name"] or "", row["ahead"], fee, earlier,
    )  # fmt: skip


def _guardian(row: Any) -> tuple[str, str, str] | None:
    if row["owner_name"] is None:
        return None
    ring = keyring()
    name, number, phone = (
        ring.open(row[f"owner_{part}"], f"person.{part}").decode() for part in ("name", "id_number", "phone")
    )
    return name, number, phone


def _slot(row: Any) -> SlotFacts | None:
    if row["slot_id"] is None:
        return None
    held = {
        Channel.FOLLOW_UP: row["held_follow_up"], Channel.STAFF_ASSISTED: row["held_staff"],
        Channel.REFERRAL: row["held_referral"],
    }  # fmt: skip
    pool = Pool(
        row["capacity"], row["remaining"], held, row["released_at"], row["shares_end_at"], row["stopped_at"],
        row["fresh_until"],
    )  # fmt: skip
    return SlotFacts(
        row["slot_id"], row["practitioner_id"], row["department_code"], row["day"], row["starts_at"], row["ends_at"],
        row["price_code"], row["mode"], pool, row["active"], row["years_of_experience"], row["filed"], row["filed_until"],
    )  # fmt: skip
