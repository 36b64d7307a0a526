"""Chooses what goes out next and writes it down as `submitted` before a byte leaves.

One chooser per profile works at a time (advisory lock), so that two processes cannot take neighbours of one stream.
A claim is a lease: whoever dies with it loses it, and the rows are found again, marked as possibly sent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.bulk import driver, update_all
from foundation.db.columns import keyring
from foundation.db.guards import guarded
from foundation.db.unit_of_work import clock_of
from foundation.logs import log
from regulator_adapter.model import Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.states import SubmissionState

LEASE = timedelta(seconds=120)
"""Longer than a request through both gateways may take; `Sender.lease` knows how long that is."""
LARGEST_LIST = 300_000
"""Bytes of JSON in one list; sealed and in hex it stays below the 1 MB that gateway and platform take."""
LOOK_AHEAD = 400
SPARE = 30
HELD = -1
"""In place of a list's number: a row of the lane stays behind, and all after it."""
RECORD = "submission.record"


@dataclass(frozen=True)
class Sent:
    """One claimed row: what goes out, and how often it was tried."""

    id: UUID
    event_id: UUID
    record: dict[str, Any]
    attempts: int
    ambiguous: int
    occurred_at: datetime
    makes: str


@dataclass(frozen=True)
class Batch:
    """Rows of one method that go out in one list, in the order of their events."""

    profile: Profile
    method: str
    rows: Sequence[Sent]


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
# States are written out, so that the planner may use the indexes that are for open rows alone.
_OPEN = "('received', 'mapped', 'submitted')"
# OFFSET 0 keeps each need a look-up of its own: as a join the planner reads everything that was ever accepted, for each row.
_KNOWN = (
    "NOT EXISTS (SELECT 1 FROM unnest(row.needs) AS need WHERE NOT EXISTS (SELECT 1 FROM submission AS known "
    "WHERE known.profile = row.profile AND known.makes = need AND known.state = 'accepted' OFFSET 0))"
)
_UNBLOCK = (
    f"WITH held AS (SELECT id FROM submission AS row WHERE profile = $1 AND blocked AND state IN {_OPEN} AND %s AND {_KNOWN} "
    "ORDER BY id FOR UPDATE SKIP LOCKED) "
    "UPDATE submission AS row SET blocked = false FROM held WHERE row.id = held.id RETURNING row.id"
)
# A lane is found by its name alone: the profile beside it would invite indexes that begin with the profile and read it whole.
_CANDIDATES = f"""
SELECT row.id, row.method, row.lane, row.alone, row.state, row.event_id, row.record, row.attempts, row.ambiguous, row.in_flight,
  row.occurred_at, row.submitted_at, row.makes
FROM submission AS row
WHERE row.profile = $1 AND row.state IN {_OPEN} AND row.state <> 'received' AND NOT row.blocked AND row.due_at <= $2
  AND (row.claimed_until IS NULL OR row.claimed_until < $2) AND row.id <> ALL ($3::uuid[])
  AND (row.lane = '' OR NOT EXISTS (
    SELECT 1 FROM submission AS earlier
    WHERE earlier.profile || '' = row.profile AND earlier.lane = row.lane AND earlier.rank < row.rank AND earlier.state IN {_OPEN}
      AND (earlier.method <> row.method OR earlier.state = 'received' OR earlier.due_at > $2
        OR earlier.claimed_until >= $2 OR earlier.id = ANY ($3::uuid[]))))
ORDER BY row.number, row.id LIMIT $4
"""


async def unblock(
    session: AsyncSession, profile: Profile, *, made: Collection[str] | None = None, ids: Collection[UUID] | None = None
) -> int:  # fmt: skip
    """Release rows whose needs have all been accepted by now; returns how many. `made`: only those that need one of these, `ids`: only
    these rows."""
    connection = await driver(session)
    if made is not None:
        found = await connection.fetch(_UNBLOCK % "row.needs && $2::varchar(160)[]", profile.name, list(made))
    elif ids is not None:
        found = await connection.fetch(_UNBLOCK % "row.id = ANY ($2::uuid[])", profile.name, list(ids))
    else:
        found = await connection.fetch(_UNBLOCK % "true", profile.name)
    return len(found)


async def claim(
    session: AsyncSession,
    profile: Profile,
    busy: Collection[UUID],
    *,
    room: int,
    ambiguous_resends: int,
    lease: timedelta = LEASE,
) -> list[Batch]:
    """The next batches of `profile`, `room` at most. `busy` are rows this process has out already, whatever their lease says."""
    if guarded("claim_lock") and not await session.scalar(_TRY_LOCK, {"name": f"claim:{profile.name}"}):
        return []
    connection, now = await driver(session), clock_of(session).now()
    # Some more than fit: rows of one lane do not go side by side.
    candidates = await connection.fetch(
        _CANDIDATES, profile.name, now, list(busy), min(LOOK_AHEAD, 2 * room * profile.usual_batch + SPARE)
    )
    found = [Candidate(*row) for row in candidates]
    chosen = choose(profile, found, room)
    if not chosen:
        return []
    return await _take(session, profile, {row.id: row for row in found}, chosen, ambiguous_resends, lease)


