"""Prescribing and reviewing."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from backend.edge import DOCTOR, PATIENT, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.encounter.states import RUNNING
from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.formulary import queries as formulary
from backend.outside.his import HospitalRefused
from backend.patient import queries as patients
from backend.patient.rules import age_on
from backend.patient.service import birth_date
from backend.prescription import examining, queries, reviewing, service, sheets
from backend.prescription.model import PrescriptionRow
from backend.prescription.states import PrescriptionState
from backend.prescription.wire import (
    Beside,
    CancelRequest,
    Findings,
    PrescribingForm,
    PrescriptionView,
    Proposal,
    ReturnRequest,
    WritePrescription,
    prescribing_form,
    prescription_view,
    proposal,
)
from backend.record import history
from backend.review.draft import Draft, Stated
from backend.review.engine import blocked
from backend.sheet.serving import as_download, as_file
from backend.signature import service as signatures
from foundation.errors import Conflict, NotFound, Unavailable
from foundation.web.endpoint import act, get, send


async def _view(session: AsyncSession, row: PrescriptionRow) -> PrescriptionView:
    names = await queries.taken_elsewhere(session, row)
    return prescription_view(row, await queries.last_review(session, row.id), names)


async def _visit(call: ApiCall, encounter_id: UUID) -> FollowUp:
    async with call.unit_of_work() as session:
        return await encounters.doctors_own_follow_up(session, call.actor, encounter_id)


async def check(call: ApiCall, body: WritePrescription) -> Findings:
    """What the review engine says while drugs are chosen; nothing is saved."""
    visit = await _visit(call, call.id())
    found = await examining.examine(call.app, visit, body.draft(visit.diagnoses), but=body.prescription_id)
    return Findings(found, blocked(found))


async def create(call: ApiCall, body: WritePrescription) -> PrescriptionView:
    """Save a new draft."""
    visit = await _visit(call, call.id())
    draft = body.draft(visit.diagnoses)
    found = await examining.examine(call.app, visit, draft)
    async with call.unit_of_work() as session:
        visit = await encounters.doctors_own_follow_up(session, call.actor, call.id())
        row = await service.write(
            session, call.actor, visit, None, draft, valid_days=body.valid_days, allergies=body.allergies,
            findings=found, renews=body.renews(),
        )  # fmt: skip
        return await _view(session, row)


async def change(call: ApiCall, body: WritePrescription) -> PrescriptionView:
    """Change a draft or a returned prescription."""
    async with call.unit_of_work() as session:
        row = await queries.doctors_own(session, call.actor, call.id())
        visit = await encounters.follow_up(session, row.encounter_id)
    draft = body.draft(visit.diagnoses)
    found = await examining.examine(call.app, visit, draft, but=row.id)
    async with call.unit_of_work() as session:
        row = await queries.doctors_own(session, call.actor, call.id())
        visit = await encounters.follow_up(session, row.encounter_id)
        row = await service.write(
            session, call.actor, visit, row, draft, valid_days=body.valid_days, allergies=body.allergies,
            findings=found, renews=body.renews(),
        )  # fmt: skip
        return await _view(session, row)


async def sign(call: ApiCall) -> PrescriptionView:
    """Sign; hard stops refuse here whatever the screen said before."""
    async with call.unit_of_work() as session:
        row = await queries.doctors_own(session, call.actor, call.id())
        visit = await encounters.follow_up(session, row.encounter_id)
    content = row.content
    draft = Draft(
        content.written, content.diagnoses, content.reason, content.kind, content.stated or Stated()
    )
    found = await examining.examine(call.app, visit, draft, but=row.id)
    async with call.unit_of_work() as session:
        wanted = await service.want_signature(session, call.actor, row, found)
    value = await signatures.obtain(call.app, wanted)
    async with call.unit_of_work() as session:
        row = await service.signed(session, call.actor, row, wanted, value)
        return await _view(session, row)


async def cancel(call: ApiCall, body: CancelRequest) -> PrescriptionView:
    """Withdraw a prescription that is not dispensed."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    if await service.cancel(call.session, call.actor, row, body.reason):
        await call.app.wiring.on_withdrawn[service.SUBJECT](call.session, call.app, row.id)
    return await _view(call.session, await queries.prescription(call.session, row.id))


