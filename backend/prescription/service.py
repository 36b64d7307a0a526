"""Writing, signing, withdrawing a prescription. Reviewing is in `reviewing`, ordering in `dispensing`."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.chat.cards import PrescriptionCard
from backend.chat.service import post_card
from backend.content.service import hospital
from backend.context import Context
from backend.eligibility.service import require_standing
from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.encounter.states import RUNNING, EncounterState
from backend.escalation import service as escalation
from backend.escalation.rules import PHARMACY, Kind
from backend.formulary import queries as formulary
from backend.formulary.facts import Drug
from backend.notification.rules import PRESCRIPTION_WAITS
from backend.notification.service import tell
from backend.outside.ca import SignatureValue
from backend.patient import queries as patients
from backend.patient.rules import age_on
from backend.patient.service import birth_date
from backend.payment import queries as payments
from backend.payment.states import PaymentState
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.prescription import queries, rules
from backend.prescription.model import PrescriptionRow
from backend.prescription.signing import PrescriptionContent, Renewed, digest_of
from backend.prescription.states import SIGNED, WAITING, PrescriptionState
from backend.record import service as records
from backend.review.draft import ROUTES, TIMES_PER_DAY, Draft, Finding, Item, Severity, Stated
from backend.review.engine import REVIEW_DOWN, blocked, needs_reason
from backend.shift.service import pharmacists_on_duty
from backend.signature import service as signatures
from backend.signature.service import Wanted
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue
from foundation.ids import new_id

SUBJECT = "prescription"
EXPIRE = "prescription.expire"
SHEET = "prescription.sheet"
WRITABLE = (*RUNNING, EncounterState.COMPLETED)
"""A returned prescription may be mended after the visit has ended (practice.md 14)."""


async def write(
    session: AsyncSession, actor: Actor, visit: FollowUp, row: PrescriptionRow | None, draft: Draft,
    *, valid_days: int, allergies: str, findings: Sequence[Finding], renews: Mapping[int, UUID] | None = None,
) -> PrescriptionRow:  # fmt: skip
    """Save the draft (new when `row` is None). Every edit voids both signatures; unknown drugs are refused by name.

    `renews` says which earlier prescription a line (from 0) continues.
    """
    await lock_stream(session, visit.stream)
    await session.refresh(visit)
    if visit.state not in (RUNNING if row is None else WRITABLE):
        raise Conflict("问诊未在进行中，不能开具处方", code="encounter_not_running")
    drugs = await formulary.by_codes(session, [item.drug_code for item in draft.items])
    issues = rules.validity_issues(valid_days) + [
        Issue(f"items.{index}.drug_code", "unknown_drug", "目录中没有该药品")
        for index, item in enumerate(draft.items)
        if item.drug_code not in drugs
    ]
    origins, wrong = await _origins(session, visit, draft, renews or {})
    if issues := issues + wrong:
        raise Invalid(issues=issues)
    if row is None:
        row_id = new_id()
        number = f"RX{local(clock_of(session).now()):%Y%m%d}{row_id.hex[-10:].upper()}"
        row = PrescriptionRow(
            id=row_id, encounter_id=visit.id, stream=visit.stream, person_id=visit.person_id,
            prescriber_id=visit.practitioner_id, number=number, lookup_id=secrets.token_hex(24),
        )  # fmt: skip
    else:
        row = await lock(session, PrescriptionRow, row.id)
        if row.state is PrescriptionState.RETURNED:
            await advance(session, row, "redraft", actor)
        if row.state is not PrescriptionState.DRAFT:
            raise Conflict("处方已提交，不能修改", code="prescription_not_draft")
    row.content = await _content(
        session, visit, row, draft, drugs, valid_days=valid_days, allergies=allergies, origins=origins
    )
    row.digest, row.findings, row.written_at = digest_of(row.content), list(findings), clock_of(session).now()
    session.add(row)
    await session.flush()
    await signatures.void_all(session, SUBJECT, row.id)
    audit(session, actor, "prescription.write", "prescription", row.id)
    touch(session, row.stream)
    return row


async def _origins(
    session: AsyncSession, visit: FollowUp, draft: Draft, renews: Mapping[int, UUID]
) -> tuple[list[Renewed], list[Issue]]:
    """Where refilled lines come from, and every line that names something it cannot come from."""
    known = await queries.renewed(session, visit.person_id, visit.id, renews.values())
    found, issues = [], []
    for line, wanted in sorted(renews.items()):
        row = known.get(wanted)
        held = {item.drug_code for item in row.content.written} if row is not None else set()
        if row is None or draft.items[line].drug_code not in held:
            words = "续方来源不是该患者开过这种药的既往处方"
            issues.append(Issue(f"items.{line}.renews", "not_renewable", words))
        else:
            found.append(Renewed(line, row.id, row.number, row.digest.hex()))
    return found, issues


async def _content(
    session: AsyncSession, visit: FollowUp, row: PrescriptionRow, draft: Draft, drugs: Mapping[str, Drug],
    *, valid_days: int, allergies: str, origins: list[Renewed],
) -> PrescriptionContent:  # fmt: skip
    person = await patients.person(session, visit.person_id)
    booked = await appointments.appointment(session, visit.appointment_id)
    department = await practitioners.department(session, booked.department_code)
    doctor = await practitioners.practitioner(session, visit.practitioner_id)
    record = await records.newest(session, visit.id)
    before: PrescriptionContent | None = row.content
    stated = None if draft.stated == Stated() else draft.stated
    stated_at = clock_of(session).now() if stated else None
    if before is not None and stated == before.stated:
        stated_at = before.stated_at or stated_at
    items = [_line(item, drugs[item.drug_code]) for item in draft.items]
    return PrescriptionContent(
        prescription_id=row.id, number=row.number, hospital=(await hospital(session)).name, patient_name=person.name,
        patient_sex=person.sex, patient_age=age_on(birth_date(person), clock_of(session).today()),
        department=department.name, prescriber=doctor.name, prescriber_licence=doctor.licence_number,
        diagnoses=draft.diagnoses, items=items, written=draft.items, reason=draft.reason, allergies=allergies or "无",
        disease_history=(record.content.past_history if record and record.content else "") or "无", valid_days=valid_days,
        total=sum(item.amount for item in items), kind=draft.kind,
        stated=stated, stated_at=stated_at, renews=origins,
    )  # fmt: skip


def _line(item: Item, drug: Drug) -> events.PrescriptionItem:
    times = TIMES_PER_DAY.get(item.frequency, (Fraction(0), item.frequency))
    return events.PrescriptionItem(
        drug_code=drug.code, name=drug.generic_name, strength=drug.strength, form_code=drug.form_code,
        manufacturer=drug.manufacturer, dose=item.dose, dose_unit=drug.dose_unit, frequency_code=item.frequency,
        frequency_name=times[1], route_code=item.route, route_name=ROUTES.get(item.route, item.route), days=item.days,
        quantity=item.quantity, pack=f"{drug.pack_size}{drug.unit}/{drug.pack_unit}", pack_unit=drug.pack_unit,
        unit_price=drug.price, amount=drug.price * item.quantity, note=item.note,
    )  # fmt: skip


def refuse_findings(findings: Sequence[Finding], reason: str) -> None:
    """`Invalid` with every block; and with every needs-a-reason when no reason was written."""
    hard = [one for one in findings if one.severity is Severity.BLOCK]
    soft = [
        one
        for one in findings
        if one.severity is Severity.REASON and one.rule != REVIEW_DOWN and not reason.strip()
    ]
    if blocked(findings) or (needs_reason(findings) and soft):
        issues = [
            Issue(f"items.{one.item}" if one.item is not None else "prescription", one.rule, one.message)
            for one in (*hard, *soft)
        ]
        raise Invalid("处方未通过系统审查", code="review_blocked", issues=issues)


async def want_signature(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, findings: Sequence[Finding]
) -> Wanted:
    """First half of signing. The doctor's screen may be old: the engine's word of this moment counts.

    `row` is what the engine looked at: another content since then is refused, as is a visit that was stopped (诊疗办法 Art 16)
    and a doctor who may no longer practise.
    """
    examined = row.digest
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    row.MACHINE.find(row.state, "sign")
    if row.digest != examined:
        raise Conflict("处方刚刚被修改，请核对后重新签名", code="changed_while_signing")
    visit = await session.get_one(FollowUp, row.encounter_id, populate_existing=True)
    if visit.state not in WRITABLE:
        raise Conflict("问诊已中止，不能开具处方", code="encounter_not_running")
    booked = await appointments.appointment(session, visit.appointment_id)
    await practitioners.require_filed(session, row.prescriber_id, booked.department_code)
    if booked.eligibility_id is not None:
        await require_standing(session, booked.eligibility_id)
    refuse_findings(findings, row.content.reason)
    row.findings = list(findings)
    return await signatures.want(session, actor, SUBJECT, row.id, "prescriber", row.content)


async def signed(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, wanted: Wanted, value: SignatureValue
) -> PrescriptionRow:
    """Second half: the prescription waits for review. Pressed twice at once, the first signature stands."""
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    if row.MACHINE.already(row.state, "sign"):
        return row
    if row.digest != wanted.digest:
        raise Conflict("处方在签名期间被修改，请重新签名", code="changed_while_signing")
    await _not_twice(session, row)
    await signatures.keep(session, actor, wanted, value)
    row.signed_at = clock_of(session).now()
    row.valid_until = rules.valid_until(row.signed_at, row.content.valid_days)
    event = events.PrescriptionSigned(
        visit=await queries.visit_of(session, row), prescription=queries.snapshot(row), signed_at=row.signed_at,
        signature=value.signature,
    )  # fmt: skip
    await advance(session, row, "sign", actor, event=event)
    await intend(session, SHEET, row.id)
    await escalation.close(session, Kind.RETURNED, row.id, "signed")
    await post(session, row, "signed")
    await waits(session, row)
    touch(session, "reviews")
    return row


async def waits(session: AsyncSession, row: PrescriptionRow) -> None:
    """It lies before the pharmacists: told louder and louder when nobody looks; at once when nobody is there (practice.md 12).

    The patient is told too that it takes longer.
    """
    await escalation.close(session, Kind.REVIEW, row.id, "endorsed")
    now = clock_of(session).now()
    nobody = not await pharmacists_on_duty(session)
    begins = now if nobody else now + timedelta(minutes=policy().review_wait_minutes)
    second = row.state is PrescriptionState.CHECKING
    await escalation.raise_one(
        session, Kind.REVIEW, row.id, PHARMACY, about="处方待第二药师复核" if second else "处方待审核",
        link=f"/desk/reviews/{row.id}", begins=begins,
    )  # fmt: skip
    if nobody and not second:
        for account_id in await patients.accounts_for(session, row.person_id):
            data = {
                "thing1": "处方待药师审核",
                "time2": f"{local(now):%Y-%m-%d %H:%M}",
                "thing3": "药师不在岗，已通知值班药师",
            }
            await tell(
                session,
                account_id,
                PRESCRIPTION_WAITS,
                data,
                link=f"/prescriptions/{row.id}",
                subject_id=row.id,
            )


async def _not_twice(session: AsyncSession, row: PrescriptionRow) -> None:
    """Two drafts of one drug signed at the same moment: the engine has seen neither signed. The second is refused."""
    mine = {item.drug_code for item in row.content.written}
    for other in await queries.of_encounter(session, row.encounter_id):
        theirs = {item.drug_code for item in other.content.written}
        if other.id != row.id and other.state in SIGNED and mine & theirs:
            raise Conflict("本次就诊的另一张处方刚刚开具了同一药品", code="same_drug_signed")


async def post(session: AsyncSession, row: PrescriptionRow, stage: str) -> None:
    """The prescription's card in the conversation: how far it is, and why it takes longer (practice.md 14)."""
    visit = await encounters.follow_up(session, row.encounter_id)
    card = PrescriptionCard(row.id, row.number, len(row.content.items), stage)
    await post_card(session, visit, card, key=f"rx:{row.id.hex}:{stage}:{row.digest.hex()[:8]}")