class Candidate(NamedTuple):
    """A row that may go; `record` is still sealed."""

    id: UUID
    method: str
    lane: str
    alone: bool
    state: str
    event_id: UUID
    record: bytes
    attempts: int
    ambiguous: int
    in_flight: bool
    occurred_at: datetime
    submitted_at: datetime | None
    makes: str


class Chosen(Protocol):
    """What choosing looks at."""

    @property
    def id(self) -> UUID: ...
    @property
    def method(self) -> str: ...
    @property
    def lane(self) -> str: ...
    @property
    def alone(self) -> bool: ...


def choose(profile: Profile, candidates: Sequence[Chosen], room: int) -> list[list[UUID]]:
    """Up to `room` lists, each of one method and no longer than its batch size. Rows of one lane never go in two lists at a time."""
    lists: list[list[UUID]] = []
    open_list: dict[str, int] = {}
    lane_of: dict[str, int] = {}
    for row in candidates:
        at = None if row.alone else open_list.get(row.method)
        if at is not None and len(lists[at]) >= profile.methods[row.method].batch:
            at = None
        if (row.lane in lane_of and lane_of[row.lane] != at) or (at is None and len(lists) >= room):
            if row.lane:  # none after it may go before it
                lane_of[row.lane] = HELD
            continue
        if at is None:
            at = len(lists)
            lists.append([])
            if not row.alone:
                open_list[row.method] = at
        lists[at].append(row.id)
        if row.lane:
            lane_of[row.lane] = at
    return lists


async def _take(
    session: AsyncSession,
    profile: Profile,
    rows: Mapping[UUID, Candidate],
    chosen: list[list[UUID]],
    ambiguous_resends: int,
    lease: timedelta,
) -> list[Batch]:
    now = clock_of(session).now()
    hopeless = {
        one
        for ids in chosen
        for one in ids
        if rows[one].in_flight and not profile.deduplicates and rows[one].ambiguous >= ambiguous_resends
    }
    if hopeless:
        await park_ambiguous(session, hopeless)
    lists = [_fitting([rows[one] for one in ids if one not in hopeless]) for ids in chosen]
    first_time: dict[UUID, dict[str, Any]] = {}
    again: list[dict[str, Any]] = []
    for going in lists:
        for row, _ in going:
            changes = _marked(row, now, lease)
            if row.state == SubmissionState.MAPPED:
                first_time[row.id] = changes
            else:
                again.append({"id": row.id, **changes})
    moved = set(await advance_each(session, Submission, "submit", SYSTEM, first_time, together=True))
    moved |= set(await update_all(session, Submission, again, where="row.state || '' = 'submitted'"))
    batches = []
    for going in lists:
        sent = [
            Sent(row.id, row.event_id, record, row.attempts + 1, row.ambiguous + row.in_flight, row.occurred_at, row.makes)
            for row, record in going
            if row.id in moved
        ]  # fmt: skip
        if sent:
            batches.append(Batch(profile, going[0][0].method, sent))
    return batches


def _marked(row: Candidate, now: datetime, lease: timedelta) -> dict[str, Any]:
    """What is written down before `row` goes out."""
    return {
        "claimed_until": now + lease,
        "in_flight": True,
        "attempts": row.attempts + 1,
        "ambiguous": row.ambiguous + row.in_flight,
        "submitted_at": row.submitted_at or now,
    }


def _fitting(rows: list[Candidate]) -> list[tuple[Candidate, dict[str, Any]]]:
    """As many of the first rows as one list can carry, at least one, with their records."""
    size, fitting = 0, list[tuple[Candidate, dict[str, Any]]]()
    for row in rows:
        plain = keyring().open(row.record, RECORD)
        size += len(plain)
        if fitting and size > LARGEST_LIST:
            break
        fitting.append((row, msgspec.json.decode(plain)))
    return fitting


async def park_ambiguous(session: AsyncSession, ids: Collection[UUID]) -> None:
    """Give rows that may have arrived to people: this platform would store them twice."""
    log.warning("submission_ambiguous", count=len(ids))
    changes = {
        "in_flight": False,
        "claimed_until": None,
        "reply_code": "ambiguous",
        "reply_text": "已发送但没有得到回执，平台可能已经入库；请先与平台核对再重报",
    }
    await advance_each(session, Submission, "park", SYSTEM, dict.fromkeys(ids, changes))
