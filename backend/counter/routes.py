"""The counter's verbs, each with a case; and paying somebody else's bill by a code."""

from uuid import UUID

from backend.counter import queries, service
from backend.counter.model import CounterCase
from backend.counter.views import assisted_view, case_view
from backend.counter.wire import (
    AskAtCounter,
    AssistedView,
    BookAtCounter,
    CaseView,
    OpenCase,
    PaperConsent,
    PayCodeView,
    TakenBill,
)
from backend.edge import CLERK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.eligibility import asking
from backend.eligibility.wire import DecisionView, KnownDiagnosis
from backend.fairness.draw import is_drawn
from backend.patient import queries as patients
from backend.patient import service as registry
from backend.patient.model import Person
from backend.payment.states import PaymentState
from backend.rates import admit
from foundation.errors import Unauthenticated, invalid
from foundation.masking import mask_name
from foundation.web.endpoint import act, get, send


async def open_case(call: ApiCall, body: OpenCase) -> CaseView:
    """Ask the real-name service about the card on the counter, and begin to help."""
    staff_id = call.actor.id
    if staff_id is None:
        raise Unauthenticated
    service.check(body.authority, body.callback_phone, body.proxy_name)
    async with call.unit_of_work() as session:
        asked, parsed = await registry.ask_identity_for(session, staff_id, body.name, body.id_number)
        asked_id: UUID = asked.id
    answer = await call.app.identity.verify(asked_id, body.name.strip(), parsed.number)
    async with call.unit_of_work() as session:
        await registry.record_identity(session, asked_id, answer)
    registry.require_match(answer)
    async with call.unit_of_work() as session:
        person = await registry.enter(session, parsed, name=body.name, phone=body.phone, answer=answer)
        row = await service.open_case(
            session, call.actor, person, authority=body.authority, callback_phone=body.callback_phone,
            proxy_name=body.proxy_name, note=body.note,
        )  # fmt: skip
        return await case_view(session, row)


async def list_cases(call: ApiCall) -> list[CaseView]:
    """The newest cases."""
    return [await case_view(call.session, row) for row, _ in await queries.cases(call.session)]


async def show_case(call: ApiCall) -> CaseView:
    """One case."""
    return await case_view(call.session, await queries.case(call.session, call.id()))


async def consent(call: ApiCall, body: PaperConsent) -> CaseView:
    """She signed on paper, before me."""
    if not body.signed:
        raise invalid("signed", "not_signed", "请先由本人（或监护人）在纸质知情同意书上签名")
    row = await queries.case(call.session, call.id())
    kind = patients.INFORMED_CONSENT
    await registry.paper_consent(
        call.session, call.actor, row.person_id, kind, body.version, body.content_hash
    )
    return await case_view(call.session, row)


async def diagnoses(call: ApiCall) -> list[KnownDiagnosis]:
    """What the hospital diagnosed, through the gateway."""
    _, person = await _whom(call)
    return await asking.known_diagnoses(call.app, person)


async def ask(call: ApiCall, body: AskAtCounter) -> DecisionView:
    """May she be seen again for this diagnosis? As on her own phone."""
    _, person = await _whom(call)
    return await asking.ask(call.app, call.actor, person, body.diagnosis_code)


async def _whom(call: ApiCall) -> tuple[CounterCase, Person]:
    async with call.unit_of_work() as session:
        row = await queries.case(session, call.id())
        return row, await patients.person(session, row.person_id)


async def book(call: ApiCall, body: BookAtCounter) -> AssistedView:
    """Hold a place for her and make the code that pays for it."""
    drawn = await is_drawn(call.app, body.slot_id)
    case = await queries.case(call.session, call.id())
    row = await service.book(
        call.session, call.actor, case, slot_id=body.slot_id, eligibility_id=body.eligibility_id,
        complaint=body.complaint, mode=body.mode, drawn=drawn,
    )  # fmt: skip
    return await assisted_view(call.session, row, call.app.settings.front_url)


async def list_booked(call: ApiCall) -> list[AssistedView]:
    """What was booked in a case."""
    case = await queries.case(call.session, call.id())
    rows = await queries.booked_in(call.session, case.id)
    return [await assisted_view(call.session, row, call.app.settings.front_url) for row in rows]


