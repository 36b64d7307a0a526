"""Who may look, what the hospital has, and what is written down about the look."""

from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility.service import hospital_patient
from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING, EncounterState
from backend.imaging.rules import WINDOWS, Place, is_private
from backend.outside.his import HospitalRefused
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.patient.rules import may
from backend.practitioner import queries as practitioners
from contracts import events, his
from foundation.actor import Actor
from foundation.db.audit import AuditEvent, audit
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import Forbidden, NotFound
from foundation.ids import new_id

LOOK_BACK = timedelta(days=5 * 366)
ONE_LOOK = timedelta(hours=12)
"""Paging through a study in one visit is one record view."""
NOT_CONNECTED = "images_not_connected"
T = TypeVar("T")


async def require_viewer(session: AsyncSession, actor: Actor, row: Encounter) -> Person:
    """The patient of a visit for those who may see her pictures.

    The doctor as with the history: of a follow-up, from assignment until it has ended. Of accounts the patient's own, and
    those whom she lets read her records.
    """
    if actor.kind == "account":
        await patients.require_scope(session, actor, row.person_id, "records")
    else:
        encounters.as_follow_up(row)
        if row.state not in (EncounterState.PLANNED, *RUNNING):
            raise Forbidden("问诊已结束，不能再查阅", code="history_closed")
    return await patients.person(session, row.person_id)


async def may_see_private(session: AsyncSession, actor: Actor, person: Person) -> bool:
    """All but a proxy without a grant of its own for it."""
    if actor.kind != "account":
        return True
    grant = await patients.grant_on(session, actor, person.id)
    return may(grant.kind, grant.scope, "private")


def shown_studies(found: his.ImageStudiesReply, *, private: bool) -> his.ImageStudiesReply:
    """What may be shown of them; of the rest not even that it is there."""
    return his.ImageStudiesReply(
        [one for one in found.studies if private or not is_private(one.modality, one.description)]
    )


def require_shown(found: his.ImageFrameReply, *, private: bool) -> None:
    """`NotFound`, as for a picture that is not there."""
    if not private and is_private(found.modality, found.description, found.series_description):
        raise NotFound("没有找到这幅影像", code="image_not_found")


async def studies(context: Context, person: Person) -> his.ImageStudiesReply:
    """Her studies of the last five years. `NotFound`: unknown at the hospital, or it has no archive connected."""
    since = context.clock.today() - LOOK_BACK
    patient_id = await _patient_id(context, person)
    request = his.ImageStudies(purpose="treatment", patient_id=patient_id, since=since)
    return await _asked(context, request, his.ImageStudiesReply)


async def frame(
    context: Context, person: Person, study_id: str, at: Place, *, viewport: int, window: str = ""
) -> his.ImageFrameReply:
    """One picture; `window` is a key of `WINDOWS`."""
    center, width = WINDOWS.get(window, (0, 1))
    request = his.ImageFrame(
        purpose="treatment", patient_id=await _patient_id(context, person), study_id=study_id, series=at.series,
        instance=at.instance, frame=at.frame, viewport=viewport,
        window=his.ImageWindow(center, width) if window else None,
    )  # fmt: skip
    return await _asked(context, request, his.ImageFrameReply)


async def _patient_id(context: Context, person: Person) -> str:
    found = await hospital_patient(context, person)
    if found is None:
        raise NotFound("医院没有该就诊人的档案", code="patient_not_found")
    return found


async def _asked(context: Context, request: his.ImageStudies | his.ImageFrame, kind: type[T]) -> T:
    try:
        return await context.hospital.call(request, kind)
    except HospitalRefused as refused:
        if refused.code == NOT_CONNECTED:
            raise NotFound("医院的影像系统没有接入", code="images_not_connected") from None
        raise


async def report_list(
    session: AsyncSession, actor: Actor, row: Encounter, reply: his.ImageStudiesReply
) -> None:
    """健康档案浏览: she or he was shown which studies there are."""
    await _report(session, actor, row, [one.resource_hash for one in reply.studies])


async def note_picture(
    session: AsyncSession, actor: Actor, row: Encounter, reply: his.ImageFrameReply
) -> None:
    """An audit line for each picture; the study is a record view when it is looked at for the first time in a while."""
    subject = f"{row.id}:{reply.resource_hash[:40]}"
    query = select(AuditEvent.id).where(
        AuditEvent.subject_kind == "image_study", AuditEvent.subject_id == subject, AuditEvent.actor_id == actor.id,
        AuditEvent.at > clock_of(session).now() - ONE_LOOK,
    )  # fmt: skip
    first = await session.scalar(query.limit(1)) is None
    place = f"{reply.series}/{reply.instance}/{reply.frame}"
    audit(session, actor, "image.view", "image_study", subject, detail={"place": place})
    if first:
        await _report(session, actor, row, [reply.resource_hash])


async def _report(session: AsyncSession, actor: Actor, row: Encounter, hashes: list[str]) -> None:
    viewer, seen_by = None, None
    if actor.kind == "account":
        own = await patients.own_person(session, actor.id) if actor.id else None
        if own is None:
            raise Forbidden("请先完成实名认证", code="not_real_name")
        seen_by = patients.snapshot(own)
    else:
        viewer = practitioners.snapshot(await practitioners.practitioner(session, row.practitioner_id))
    view_id = new_id()
    await publish(
        session,
        row.stream,
        events.RecordViewed(
            view_id=view_id, visit=await encounters.snapshot(session, row), viewer=viewer, seen_by=seen_by,
            purpose="treatment" if viewer else "patient", archives=["PACS"], resource_hashes=hashes[:100],
            viewed_at=clock_of(session).now(),
        ),
    )  # fmt: skip
    audit(session, actor, "record.view", "encounter", row.id, detail={"view": str(view_id)})