async def show(call: ApiCall) -> PrescriptionView:
    """One prescription; a doctor who opens a returned one has seen that it came back, a pharmacist that it waits."""
    row = await queries.visible(call.session, call.actor, call.id())
    if call.actor.has(DOCTOR):
        await escalation.see(call.session, call.actor, Kind.RETURNED, row.id)
    elif call.actor.has(PHARMACIST):
        await escalation.see(call.session, call.actor, Kind.REVIEW, row.id)
    return await _view(call.session, row)


async def of_encounter(call: ApiCall) -> list[PrescriptionView]:
    """Prescriptions of a visit; patients see what is signed."""
    visit = await encounters.visible(call.session, call.actor, call.id())
    if not await patients.has_scope(call.session, call.actor, visit.person_id, "records"):
        return []
    found = await queries.of_encounter(call.session, visit.id)
    shown = [row for row in found if call.actor.kind != "account" or row.state not in ("draft", "returned")]
    return [await _view(call.session, row) for row in shown]


async def refills(call: ApiCall) -> list[Proposal]:
    """Earlier prescriptions of the patient, for the doctor of the visit while she prescribes; nothing is copied here."""
    visit = await encounters.doctors_own_follow_up(call.session, call.actor, call.id())
    if visit.state not in RUNNING:
        raise Conflict("问诊未在进行中，不能开具处方", code="encounter_not_running")
    found = await queries.earlier(call.session, visit.person_id, visit.id)
    codes = {item.drug_code for row in found for item in row.content.written}
    drugs = await formulary.by_codes(call.session, codes)
    return [proposal(row, drugs) for row in found]


async def form(call: ApiCall) -> PrescribingForm:
    """What the editor of this visit offers and asks; with what was stated on another prescription of the visit."""
    visit = await encounters.doctors_own_follow_up(call.session, call.actor, call.id())
    person = await patients.person(call.session, visit.person_id)
    age = age_on(birth_date(person), call.app.clock.today())
    rows = await queries.of_encounter(call.session, visit.id)
    last = max((one for one in rows if one.content.stated), key=lambda one: one.written_at, default=None)
    groups = await formulary.tested_groups(call.session)
    return prescribing_form(person.sex, age, groups, last, await queries.taken_elsewhere(call.session, last))


CLOSED = "问诊已结束，不能再查阅院内病历"
SILENT = "暂时看不到院内病历，请向患者核实过敏史和用药"


async def beside(call: ApiCall) -> Beside:
    """History and drugs beside the editor, as one look that is reported. A hospital that is down takes nothing else away."""
    visit = await _visit(call, call.id())
    async with call.unit_of_work() as session:
        person = await patients.person(session, visit.person_id)
    found, why_not = None, "" if visit.state in RUNNING else CLOSED
    if not why_not:
        try:
            found = await history.fetch(call.app, person)
        except NotFound as error:
            why_not = error.detail
        except (Unavailable, HospitalRefused):
            why_not = SILENT
    if found is not None:
        async with call.unit_of_work() as session:
            await history.report_view(session, call.actor, visit, found)
    known = None if found is None else history.known_in(found)
    return Beside(found, why_not, await examining.still_taking(call.app, visit, known))


async def review_queue(call: ApiCall) -> list[PrescriptionView]:
    """What waits for review, longest first."""
    return [await _view(call.session, row) for row, _ in await queries.review_queue(call.session)]


