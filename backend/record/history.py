"""The hospital's own records beside a visit: asked through the gateway, held sealed for minutes, each look reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility.service import LOOK_BACK, hospital_patient
from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.hospital_hint import service as hints
from backend.outside.his import HospitalRefused
from backend.patient.model import Person
from backend.practitioner import queries as practitioners
from contracts import events, his
from foundation.actor import Actor
from foundation.crypto import CannotOpenError
from foundation.db.audit import audit
from foundation.db.columns import keyring
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound, Unavailable
from foundation.ids import new_id
from foundation.logs import log

LIFE = timedelta(minutes=5)
SHORT_LIFE = timedelta(seconds=20)
READING = timedelta(seconds=1)
"""A hint that came while the answer was on its way is news still."""
FIELD = "display.history"


async def fetch(context: Context, person: Person) -> his.HistoryReply:
    """The history for display; `NotFound` when the hospital does not know the person, `Unavailable` when it is down."""
    key = f"display:history:{person.id}"
    if (known := await _cached(context, key)) is not None:
        return known
    patient_id = await hospital_patient(context, person)
    if patient_id is None:
        raise NotFound("医院没有该就诊人的档案", code="patient_not_found")
    since = context.clock.today() - LOOK_BACK
    reply = await context.hospital.call(
        his.History(purpose="treatment", patient_id=patient_id, since=since), his.HistoryReply
    )
    sealed = keyring().seal(msgspec.json.encode(reply), FIELD)
    try:
        life = SHORT_LIFE if reply.missing else LIFE  # who is away now is asked again soon
        await context.redis.set(key, sealed, ex=int(life.total_seconds()))
    except RedisError as error:
        log.warning("display_cache_lost", error=str(error))
    return reply


async def _cached(context: Context, key: str) -> his.HistoryReply | None:
    try:
        sealed = await context.redis.get(key)
    except RedisError:
        return None
    try:
        return msgspec.json.decode(keyring().open(sealed, FIELD), type=his.HistoryReply) if sealed else None
    except (CannotOpenError, msgspec.MsgspecError):  # of another key or another version of ours: asked anew
        return None


@dataclass(frozen=True)
class Known:
    """What the hospital knows that the review engine asks for: nothing of it is stored."""

    allergy_groups: frozenset[str]
    allergy_names: frozenset[str]
    codes: frozenset[str]
    medications: Sequence[his.HistoryMedication]


async def known_of(context: Context, person: Person) -> Known | None:
    """For the review engine; None when the hospital gave no answer, which is not "no allergies"."""
    try:
        reply = await fetch(context, person)
    except (NotFound, Unavailable, HospitalRefused):
        return None
    return known_in(reply)


def known_in(reply: his.HistoryReply) -> Known:
    """Of an answer of the hospital."""
    codes = {one.code for visit in reply.visits for one in visit.diagnoses if one.certainty == "confirmed"}
    return Known(
        frozenset(allergy.group for allergy in reply.allergies if allergy.group),
        frozenset(allergy.name for allergy in reply.allergies if allergy.name), frozenset(codes), reply.medications,
    )  # fmt: skip


async def report_view(session: AsyncSession, actor: Actor, row: FollowUp, reply: his.HistoryReply) -> None:
    """健康档案浏览: who looked at what, for which visit; hashes instead of content. What was new is new no more, if all was there."""
    viewer = await practitioners.practitioner(session, row.practitioner_id)
    hashes = [visit.resource_hash for visit in reply.visits] + [one.resource_hash for one in reply.reports]
    hashes += [one.resource_hash for one in reply.medications]
    archives = [
        name
        for name, found in (("EMR", reply.visits), ("LIS", reply.reports), ("RX", reply.medications))
        if found
    ]
    view_id = new_id()
    await publish(
        session,
        row.stream,
        events.RecordViewed(
            view_id=view_id, visit=await encounters.snapshot(session, row), viewer=practitioners.snapshot(viewer),
            purpose="treatment", archives=archives or ["EMR"], resource_hashes=hashes[:100],
            viewed_at=clock_of(session).now(),
        ),
    )  # fmt: skip
    audit(session, actor, "record.view", "encounter", row.id, detail={"view": str(view_id)})
    if not reply.missing:
        await hints.seen(session, row.person_id, clock_of(session).now() - READING)
