"""Turns `received` rows into platform records: build, check, then `mapped`, or `parked` with every field that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.canonical import canonical, sha256
from foundation.clock import local
from foundation.db.advance import advance_each
from foundation.db.columns import keyring
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Issue
from foundation.logs import log
from regulator_adapter import profiles
from regulator_adapter.mapping import KINDS
from regulator_adapter.mapping.source import Source
from regulator_adapter.model import Submission
from regulator_adapter.once import already_reported
from regulator_adapter.organisation import Organisation
from regulator_adapter.profiles import Method, Profile
from regulator_adapter.profiles.checking import check
from regulator_adapter.routing import UNROUTED, Routing
from regulator_adapter.sign_in import came
from regulator_adapter.states import SubmissionState
from regulator_adapter.streams import Recent, Stored, Streams, place_of

BATCH = 250
RANK_BITS = 40
"""A rank is the method's place in the profile's order, then the event's number."""
WAIT_FOR_STREAM = timedelta(seconds=1)
"""How long a record waits before it looks again whether the events before it have come."""

Outcome = tuple[str, dict[str, Any]]
"""A verb, or `wait`, and the changes that go with it."""


@dataclass(frozen=True)
class Mapper:
    """Maps batches of rows, oldest first."""

    db: Database
    routing: Routing
    organisation: Organisation
    units: Mapping[str, str] = field(default_factory=dict)
    """The hospital's number at platforms where it has another one."""
    recent: Recent = field(default_factory=Recent)
    _blocked: dict[str, set[UUID]] = field(default_factory=dict)

    async def map_batch(self) -> int:
        """Map up to `BATCH` rows; returns how many were looked at."""
        async with unit_of_work(self.db) as session:
            waiting = await self._waiting(session)
            if not waiting:
                return 0
            streams = Streams(self.recent)
            await streams.load(
                session,
                {row.event_id for row in waiting},
                {row.stream for row in waiting if _reads_stream(row)},
            )
            moves: dict[str, dict[UUID, dict[str, Any]]] = {"map": {}, "park": {}, "wait": {}}
            for row in waiting:
                verb, changes = self._outcome(row, streams)
                moves[verb][row.id] = changes
            for row_id, words in (await already_reported(session, waiting, moves["map"])).items():
                del moves["map"][row_id]
                moves["park"][row_id] = _told(words, "already_reported")
            for row_id, changes in moves.pop("wait").items():
                await session.execute(update(Submission).where(Submission.id == row_id).values(**changes))
            for verb, rows in moves.items():
                if rows:
                    await advance_each(session, Submission, verb, SYSTEM, rows, together=verb == "map")
            await _tell_sign_ins(session, waiting)
        for row in waiting:
            if moves["map"].get(row.id, {}).get("blocked"):
                self._blocked.setdefault(row.profile, set()).add(row.id)
        return len(waiting)

    def take_blocked(self) -> dict[str, set[UUID]]:
        """Rows mapped since the last call that wait for numbers, by profile: one of these may have become known meanwhile."""
        found = dict(self._blocked)
        self._blocked.clear()
        return found

    async def _waiting(self, session: AsyncSession) -> Sequence[Any]:
        now = self.db.clock.now()
        query = (
            select(
                Submission.id,
                Submission.event_id,
                Submission.stream,
                Submission.profile,
                Submission.method,
                Submission.business_number,
                Submission.due_at,
                Submission.occurred_at,
            )
            .where(Submission.state == SubmissionState.RECEIVED)
            .where(Submission.claimed_until.is_(None) | (Submission.claimed_until < now))
            .order_by(Submission.number, Submission.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        return (await session.execute(query)).all()

    def _outcome(self, row: Any, streams: Streams) -> Outcome:
        """What becomes of one row."""
        if row.method == UNROUTED:
            return _parked([Issue("event", "unreadable", "事件无法识别")])
        kind, now = KINDS[row.profile, row.method], self.db.clock.now()
        stored = streams.row(row.event_id)
        # Two relays, or a stream that gives again, may bring a later event first: its records would overtake those before it.
        earlier = streams.earlier(stored) if kind.looks_back or _ordered(row) else ()
        if earlier is None:
            words = "waits for earlier events of its stream"
            return "wait", {"claimed_until": now + WAIT_FOR_STREAM, "problems": words}
        outcome = self._built(row, stored, streams, earlier, streams.later(stored) if kind.settles else ())
        if kind.settles and outcome[0] == "map" and row.due_at > now:
            # Looked at now so that people hear of a missing field before the night; made again when it goes out.
            place = {name: outcome[1][name] for name in ("lane", "rank")}
            return "wait", {"claimed_until": row.due_at, "problems": "", **place}
        return outcome

    def _built(
        self,
        row: Any,
        stored: Stored,
        streams: Streams,
        earlier: Sequence[Stored],
        later: Sequence[Stored],
    ) -> Outcome:
        """One bad event, or one bad mapping, must not stop the feed: whatever goes wrong, the row goes to people."""
        try:
            event, profile = streams.event(stored), profiles.profile(row.profile)
            reported_by = self.routing.reported_by(stored.type, event)
            source = Source(
                event, place_of(stored), self._known_as(row.profile), keyring().index, streams.readable(earlier),
                reported_by, streams.readable(later), self.db.clock.now(),
            )  # fmt: skip
            method = profile.methods[row.method]
            record = KINDS[row.profile, row.method].build(source, row.business_number)
            clean, issues = check(profile, method, record)
            return _parked(issues) if issues else ("map", _mapped(profile, method, stored, clean))
        except Exception as error:
            log.error("mapping_failed", submission=str(row.id), method=row.method, exc_info=error)
            return _parked([Issue("event", "unreadable", "事件内容与约定不符")])

    def _known_as(self, profile: str) -> Organisation:
        unit = self.units.get(profile)
        return replace(self.organisation, unit_id=unit) if unit else self.organisation


async def _tell_sign_ins(session: AsyncSession, rows: Sequence[Any]) -> None:
    """A day may have been signed in without these records."""
    days: dict[tuple[str, str], set[date]] = {}
    for row in rows:
        if row.method in profiles.profile(row.profile).sign_in:
            days.setdefault((row.profile, row.method), set()).add(local(row.occurred_at).date())
    for (profile, method), several in sorted(days.items()):
        await came(session, profiles.profile(profile), method, several)


def _reads_stream(row: Any) -> bool:
    if row.method == UNROUTED:
        return False
    kind = KINDS[row.profile, row.method]
    return kind.looks_back or kind.settles or _ordered(row)


def _ordered(row: Any) -> bool:
    return row.method not in profiles.profile(row.profile).unordered


def _parked(issues: Sequence[Issue]) -> Outcome:
    fields = "|".join(issue.field for issue in issues)
    words = "；".join(f"{issue.field}：{issue.message}" for issue in issues)
    log.warning("submission_parked", fields=fields)
    return "park", _told(words, "not_sent", fields)


def _told(words: str, code: str, fields: str = "") -> dict[str, Any]:
    """What people read on the desk."""
    return {"problems": fields, "reply_code": code, "reply_text": words, "claimed_until": None}


def _mapped(profile: Profile, method: Method, stored: Stored, record: dict[str, Any]) -> dict[str, Any]:
    needs = sorted(needs_of(profile, method, record))
    return {
        "record": record,
        "record_digest": sha256(canonical(record)),
        "makes": f"{method.makes[0]}:{record.get(method.makes[1], '')}",
        "needs": needs,
        "blocked": bool(needs),
        "lane": "" if method.name in profile.unordered else stored.stream,
        "rank": stored.number if method.rank is None else method.rank << RANK_BITS | stored.number,
        "problems": "",
        "claimed_until": None,
    }


def needs_of(profile: Profile, method: Method, record: Mapping[str, Any]) -> set[str]:
    """Numbers that must have been accepted before `record`, such as `revisit:<id>`, `drug:<code>`."""
    found: set[str] = set()
    for kind, path in method.needs:
        known = kind
        if kind.startswith("@"):
            table = profile.kinds[kind[1:]]
            known = table.get(str(record.get(kind[1:])), "")
        if known:
            found |= {f"{known}:{value}" for value in _values(record, path)}
    return found


def _values(record: Mapping[str, Any], path: str) -> list[Any]:
    first, _, rest = path.partition(".")
    value = record.get(first)
    if rest:
        return [entry[rest] for entry in value or []]
    return [] if value is None else [value]
