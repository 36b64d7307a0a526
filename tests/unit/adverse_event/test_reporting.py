"""A report is kept and goes into the outbox together; what comes later is another report; the quality department settles it."""

from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.adverse_event import queries, service
from backend.adverse_event.model import AdverseEvent
from backend.adverse_event.rules import Told, Whom
from backend.alarm.service import open_alarm
from backend.context import Context
from backend.encounter.model import Encounter
from contracts.events import AdverseEventReported
from foundation.db.audit import AuditEvent
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tests.builders.visits import a_patient, accepted
from tests.small_world import CLERK, DOCTOR, DUTY_DESK, PHARMACIST, QUALITY, SECOND_DOCTOR, Member
from tests.unit.adverse_event.test_rules import GOOD

pytestmark = pytest.mark.anyio
SOMEBODY = Whom("", "龚一", "19900000005")
JUDGED = {"kind": "drug", "grade": "2", "note": "核实属实，已要求科室整改"}


@pytest.fixture
async def visit(session: AsyncSession, context: Context) -> Encounter:
    return await accepted(session, context, await a_patient(session))


def told(**changes: str) -> Told:
    return Told(**GOOD | {"happened_at": "2026-01-02T09:00"} | changes)


async def reported(
    session: AsyncSession,
    member: Member = CLERK,
    whom: Whom = SOMEBODY,
    form_id: UUID | None = None,
    **changes: str,
) -> AdverseEvent:
    return await service.report(
        session, member.actor, kind="drug", whom=whom, told=told(**changes), form_id=form_id
    )


async def sent(session: AsyncSession, row: AdverseEvent) -> list[AdverseEventReported]:
    query = select(OutboxEvent).where(OutboxEvent.stream == row.stream).order_by(OutboxEvent.sequence)
    found = (await session.scalars(query)).all()
    assert {one.type for one in found} == {"adverse_event.reported"}
    return [msgspec.convert(one.payload, AdverseEventReported) for one in found]


async def lines(session: AsyncSession, row: AdverseEvent) -> list[str]:
    query = select(AuditEvent.action).where(AuditEvent.subject_id == str(row.id)).order_by(AuditEvent.id)
    return list(await session.scalars(query))


@pytest.mark.parametrize("by", ["encounter", "appointment"])
async def test_a_doctor_reports_about_her_visit_and_the_city_hears_it_the_same_moment(
    session: AsyncSession, visit: Encounter, by: str
) -> None:
    number = visit.id if by == "encounter" else visit.appointment_id

    row = await reported(session, DOCTOR, Whom(f" {number} ", "", ""))

    [event] = await sent(session, row)
    assert event.visit is not None
    assert (event.event_number, event.visit.appointment_id, event.person.name) == (
        row.number, visit.appointment_id, row.patient_name,
    )  # fmt: skip
    assert (event.reported_by.name, event.department.name, event.damage_degree) == (
        DOCTOR.name,
        "老年科",
        "轻度",
    )
    assert (row.state, event.reported_at) == ("reported", row.reported_at)
    assert "adverse_event.report" in await lines(session, row)


@pytest.mark.parametrize(
    ("member", "office"),
    [(PHARMACIST, "药剂科"), (CLERK, "客户服务部"), (QUALITY, "质控科")],
    ids=lambda one: str(one)[:20],
)
async def test_without_a_visit_name_and_telephone_are_told(
    session: AsyncSession, context: Context, member: Member, office: str
) -> None:
    row = await reported(session, member)

    [event] = await sent(session, row)
    assert event.visit is None
    assert (event.person.name, event.person.phone, event.person.id_number) == ("龚一", "19900000005", "")
    assert (event.reported_by.name, event.department.name) == (member.name, office)


async def test_every_issue_is_named_at_once_also_what_only_the_database_knows(
    session: AsyncSession, context: Context
) -> None:
    with pytest.raises(Invalid) as refused:
        await service.report(
            session, CLERK.actor, kind="", whom=Whom(str(uuid4()), "", ""), told=Told("", "", "", "", "", "")
        )

    assert [issue.field for issue in refused.value.issues] == [
        "kind", "visit_number", "happened_at", "damage", "description", "cause", "measures", "improvements",
    ]  # fmt: skip


async def test_a_doctor_cannot_report_about_a_visit_of_another_doctor(
    session: AsyncSession, visit: Encounter
) -> None:
    with pytest.raises(Invalid) as refused:
        await reported(session, SECOND_DOCTOR, Whom(str(visit.id), "", ""))

    assert [issue.code for issue in refused.value.issues] == ["unknown_visit"]


async def test_who_has_no_part_in_it_reports_nothing(session: AsyncSession, context: Context) -> None:
    with pytest.raises(Forbidden):
        await reported(session, DUTY_DESK)