async def cancel(session: AsyncSession, actor: Actor, row: PrescriptionRow, reason: str) -> bool:
    """Withdraw it; the caller tells whoever listens above (`wiring.on_withdrawn`): a bill is closed, money goes back."""
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    event = None
    if row.state is not PrescriptionState.DRAFT:
        event = events.PrescriptionCancelled(
            visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
            cancelled_at=clock_of(session).now(), reason=reason,
        )  # fmt: skip
    was_draft = row.state is PrescriptionState.DRAFT
    moved = await advance(session, row, "cancel", actor, event=event)
    if moved:
        await escalation.close(session, Kind.RETURNED, row.id, "withdrawn")
        await escalation.close(session, Kind.REVIEW, row.id, "withdrawn")
        if not was_draft:
            await post(session, row, "cancelled")
    return moved


async def on_stopped(session: AsyncSession, context: Context, encounter_id: UUID) -> None:
    """The visit was stopped (诊疗办法 Art 16): what was prescribed in it and not yet paid is withdrawn."""
    for row in await queries.of_encounter(session, encounter_id):
        payment = await payments.of_subject(session, SUBJECT, row.id)
        paid = payment is not None and payment.state is PaymentState.CONFIRMED
        open_still = row.state in (
            PrescriptionState.DRAFT, *WAITING, PrescriptionState.RETURNED, PrescriptionState.APPROVED,
        )  # fmt: skip
        if open_still and not paid and await cancel(session, SYSTEM, row, "问诊已中止，转线下就诊"):
            await context.wiring.on_withdrawn[SUBJECT](session, context, row.id)


async def expires(session: AsyncSession, row: PrescriptionRow) -> None:
    """Set the deadline of an approved prescription."""
    assert row.valid_until is not None
    await intend(session, EXPIRE, row.id, due=row.valid_until)
