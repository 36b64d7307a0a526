"""Papers: uploaded by the patient's side, decided on, looked at by the doctor of the visit."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response, StreamingResponse

from backend.chat.rules import FILE_LIMIT
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.eligibility import asking
from backend.eligibility.explaining import explain
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.service import decision_of
from backend.eligibility.wire import DecisionView
from backend.papers import service
from backend.papers.model import PatientPaper
from backend.papers.wire import AskWithPapers, BasisView, PaperQuery, PaperView, SizeQuery, paper_view
from backend.patient import queries as patients
from backend.patient.service import verified_person
from backend.rates import admit
from backend.shift.service import require_running
from foundation.db.audit import audit
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send
from foundation.web.parsing import decode_query, read_body

SHOWN = {
    "cache-control": "private, no-store",
    "content-disposition": "inline",
    "x-content-type-options": "nosniff",
}


async def upload(call: ApiCall) -> PaperView:
    """A picture of a paper as the raw body; `kind` and `dated` in the address."""
    await admit(call, "papers", call.id())
    wanted = decode_query(call.request.query_params, PaperQuery)
    media_type = call.request.headers.get("content-type", "").split(";")[0].strip()
    async with call.unit_of_work() as session:
        await patients.require_scope(session, call.actor, call.id(), "book")
    data = await read_body(call.request, FILE_LIMIT)
    return paper_view(
        await service.take(call.app, call.actor, call.id(), wanted.kind, wanted.dated, media_type, data)
    )


async def list_papers(call: ApiCall) -> list[PaperView]:
    """Those that wait to be used."""
    await patients.require_scope(call.session, call.actor, call.id(), "book")
    return [paper_view(one) for one in await service.mine(call.session, call.actor, call.id())]


async def remove(call: ApiCall) -> None:
    """She takes one back."""
    await service.remove(call.app, call.actor, call.id())


async def show(call: ApiCall) -> Response:
    """The picture, for the patient's side."""
    async with call.unit_of_work() as session:
        row = await service.own(session, call.actor, call.id())
    return _picture(call, row)


def _picture(call: ApiCall, row: PatientPaper) -> Response:
    key = row.small_key if call.query.size == "small" and row.small_key else row.object_key
    return StreamingResponse(call.app.objects.read(key), media_type=row.media_type, headers=SHOWN)


async def ask(call: ApiCall, body: AskWithPapers) -> DecisionView:
    """As without papers; what would be refused for want of a record becomes the doctor's matter. The hospital is asked first."""
    await admit(call, "eligibility", body.person_id)
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, body.person_id)
        await asking.require_may_ask(session, call.actor, person.id, body.diagnosis_code, call.clock.today())
        papers = await service.chosen(session, call.actor, person.id, body.paper_ids)
        facts = service.facts(papers)

    async def also(session: AsyncSession, row: EligibilityDecision) -> None:
        await service.take_up(session, row, list(dict.fromkeys(body.paper_ids)))

    return await asking.ask(call.app, call.actor, person, body.diagnosis_code, facts, also)


async def basis(call: ApiCall) -> BasisView:
    """Why she may be seen, or why the doctor has to decide: before accepting."""
    await require_running(call.session, call.actor)
    _, decision_id = await service.doctors(call.session, call.actor, call.id())
    row = await decision_of(call.session, decision_id)
    papers = await service.of_decision(call.session, decision_id)
    return BasisView(
        decision_id=row.id, outcome=row.outcome, reason=row.reason, level=row.level, rule_version=row.rule_version,
        evidence_day=row.evidence_day, evidence_code=row.evidence_code, steps=list(explain(row).steps),
        papers=[paper_view(one) for one in papers],
    )  # fmt: skip


async def show_to_doctor(call: ApiCall) -> Response:
    """The picture, for the doctor whose visit rests on it; each look is written down."""
    async with call.unit_of_work() as session:
        await require_running(session, call.actor)
        visit, decision_id = await service.doctors(session, call.actor, call.id())
        row = await session.get(PatientPaper, call.id("paper_id"))
        if row is None or row.decision_id != decision_id:
            raise NotFound("没有找到该材料", code="paper_not_found")
        audit(session, call.actor, "papers.view", "encounter", visit.id, detail={"paper": str(row.id)})
    return _picture(call, row)


FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/persons/{id}/papers", upload, reply=PaperView, summary="上传出院小结或门诊病历", family=FAMILY,
        roles=[PATIENT], status=201, transaction=False, limit=FILE_LIMIT),
    get("/persons/{id}/papers", list_papers, reply=list[PaperView], summary="待使用的材料", family=FAMILY, roles=[PATIENT]),
    act("DELETE", "/papers/{id}", remove, summary="删除材料", family=FAMILY, roles=[PATIENT], transaction=False),
    get("/papers/{id}", show, summary="查看材料", family=FAMILY, roles=[PATIENT], query=SizeQuery, transaction=False),
    send("POST", "/eligibility/with-papers", ask, body=AskWithPapers, reply=DecisionView,
         summary="凭材料核对复诊资格", family=FAMILY, roles=[PATIENT], status=201, transaction=False,
         audited="eligibility.decide"),
    get("/encounters/{id}/basis", basis, reply=BasisView, summary="复诊资格判定的依据（接诊前）",
        family=Family.ONLINE_TREATMENT, roles=[DOCTOR]),
    get("/encounters/{id}/papers/{paper_id}", show_to_doctor, summary="患者上传的材料", family=Family.ONLINE_TREATMENT,
        roles=[DOCTOR], query=SizeQuery, transaction=False),
]  # fmt: skip
