"""History, record, the end of a visit."""

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from backend.diagnosis.codes import search
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries
from backend.encounter.states import RUNNING, EncounterState
from backend.hospital_hint import service as hints
from backend.patient import queries as patients
from backend.record import history, service, sheets
from backend.record.contents import content_of
from backend.record.model import MedicalRecord
from backend.record.phrases import RecordTemplate, fitting
from backend.record.wire import RecordView, WriteRecord, record_view
from backend.sheet.serving import as_download, as_file
from backend.signature import service as signatures
from contracts import his
from contracts.events import Diagnosis
from foundation.errors import Forbidden, NotFound
from foundation.web.endpoint import act, get, send


class CodeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a code or a name."""

    q: str = ""


class Finished(msgspec.Struct, frozen=True):
    """The state after finishing."""

    state: str


class HospitalNews(msgspec.Struct, frozen=True):
    """When the newest result came that was not looked at yet; None without any."""

    newest: datetime | None


async def show_history(call: ApiCall) -> his.HistoryReply:
    """The hospital's records of this patient: for the doctor of the visit, from assignment until the record is signed."""
    async with call.unit_of_work() as session:
        row = await queries.doctors_own_follow_up(session, call.actor, call.id())
        if row.state not in (EncounterState.PLANNED, *RUNNING):
            raise Forbidden("问诊已结束，不能再查阅", code="history_closed")
        person = await patients.person(session, row.person_id)
    reply = await history.fetch(call.app, person)
    async with call.unit_of_work() as session:
        await history.report_view(session, call.actor, row, reply)
    return reply


async def show_news(call: ApiCall) -> HospitalNews:
    """Whether the hospital has had results since the doctor last looked: that, and nothing of them."""
    row = await queries.doctors_own_follow_up(call.session, call.actor, call.id())
    return HospitalNews(await hints.news(call.session, row.person_id))


async def write(call: ApiCall, body: WriteRecord) -> RecordView:
    """Save the draft."""
    row = await queries.doctors_own_follow_up(call.session, call.actor, call.id())
    record = await service.write(call.session, call.actor, row, msgspec.structs.asdict(body))
    return record_view(record, record.written)


async def show(call: ApiCall) -> RecordView:
    """The record: the doctor sees the draft, the patient what is signed."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
        find = service.newest_signed if call.actor.kind == "account" else service.newest
        record = await find(session, row.id)
        if record is None or not await patients.has_scope(session, call.actor, row.person_id, "records"):
            raise NotFound("病历尚未书写", code="no_record")
    return record_view(record, await content_of(call.app, record))


async def _signed(session: AsyncSession, call: ApiCall) -> MedicalRecord:
    """The newest signed version, for those who may see records."""
    row = await queries.visible(session, call.actor, call.id())
    record = await service.newest_signed(session, row.id)
    if record is None or not await patients.has_scope(session, call.actor, row.person_id, "records"):
        raise NotFound("病历尚未书写", code="no_record")
    return record


async def sheet(call: ApiCall) -> Response:
    """The signed record as PDF."""
    async with call.unit_of_work() as session:
        record = await _signed(session, call)
        found = await sheets.finished(session, record)
    return await as_file(call.app.objects, found, f"record-{record.id}.pdf")


async def evidence(call: ApiCall) -> Response:
    """Content, signature, time stamp and revocation lists as JSON, for the verifier."""
    async with call.unit_of_work() as session:
        record = await _signed(session, call)
    return as_download(await sheets.proof(call.app, record), f"record-{record.id}.json")


async def sign(call: ApiCall) -> RecordView:
    """Sign the draft with the CA."""
    async with call.unit_of_work() as session:
        row = await queries.doctors_own_follow_up(session, call.actor, call.id())
        record, wanted = await service.want_signature(session, call.actor, row)
    value = await signatures.obtain(call.app, wanted)
    async with call.unit_of_work() as session:
        row = await queries.doctors_own_follow_up(session, call.actor, call.id())
        record = await service.signed(session, call.actor, row, record.id, wanted, value)
        return record_view(record, record.written)


async def finish(call: ApiCall) -> Finished:
    """End the visit."""
    row = await queries.doctors_own_follow_up(call.session, call.actor, call.id())
    await service.finish(call.session, call.actor, row)
    return Finished((await queries.encounter(call.session, row.id)).state)


async def record_templates(call: ApiCall) -> list[RecordTemplate]:
    """Words to begin with, those for the visit's diagnoses first; they hold no drugs."""
    row = await queries.doctors_own_follow_up(call.session, call.actor, call.id())
    return fitting(one.code for one in row.diagnoses)


async def diagnosis_codes(call: ApiCall) -> list[Diagnosis]:
    """Search the code list."""
    return search(call.query.q)


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/encounters/{id}/hospital-news", show_news, reply=HospitalNews, summary="院内新结果", family=FAMILY,
        roles=[DOCTOR]),
    get("/encounters/{id}/history", show_history, reply=his.HistoryReply, summary="院内病历", family=FAMILY,
        roles=[DOCTOR], transaction=False),
    send("PUT", "/encounters/{id}/record", write, body=WriteRecord, reply=RecordView, summary="书写病历",
         family=FAMILY, roles=[DOCTOR]),
    get("/encounters/{id}/record", show, reply=RecordView, summary="病历", family=FAMILY, roles=[DOCTOR, PATIENT],
        transaction=False),
    get("/encounters/{id}/record/sheet", sheet, summary="病历（PDF）", family=FAMILY, roles=[DOCTOR, PATIENT],
        transaction=False, audited="record.sheet"),
    get("/encounters/{id}/record/evidence", evidence, summary="病历签名证据", family=FAMILY, roles=[DOCTOR, PATIENT],
        transaction=False, audited="record.evidence"),
    act("POST", "/encounters/{id}/record/sign", sign, reply=RecordView, summary="签署病历", family=FAMILY,
        roles=[DOCTOR], transaction=False),
    get("/encounters/{id}/record-templates", record_templates, reply=list[RecordTemplate], summary="病历模板",
        family=FAMILY, roles=[DOCTOR]),
    act("POST", "/encounters/{id}/finish", finish, reply=Finished, summary="结束问诊", family=FAMILY, roles=[DOCTOR]),
    get("/diagnosis-codes", diagnosis_codes, reply=list[Diagnosis], query=CodeQuery, summary="诊断编码",
        family=FAMILY, roles=[DOCTOR]),
]  # fmt: skip