async def test_the_same_form_sent_twice_is_one_report(session: AsyncSession, context: Context) -> None:
    form = uuid4()

    first, again = [await reported(session, form_id=form) for _ in range(2)]

    assert first.id == again.id == form
    assert len(await sent(session, first)) == 1
    with pytest.raises(Conflict):
        await reported(session, PHARMACIST, form_id=form)


async def test_the_quality_department_sees_all_and_others_their_own(
    session: AsyncSession, context: Context
) -> None:
    mine, other = await reported(session, CLERK), await reported(session, PHARMACIST)

    async def seen(member: Member) -> set[UUID]:
        return {row.id for row in await queries.listed(session, member.actor)} & {mine.id, other.id}

    assert (await seen(CLERK), await seen(PHARMACIST), await seen(DOCTOR)) == ({mine.id}, {other.id}, set())
    assert await seen(QUALITY) == {mine.id, other.id}
    for member in (PHARMACIST, DOCTOR):
        with pytest.raises(NotFound):
            await queries.visible(session, member.actor, mine.id)
        with pytest.raises(NotFound):
            await service.supplement(session, member.actor, mine.id, told(), 1)


async def test_grave_harm_rings_until_the_quality_department_accepts(
    session: AsyncSession, context: Context
) -> None:
    mild = await reported(session)
    grave = await reported(session, damage="death")

    bell = await open_alarm(session, service.ALARM, grave.id)
    assert bell is not None
    assert (bell.link, "龚" in bell.detail) == (f"/desk/adverse-events/{grave.id}", False)
    assert await open_alarm(session, service.ALARM, mild.id) is None
    await service.accept(session, QUALITY.actor, grave.id, **JUDGED, seen=1)
    assert await open_alarm(session, service.ALARM, grave.id) is None


async def test_a_supplement_is_a_report_of_its_own_that_names_the_first(
    session: AsyncSession, context: Context
) -> None:
    row = await reported(session)
    await service.accept(session, QUALITY.actor, row.id, **JUDGED, seen=1)

    await service.supplement(
        session, CLERK.actor, row.id, told(damage="severe", description="转入重症监护"), 1
    )

    first, second = await sent(session, row)
    assert (first.event_number, second.event_number) == (row.number, f"{row.number}-2")
    assert second.description == f"【对不良事件 {row.number} 的补充报告】转入重症监护"
    assert (first.damage_degree, second.damage_degree) == ("轻度", "重度")
    assert (row.state, row.reports, row.urgent) == ("supplemented", 2, True)
    assert [one.description for one in await queries.reports(session, row.id)] == [
        GOOD["description"],
        "转入重症监护",
    ]
    assert await open_alarm(session, service.ALARM, row.id) is not None


async def test_a_supplement_sent_twice_is_one_and_another_one_must_see_the_first(
    session: AsyncSession, context: Context
) -> None:
    row = await reported(session)
    more = told(description="皮疹加重，已转院")
    for _ in range(2):
        await service.supplement(session, CLERK.actor, row.id, more, 1)

    with pytest.raises(Conflict):
        await service.supplement(session, QUALITY.actor, row.id, told(description="完全不同的补充"), 1)
    assert len(await sent(session, row)) == 2


async def test_the_quality_department_decides_on_what_it_has_seen(
    session: AsyncSession, context: Context
) -> None:
    row = await reported(session)
    await service.supplement(session, CLERK.actor, row.id, told(damage="death"), 1)

    with pytest.raises(Conflict):
        await service.accept(session, QUALITY.actor, row.id, **JUDGED, seen=1)
    assert await open_alarm(session, service.ALARM, row.id) is not None


async def test_only_the_quality_department_accepts_and_closes(
    session: AsyncSession, context: Context
) -> None:
    row = await reported(session)
    with pytest.raises(Forbidden):
        await service.accept(session, CLERK.actor, row.id, **JUDGED, seen=1)
    await service.accept(session, QUALITY.actor, row.id, **JUDGED, seen=1)
    with pytest.raises(Forbidden):
        await service.close(session, CLERK.actor, row.id, note="已整改完毕", seen=1)

    await service.close(session, QUALITY.actor, row.id, note="已整改完毕", seen=1)

    assert (row.state, row.result, row.closed_name) == ("closed", "已整改完毕", QUALITY.name)
    assert len(await sent(session, row)) == 1


async def test_what_was_closed_opens_again_when_more_becomes_known(
    session: AsyncSession, context: Context
) -> None:
    row = await reported(session)
    await service.accept(session, QUALITY.actor, row.id, **JUDGED, seen=1)
    await service.close(session, QUALITY.actor, row.id, note="已整改完毕", seen=1)

    await service.supplement(session, CLERK.actor, row.id, told(damage="death"), 1)

    assert (row.state, row.urgent) == ("supplemented", True)
