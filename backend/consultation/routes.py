"""Health consultations: asking as the patient, answering as the doctor. What lies between is the room of any visit."""

from backend.appointment import queries as appointments
from backend.appointment import service as booking
from backend.consultation import service
from backend.consultation.wire import Answer, AskedView, AskRequest, Finished
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries
from backend.encounter.model import Consultation
from backend.fairness.draw import require_no_draw
from backend.payment import queries as payments
from backend.rates import admit
from foundation.errors import NotFound
from foundation.web.endpoint import send


async def ask(call: ApiCall, body: AskRequest) -> AskedView:
    """Hold a place for a question and open its bill; free ones are booked at once."""
    await require_no_draw(call.app, body.slot_id)
    await admit(call, "book", body.person_id)
    row = await service.ask(
        call.session, call.actor, person_id=body.person_id, slot_id=body.slot_id, question=body.question.strip(),
        mode=body.mode,
    )  # fmt: skip
    payment = await payments.of_subject(call.session, booking.SUBJECT, row.id)
    state = (await appointments.appointment(call.session, row.id)).state
    return AskedView(row.id, state, payment.id if payment else None)


async def finish(call: ApiCall, body: Answer) -> Finished:
    """End the consultation with its answer."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    if not isinstance(row, Consultation):
        raise NotFound("没有找到该次咨询", code="consultation_not_found")
    await service.finish(call.session, call.actor, row, body.answer.strip())
    return Finished((await queries.encounter(call.session, row.id)).state)


FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/consultations", ask, body=AskRequest, reply=AskedView, summary="健康咨询预约", family=FAMILY,
         roles=[PATIENT], status=201, audited="consultation.ask"),
    send("POST", "/encounters/{id}/answer", finish, body=Answer, reply=Finished, summary="答复并结束咨询",
         family=Family.ONLINE_TREATMENT, roles=[DOCTOR]),
]  # fmt: skip
