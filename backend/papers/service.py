"""Taking, showing, deleting papers, and a decision that rests on them."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.remaking import Made, remade
from backend.context import Context
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import book_on
from backend.eligibility.rules import Outcome, PaperFact
from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.encounter.states import RUNNING, EncounterState
from backend.papers import rules
from backend.papers.model import PatientPaper
from backend.patient import queries as patients
from foundation.actor import Actor
from foundation.canonical import sha256
from foundation.db.audit import audit
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from foundation.ids import new_id
from foundation.object_store import NotThere

DISCARD = "papers.discard"
KEPT = timedelta(days=1)
"""So long a paper waits for a decision to take it up."""


async def waiting(session: AsyncSession, person_id: UUID) -> Sequence[PatientPaper]:
    """Papers of a person that no decision has taken up, oldest first."""
    query = (
        select(PatientPaper)
        .where(PatientPaper.person_id == person_id, PatientPaper.decision_id.is_(None))
        .order_by(PatientPaper.at, PatientPaper.id)
    )
    return (await session.scalars(query)).all()


async def mine(session: AsyncSession, actor: Actor, person_id: UUID) -> list[PatientPaper]:
    """Those that the account may see: her own uploads, and all with the grant to see records."""
    records = await patients.has_scope(session, actor, person_id, "records")
    return [one for one in await waiting(session, person_id) if records or one.account_id == actor.id]


async def check(
    session: AsyncSession, actor: Actor, person_id: UUID, kind: str, dated: date, media_type: str, size: int
) -> None:
    """Whether it may be taken. `NotFound`, `Forbidden`, `Invalid` with every reason."""
    await patients.require_scope(session, actor, person_id, "book")
    await lock_stream(session, f"papers:{person_id}")
    today = clock_of(session).today()
    book = book_on(today)
    there = len(await waiting(session, person_id))
    issues = rules.paper_issues(
        kind, dated, media_type, size, today=today, kinds=book.paper_kinds, there=there, most=book.most_papers
    )
    if issues:
        raise Invalid(issues=issues)


async def take(
    context: Context, actor: Actor, person_id: UUID, kind: str, dated: date, media_type: str, data: bytes
) -> PatientPaper:
    """Make it anew, store it encrypted, know it by a row; `Invalid` when it is no picture."""
    async with unit_of_work(context.db) as session:
        await check(session, actor, person_id, kind, dated, media_type, len(data))
    made = await remade(media_type, data)
    paper_id = new_id()
    key = f"papers/{person_id.hex}/{paper_id.hex}"
    keys = [key, f"{key}-small"][: len(made)]
    for name, one in zip(keys, made, strict=False):
        await context.objects.put(name, _whole(one))
    try:
        async with unit_of_work(context.db) as session:
            await check(
                session, actor, person_id, kind, dated, media_type, len(data)
            )  # others came meanwhile
            row = PatientPaper(
                id=paper_id, person_id=person_id, account_id=actor.id, kind=kind, dated=dated,
                media_type=made[0].about.media_type, size=made[0].about.size, sha256=sha256(made[0].content).hex(),
                object_key=key, small_key=keys[1] if len(keys) > 1 else "", at=clock_of(session).now(),
            )  # fmt: skip
            session.add(row)
            await intend(session, DISCARD, paper_id, due=row.at + KEPT)
            audit(
                session,
                actor,
                "papers.upload",
                "person",
                person_id,
                detail={"paper": str(paper_id), "kind": kind},
            )
            return row
    except BaseException:
        await _delete(context, keys)
        raise


async def _whole(one: Made) -> AsyncIterator[bytes]:
    yield one.content


async def own(session: AsyncSession, actor: Actor, paper_id: UUID) -> PatientPaper:
    """A paper for the patient's side; `NotFound` for everybody else."""
    row = await session.get(PatientPaper, paper_id)
    if row is None:
        raise NotFound("没有找到该材料", code="paper_not_found")
    await patients.grant_on(session, actor, row.person_id)
    if row.account_id != actor.id and not await patients.has_scope(session, actor, row.person_id, "records"):
        raise NotFound("没有找到该材料", code="paper_not_found")
    return row


async def remove(context: Context, actor: Actor, paper_id: UUID) -> None:
    """She takes it back; `Conflict` once a decision rests on it."""
    async with unit_of_work(context.db) as session:
        row = await own(session, actor, paper_id)
        await lock_stream(session, f"papers:{row.person_id}")
        await session.refresh(row)
        if row.decision_id is not None:
            raise Conflict("该材料已用于复诊资格判定，不能删除", code="paper_in_use")
        keys = [key for key in (row.object_key, row.small_key) if key]
        await session.delete(row)
        await withdraw(session, DISCARD, paper_id)
        audit(session, actor, "papers.remove", "person", row.person_id, detail={"paper": str(paper_id)})
    await _delete(context, keys)


async def discard(context: Context, paper_id: UUID) -> None:
    """Nobody needed it within a day: the bytes go, then the row."""
    async with unit_of_work(context.db) as session:
        row = await session.get(PatientPaper, paper_id)
        if row is None:
            return
        await lock_stream(session, f"papers:{row.person_id}")
        await session.refresh(row)
        if row.decision_id is not None:
            return
        await _delete(context, [key for key in (row.object_key, row.small_key) if key])
        await session.delete(row)


async def _delete(context: Context, keys: Sequence[str]) -> None:
    for key in keys:
        try:
            await context.objects.delete(key)
        except NotThere:
            continue


async def chosen(
    session: AsyncSession, actor: Actor, person_id: UUID, ids: Sequence[UUID]
) -> list[PatientPaper]:
    """The papers she means, each hers and free; `NotFound`."""
    free = {one.id: one for one in await mine(session, actor, person_id)}
    if missing := [one for one in ids if one not in free]:
        raise NotFound(f"没有找到 {len(missing)} 份材料，请重新上传", code="paper_not_found")
    return [free[one] for one in dict.fromkeys(ids)]


def facts(papers: Sequence[PatientPaper]) -> list[PaperFact]:
    """What a decision sees of them."""
    return [PaperFact(one.kind, one.dated, one.sha256) for one in papers]


async def take_up(session: AsyncSession, row: EligibilityDecision, ids: Sequence[UUID]) -> None:
    """The papers belong to a decision that a doctor will judge; of any other they are not needed."""
    if row.outcome != Outcome.DOCTOR_DECIDES:
        return
    await lock_stream(session, f"papers:{row.person_id}")
    for paper_id in ids:
        paper = await session.get(PatientPaper, paper_id, populate_existing=True)
        if paper is None or paper.decision_id is not None:
            raise Conflict("材料刚刚被删除或已经使用，请重新上传", code="paper_in_use")
        paper.decision_id = row.id
        await withdraw(session, DISCARD, paper_id)


async def of_decision(session: AsyncSession, decision_id: UUID) -> Sequence[PatientPaper]:
    """The papers a decision rests on."""
    query = select(PatientPaper).where(PatientPaper.decision_id == decision_id).order_by(PatientPaper.at)
    return (await session.scalars(query)).all()


async def doctors(session: AsyncSession, actor: Actor, encounter_id: UUID) -> tuple[FollowUp, UUID]:
    """The doctor's own visit and the decision it rests on; she looks from assignment until the visit is over."""
    row = await encounters.doctors_own_follow_up(session, actor, encounter_id)
    if row.state not in (EncounterState.PLANNED, *RUNNING):
        raise Forbidden("问诊已结束，不能再查阅", code="history_closed")
    visit = await encounters.snapshot(session, row)
    assert visit.eligibility_id is not None
    return row, visit.eligibility_id
