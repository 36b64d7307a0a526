"""The pharmacy's bench: trace codes of every pack, and the word that the order is prepared (调配)."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispensing import queries, rules
from backend.dispensing.model import Dispense, TraceCode
from backend.dispensing.states import DispenseState
from backend.notification.rules import PICK_UP
from backend.notification.service import tell
from backend.patient import queries as patients
from backend.policy import policy
from backend.prescription import queries as prescriptions
from backend.prescription.model import PrescriptionRow
from backend.shift.service import require as require_shift
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue
from foundation.ids import new_id


async def record_codes(
    session: AsyncSession, actor: Actor, dispense: Dispense, line: int, codes: Sequence[str]
) -> list[TraceCode]:
    """The codes of one line (from 0), instead of those recorded before. A code belongs to one pack, and a pack to one order."""
    dispense = await _open(session, actor, dispense)
    row = await prescriptions.prescription(session, dispense.prescription_id)
    if line >= len(row.content.items):
        raise Invalid(issues=[Issue("line", "no_such_line", "处方没有这一行")])
    item = row.content.items[line]
    if issues := rules.code_issues(codes, item.quantity):
        raise Invalid(issues[0].message, issues=issues)
    await session.execute(
        delete(TraceCode).where(TraceCode.dispense_id == dispense.id, TraceCode.line == line)
    )
    now = clock_of(session).now()
    for code in sorted(codes):
        statement = insert(TraceCode).values(
            id=new_id(), hospital_id=hospital_id(), dispense_id=dispense.id, line=line, drug_code=item.drug_code,
            code=code, void=False, recorded_by=actor.id, recorded_at=now,
        )  # fmt: skip
        made = statement.on_conflict_do_nothing(index_elements=["code"], index_where=~TraceCode.void)
        if await session.scalar(made.returning(TraceCode.id)) is None:
            raise Conflict(f"追溯码 {code} 已用于另一份药品，请核对实物", code="trace_code_used")
    audit(session, actor, "dispense.trace_codes", "dispense", dispense.id, detail={"line": str(line)})
    touch(session, "pharmacy")
    return [one for one in await queries.trace_codes(session, dispense.id) if one.line == line]


async def prepare(
    session: AsyncSession, actor: Actor, dispense: Dispense, no_code_reason: str = "", *, retail_ban: bool
) -> Dispense:
    """Picked and packed: every pack has its code, or it is written why not. Who picks up is told."""
    dispense = await _open(session, actor, dispense)
    row = await prescriptions.prescription(session, dispense.prescription_id)
    await require_may_leave(session, row, dispense.method, retail_ban=retail_ban)
    recorded = Counter(one.line for one in await queries.trace_codes(session, dispense.id))
    packs = [item.quantity for item in row.content.items]
    issues = rules.prepared_issues(packs, recorded, no_code_reason, required=policy().trace_codes)
    if issues:
        raise Invalid(issues[0].message, issues=issues, code="codes_missing")
    first = dispense.prepared_at is None
    await advance(
        session, dispense, "prepare", actor, prepared_by=actor.id, prepared_at=clock_of(session).now(),
        no_code_reason=no_code_reason or None,
    )  # fmt: skip
    if first and dispense.method == "pickup":
        until = f"{local(row.valid_until):%Y-%m-%d %H:%M}" if row.valid_until else ""
        data = {"thing1": "药品已备好", "time2": until, "thing3": "请凭取药码到药房领取"}
        for account_id in await patients.accounts_for(session, dispense.person_id):
            link = f"/prescriptions/{dispense.prescription_id}"
            await tell(session, account_id, PICK_UP, data, link=link, subject_id=dispense.id)
    touch(session, "pharmacy", dispense.stream)
    return dispense


async def require_may_leave(
    session: AsyncSession, row: PrescriptionRow, method: str, *, retail_ban: bool
) -> None:
    """`Invalid` naming what may not go this way; the pharmacist then declines the order, and the money goes back."""
    issues = await queries.leaving_issues(session, row, method, retail_ban=retail_ban)
    if issues:
        raise Invalid("；".join(one.message for one in issues), issues=issues, code="may_not_leave")


async def free_codes(session: AsyncSession, dispense: Dispense) -> None:
    """The order ended before the packs left: they may be put into another one."""
    await session.execute(
        update(TraceCode)
        .where(TraceCode.dispense_id == dispense.id, TraceCode.void.is_(False))
        .values(void=True)
    )


async def code_belongs_to(session: AsyncSession, code: str) -> TraceCode | None:
    """Which order a pack went to: a recall asks."""
    return await session.scalar(select(TraceCode).where(TraceCode.code == code, TraceCode.void.is_(False)))


async def _open(session: AsyncSession, actor: Actor, dispense: Dispense) -> Dispense:
    """Locked, paid, still at the bench, by a pharmacist on shift."""
    await lock_stream(session, dispense.stream)
    await require_shift(session, actor)
    dispense = await lock(session, Dispense, dispense.id)
    if dispense.state is not DispenseState.PREPARATION:
        raise Conflict("该订单已不在配药", code="not_in_preparation")
    if dispense.paid_at is None:
        raise Conflict("药费尚未支付，不能发药", code="not_paid")
    return dispense