async def approve(call: ApiCall) -> PrescriptionView:
    """Approve with a signature."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
        wanted = await reviewing.want_approval(session, call.actor, row)
        doctor = await signatures.standing(session, service.SUBJECT, row.id, "prescriber")
    assert doctor is not None  # or nothing would be wanted
    await signatures.vouched(call.app, doctor)
    value = await signatures.obtain(call.app, wanted)
    async with call.unit_of_work() as session:
        row = await reviewing.approved(session, call.actor, row, wanted, value)
        if row.state is PrescriptionState.APPROVED:
            for told in call.app.wiring.on_approved:
                await told(session, call.app, row.id)
        return await _view(session, row)


async def return_to_doctor(call: ApiCall, body: ReturnRequest) -> PrescriptionView:
    """Return with a reason."""
    row = await queries.visible(call.session, call.actor, call.id())
    row = await reviewing.return_to_doctor(
        call.session,
        call.actor,
        row,
        category=body.category,
        item=body.item,
        reason=body.reason,
        point=body.point,
    )
    return await _view(call.session, row)


async def sheet(call: ApiCall) -> Response:
    """处方笺 as PDF, signed by doctor and pharmacist."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
        found = await sheets.finished(session, row)
    return await as_file(call.app.objects, found, f"{row.number}.pdf")


async def evidence(call: ApiCall) -> Response:
    """Content, signatures, time stamps and revocation lists as JSON, for the verifier."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
    return as_download(await sheets.proof(call.app, row), f"{row.number}.json")


FAMILY = Family.ONLINE_TREATMENT
VIEW = PrescriptionView
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/encounters/{id}/prescriptions/check", check, body=WritePrescription, reply=Findings,
         summary="前置审方", family=FAMILY, roles=[DOCTOR], transaction=False),
    send("POST", "/encounters/{id}/prescriptions", create, body=WritePrescription, reply=VIEW, summary="开具处方",
         family=FAMILY, roles=[DOCTOR], status=201, transaction=False),
    get("/encounters/{id}/prescriptions", of_encounter, reply=list[VIEW], summary="本次处方", family=FAMILY,
        roles=[DOCTOR, PATIENT]),
    get("/encounters/{id}/prescribing", form, reply=PrescribingForm, summary="开方选项", family=FAMILY, roles=[DOCTOR]),
    get("/encounters/{id}/beside", beside, reply=Beside, summary="开方参考：院内病历与在用药", family=FAMILY, roles=[DOCTOR],
        transaction=False),
    get("/encounters/{id}/refills", refills, reply=list[Proposal], summary="既往处方（续方参考）", family=FAMILY,
        roles=[DOCTOR], audited="prescription.refills"),
    send("PUT", "/prescriptions/{id}", change, body=WritePrescription, reply=VIEW, summary="修改处方", family=FAMILY,
         roles=[DOCTOR], transaction=False),
    get("/prescriptions/{id}", show, reply=VIEW, summary="处方", family=FAMILY, roles=[DOCTOR, PATIENT, PHARMACIST]),
    act("POST", "/prescriptions/{id}/sign", sign, reply=VIEW, summary="签署处方", family=FAMILY, roles=[DOCTOR],
        transaction=False),
    send("POST", "/prescriptions/{id}/cancel", cancel, body=CancelRequest, reply=VIEW, summary="作废处方",
         family=FAMILY, roles=[DOCTOR]),
    get("/prescriptions/{id}/sheet", sheet, summary="处方笺（PDF）", family=FAMILY, roles=[DOCTOR, PATIENT, PHARMACIST],
        transaction=False, audited="prescription.sheet"),
    get("/prescriptions/{id}/evidence", evidence, summary="处方签名证据", family=FAMILY,
        roles=[DOCTOR, PATIENT, PHARMACIST], transaction=False, audited="prescription.evidence"),
    get("/reviews", review_queue, reply=list[VIEW], summary="待审处方", family=FAMILY, roles=[PHARMACIST]),
    act("POST", "/prescriptions/{id}/approve", approve, reply=VIEW, summary="审核通过", family=FAMILY,
        roles=[PHARMACIST], transaction=False),
    send("POST", "/prescriptions/{id}/return", return_to_doctor, body=ReturnRequest, reply=VIEW, summary="退回医生",
         family=FAMILY, roles=[PHARMACIST]),
]  # fmt: skip