async def renew_code(call: ApiCall) -> AssistedView:
    """Another code for the bill; the old one is worth nothing."""
    row = await queries.of_case(call.session, call.id(), call.id("appointment_id"))
    await service.make_pay_code(call.session, call.actor, row)
    return await assisted_view(call.session, row, call.app.settings.front_url)


async def check_in(call: ApiCall) -> AssistedView:
    """She is here and waits."""
    row = await queries.of_case(call.session, call.id(), call.id("appointment_id"))
    await service.check_in(call.session, call.actor, row)
    return await assisted_view(call.session, row, call.app.settings.front_url)


async def cancel(call: ApiCall) -> AssistedView:
    """She gives the place back."""
    case = await queries.case(call.session, call.id())
    row = await queries.of_case(call.session, case.id, call.id("appointment_id"))
    await service.cancel(call.session, call.actor, case, row)
    return await assisted_view(call.session, row, call.app.settings.front_url)


async def show_code(call: ApiCall) -> PayCodeView:
    """Whose visit a code pays, and how much."""
    await admit(call, "pay_code")
    coded = await queries.by_code(call.session, call.request.path_params["code"])
    payment = coded.payment
    is_open = (
        payment.state in (PaymentState.CREATED, PaymentState.PENDING)
        and call.clock.now() < payment.expires_at
    )
    return PayCodeView(
        mask_name(coded.person.name), payment.description, payment.amount, is_open, payment.expires_at
    )


async def take_bill(call: ApiCall) -> TakenBill:
    """This account pays."""
    await admit(call, "pay_code")
    payment = await service.take_bill(call.session, call.actor, call.request.path_params["code"])
    return TakenBill(payment.id)


FAMILY = Family.PERSONAL_VISIT
BOOKED = "/counter/cases/{id}/appointments/{appointment_id}"
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/counter/cases", open_case, body=OpenCase, reply=CaseView, summary="窗口代办：核对身份", family=FAMILY,
         roles=[CLERK], status=201, transaction=False, audited="counter.open"),
    get("/counter/cases", list_cases, reply=list[CaseView], summary="窗口代办记录", family=FAMILY, roles=[CLERK]),
    get("/counter/cases/{id}", show_case, reply=CaseView, summary="窗口代办", family=FAMILY, roles=[CLERK],
        audited="counter.view"),
    send("POST", "/counter/cases/{id}/consent", consent, body=PaperConsent, reply=CaseView,
         summary="登记纸质知情同意书", family=FAMILY, roles=[CLERK], status=201),
    get("/counter/cases/{id}/diagnoses", diagnoses, reply=list[KnownDiagnosis], summary="本院诊断（窗口）",
        family=FAMILY, roles=[CLERK], transaction=False, audited="counter.diagnoses"),
    send("POST", "/counter/cases/{id}/eligibility", ask, body=AskAtCounter, reply=DecisionView,
         summary="复诊资格核对（窗口）", family=FAMILY, roles=[CLERK], status=201, transaction=False,
         audited="eligibility.decide"),
    send("POST", "/counter/cases/{id}/appointments", book, body=BookAtCounter, reply=AssistedView,
         summary="窗口预约", family=FAMILY, roles=[CLERK], status=201, audited="counter.book"),
    get("/counter/cases/{id}/appointments", list_booked, reply=list[AssistedView], summary="窗口预约列表",
        family=FAMILY, roles=[CLERK]),
    act("POST", BOOKED + "/pay-code", renew_code, reply=AssistedView, summary="更换缴费码", family=FAMILY,
        roles=[CLERK]),
    act("POST", BOOKED + "/check-in", check_in, reply=AssistedView, summary="窗口候诊登记", family=FAMILY,
        roles=[CLERK]),
    act("POST", BOOKED + "/cancel", cancel, reply=AssistedView, summary="窗口取消预约", family=FAMILY, roles=[CLERK]),
    get("/pay-codes/{code}", show_code, reply=PayCodeView, summary="缴费码", family=FAMILY, roles=[PATIENT]),
    act("POST", "/pay-codes/{code}/take", take_bill, reply=TakenBill, summary="用缴费码代为缴费", family=FAMILY,
        roles=[PATIENT]),
]  # fmt: skip
