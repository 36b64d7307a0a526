"""Sends one claimed batch and writes down what became of each of its rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Histogram
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.guards import guarded
from foundation.db.unit_of_work import Database
from foundation.logs import log
from foundation.masking import mask_text
from regulator_adapter.city_client import CityClient
from regulator_adapter.city_wire import Message
from regulator_adapter.claims import Batch, Sent, park_ambiguous
from regulator_adapter.model import Submission
from regulator_adapter.replies import Meaning, Reply
from regulator_adapter.states import SubmissionState
from regulator_adapter.timing import backoff

REPLIES = Counter("regulator_replies", "answers by platform and meaning", ["profile", "meaning"])
LAG = Histogram(
    "regulator_lag_seconds", "from the event to its accepted receipt, real-time profiles", ["profile"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)  # fmt: skip


AHEAD = 3
"""Lists written down as going for each one on the wire, where a list holds one record: the wire does not wait for the database."""


@dataclass(frozen=True)
class Answer:
    """One batch, what came back, and the message as it was sent; None when it was held back."""

    batch: Batch
    reply: Reply
    message: Message | None

    @property
    def digest(self) -> str:
        """Of what was sent."""
        return self.message.digest if self.message else ""


@dataclass(frozen=True)
class Sender:
    """`max_attempts` failed ones park a row; `ambiguous_resends` is how often a possible duplicate is risked."""

    db: Database
    client: CityClient
    max_attempts: int
    ambiguous_resends: int

    @property
    def lease(self) -> timedelta:
        """Longer than one request may take, through every gateway in turn, with those that it waits for."""
        one = 1.5 * self.client.request_seconds * max(2, len(self.client.gateways))
        return timedelta(seconds=15 + AHEAD * one)

    def hold_back(self, batch: Batch) -> Answer:
        """It waited for its turn on the wire, and meanwhile nothing gets through any more: back in line, as if it had not been tried."""
        return Answer(batch, Reply(Meaning.CLOSED, "held_back", "the way was closed before it went"), None)

    async def send(self, batch: Batch) -> Answer:
        """One request; nothing is written down yet."""
        reply, message = await self.client.send(
            batch.profile, batch.method, [row.record for row in batch.rows]
        )
        REPLIES.labels(batch.profile.name, reply.meaning.value).inc()
        return Answer(batch, reply, message)

    async def settle(self, session: AsyncSession, answers: Sequence[Answer]) -> set[str]:
        """Write down what became of every row; returns the numbers that are known to the platform now."""
        accepted: dict[UUID, dict[str, Any]] = {}
        made: set[str] = set()
        for answer in answers:
            receipts = _accepted(answer)
            accepted |= self._receipted(answer, receipts)
            made |= {row.makes for row in answer.batch.rows if row.id in receipts}
            await self._others(session, answer, [row for row in answer.batch.rows if row.id not in receipts])
        await advance_each(session, Submission, "accept", SYSTEM, accepted, together=True)
        return made

    def _receipted(self, answer: Answer, receipts: Mapping[UUID, str]) -> dict[UUID, dict[str, Any]]:
        now, profile = self.db.clock.now(), answer.batch.profile
        if profile.next_day is None:
            for row in answer.batch.rows:
                if row.id in receipts:
                    LAG.labels(profile.name).observe((now - row.occurred_at).total_seconds())
        return {
            row_id: {
                "receipt": receipt, "accepted_at": now, "claimed_until": None, "in_flight": False, "record": None,
                "reply_code": "200", "reply_text": "", "problems": "", "sent_digest": answer.digest,
            }
            for row_id, receipt in receipts.items()
        }  # fmt: skip

    async def _others(self, session: AsyncSession, answer: Answer, rest: list[Sent]) -> None:
        rest = await _ours(session, rest)
        if not rest:
            return
        reply = answer.reply
        note = {
            "reply_code": reply.code,
            "reply_text": mask_text(reply.text)[:2000],
            "sent_digest": answer.digest,
        }
        if reply.failures:
            rest = await self._refused_rows(session, answer, rest, note)
            if rest:
                await self._postpone(session, answer.batch, rest, note, unknown=True)
        elif reply.meaning in (Meaning.REJECTED, Meaning.PARKED):
            await self._refused(session, answer.batch, reply, rest, note)
        elif reply.meaning is Meaning.CLOSED:
            await self._release(session, [row.id for row in rest], note)
        else:
            # Accepted without a receipt where receipts are given is as uncertain as no answer.
            unknown = reply.meaning is not Meaning.LATER
            await self._postpone(session, answer.batch, rest, note, unknown=unknown)

    async def _refused_rows(
        self, session: AsyncSession, answer: Answer, rest: list[Sent], note: Mapping[str, Any]
    ) -> list[Sent]:
        """Each row that the answer names goes to people with words of its own; returns those it does not name."""
        changes: dict[UUID, dict[str, Any]] = {}
        for row in rest:
            code, words = answer.reply.failures.get(_key(answer, row), ("", ""))
            if code:
                told = {
                    "reply_code": code,
                    "reply_text": mask_text(words)[:2000],
                    "problems": words if code.endswith("/-99") else "",
                }
                changes[row.id] = {**note, **told, "claimed_until": None, "in_flight": False}
        if changes:
            log.warning(
                "submission_refused",
                profile=answer.batch.profile.name,
                method=answer.batch.method,
                rows=len(changes),
            )
            await advance_each(session, Submission, "reject", SYSTEM, changes)
        return [row for row in rest if row.id not in changes]

    async def _refused(
        self, session: AsyncSession, batch: Batch, reply: Reply, rest: list[Sent], note: Mapping[str, Any]
    ) -> None:
        """The named record, or the only one, goes to people; the others of a list go again."""
        verb = "reject" if reply.meaning is Meaning.REJECTED else "park"
        guilty = [row for row in rest if str(row.event_id) == reply.failed] or (
            rest if len(rest) == 1 else []
        )
        problems = reply.text if reply.code.endswith("/-99") else ""
        changes = {
            row.id: {**note, "problems": problems, "claimed_until": None, "in_flight": False}
            for row in guilty
        }
        if changes:
            log.warning(
                "submission_refused", profile=batch.profile.name, method=batch.method, code=reply.code
            )
            await advance_each(session, Submission, verb, SYSTEM, changes)
        others = [row.id for row in rest if row.id not in changes]
        if others:
            # Which record was bad is not known: find out by sending each alone.
            await self._release(session, others, {} if guilty else {"alone": True})

    async def _postpone(
        self, session: AsyncSession, batch: Batch, rest: list[Sent], note: Mapping[str, Any], *, unknown: bool
    ) -> None:
        worn_out = [row for row in rest if row.attempts >= self.max_attempts]
        if worn_out:
            changes = {**note, "claimed_until": None, "in_flight": False}
            await advance_each(session, Submission, "park", SYSTEM, {row.id: changes for row in worn_out})
        risky = unknown and not batch.profile.deduplicates
        hopeless = {row.id for row in rest if risky and row.ambiguous >= self.ambiguous_resends}
        hopeless -= {row.id for row in worn_out}
        if hopeless:
            await park_ambiguous(session, hopeless)
        for row in rest:
            if row in worn_out or row.id in hopeless:
                continue
            await session.execute(
                update(Submission)
                .where(Submission.id == row.id)
                .values(
                    due_at=self.db.clock.now() + backoff(row.attempts), claimed_until=None, in_flight=False,
                    ambiguous=row.ambiguous + (1 if unknown else 0), **note,
                )
            )  # fmt: skip

    async def _release(self, session: AsyncSession, ids: Collection[UUID], note: Mapping[str, Any]) -> None:
        """Back in line at once, as if they had not been tried; the profile's gate decides when the line moves."""
        await session.execute(
            update(Submission)
            .where(Submission.id.in_(ids))
            .values(claimed_until=None, in_flight=False, attempts=Submission.attempts - 1, **note)
        )


async def _ours(session: AsyncSession, rows: list[Sent]) -> list[Sent]:
    """Those still out under the attempt that was answered, held: who slept over the lease says nothing of what another has out now.

    A receipt is another matter: what the platform has stored is stored, whoever sent it.
    """
    if not rows or not guarded("answer_fence"):
        return rows
    query = select(Submission.id, Submission.attempts).where(
        Submission.id.in_([row.id for row in rows]), Submission.state == SubmissionState.SUBMITTED
    )
    found = await session.execute(query.order_by(Submission.id).with_for_update())
    attempts = {row.id: row.attempts for row in found}
    return [row for row in rows if attempts.get(row.id) == row.attempts]


def _accepted(answer: Answer) -> dict[UUID, str]:
    """Rows that are stored, with their receipts; where the platform gives none, the digest of what was sent."""
    rows, reply = answer.batch.rows, answer.reply
    if answer.batch.profile.deduplicates:
        given = {row.id: reply.receipts.get(_key(answer, row)) for row in rows}
        return {row_id: receipt.number for row_id, receipt in given.items() if receipt is not None}
    return {row.id: answer.digest for row in rows} if reply.meaning is Meaning.ACCEPTED else {}


def _key(answer: Answer, row: Sent) -> str:
    """What the platform calls the row: its event, or what the profile's rows are named by."""
    name = answer.batch.profile.row_key
    return str(row.record[name]) if name else str(row.event_id)
