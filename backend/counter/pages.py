"""The counter's desk: whom one helps, and the four steps to a paid place, each a form over a JSON route."""

from collections.abc import Sequence
from datetime import date

import msgspec
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.service import current_document
from backend.counter import queries, routes
from backend.counter.model import CounterCase
from backend.counter.rules import WORDS, spaced
from backend.counter.views import assisted_view, case_view
from backend.desk.declared import DeskCall, Shown, action, page
from backend.diagnosis.codes import diagnosis_name
from backend.edge import CLERK
from backend.eligibility import asking
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import Outcome
from backend.eligibility.wire import KnownDiagnosis
from backend.patient import queries as patients
from backend.practitioner import queries as practitioners
from backend.practitioner.model import Practitioner
from backend.schedule import queries as slots
from backend.schedule.model import Slot
from backend.schedule.rules import Channel, kept_for, left_for_everybody, not_on_sale
from foundation.errors import Unavailable
from foundation.qr import svg
from foundation.web.parsing import decode_query

OUTCOMES = {"eligible": "可复诊", "doctor_decides": "由医生判断", "refused": "不能线上复诊"}


class Asked(msgspec.Struct, frozen=True):
    """`diagnoses`: look them up in the hospital; the rest chooses among the slots."""

    diagnoses: str = ""
    decision: str = ""
    department: str = ""
    day: str = ""
    said: str = ""


async def cases(call: DeskCall) -> Shown:
    """Who is next: the card on the counter; and whom one helped lately."""
    found = await queries.cases(call.session)
    return Shown("counter/cases.html", {"cases": found, "authorities": WORDS})


async def case(call: DeskCall) -> Shown:
    """One case with everything that is still to be done."""
    wanted = decode_query(call.request.query_params, Asked)
    async with call.unit_of_work() as session:  # over before the hospital is asked: that may take its time
        row = await queries.case(session, call.id())
        person = await patients.person(session, row.person_id)
    diagnoses: Sequence[KnownDiagnosis] | None = None
    unreachable = ""
    if wanted.diagnoses:
        try:
            diagnoses = await asking.known_diagnoses(call.app, person)
        except Unavailable as error:
            unreachable = error.detail
    session, front = call.session, call.app.settings.front_url
    booked = [await assisted_view(session, one, front) for one in await queries.booked_in(session, row.id)]
    decision = wanted.decision or call.typed.get("eligibility_id", "")
    words = {
        "row": row, "seen": await case_view(session, row), "person": person, "booked": booked, "wanted": wanted,
        "document": await current_document(session, patients.INFORMED_CONSENT), "diagnoses": diagnoses,
        "unreachable": unreachable, "outcomes": OUTCOMES, "decisions": await _decisions(session, row, call.clock.today()),
        "decision": decision, "names": diagnosis_name, "codes": {one.pay_code: spaced(one.pay_code) for one in booked},
        "pictures": {one.pay_code: Markup(svg(one.pay_url)) for one in booked if one.pay_url},  # noqa: S704 - drawn here
        "departments": await practitioners.departments(session),
        "choices": await _choices(call, wanted) if decision else [], "front": front,
    }  # fmt: skip
    return Shown("counter/case.html", words)


async def _decisions(session: AsyncSession, row: CounterCase, today: date) -> Sequence[EligibilityDecision]:
    """Today's decisions for her that let her book, one per diagnosis, the newest."""
    query = (
        select(EligibilityDecision)
        .where(EligibilityDecision.person_id == row.person_id, EligibilityDecision.booking_day == today)
        .order_by(EligibilityDecision.decided_at.desc())
    )
    found: dict[str, EligibilityDecision] = {}
    for one in await session.scalars(query):
        found.setdefault(one.diagnosis_code, one)
    return [one for one in found.values() if one.outcome != Outcome.REFUSED]


async def _choices(call: DeskCall, wanted: Asked) -> list[tuple[Slot, Practitioner, int]]:
    """Slots of a department with the places that the counter could take now, soonest first."""
    day = None
    if wanted.day:
        try:
            day = date.fromisoformat(wanted.day)
        except ValueError:
            day = None
    found = await slots.open_slots(
        call.session, department=wanted.department or None, practitioner=None, day=day or call.clock.today()
    )
    now = call.clock.now()
    shown = []
    for slot, doctor in found:
        pool = slots.pool(slot)
        if not_on_sale(pool, now) is None:
            free = left_for_everybody(pool, now) + kept_for(pool, Channel.STAFF_ASSISTED, now)
            shown.append((slot, doctor, free))
    return shown


DESK = [CLERK]
LIST = page("/desk/counter", cases, title="窗口代办", roles=DESK, menu="窗口代办")
ONE = page("/desk/counter/{id}", case, title="窗口代办", roles=DESK, audited="counter.view")
PAGES = [LIST, ONE]
HERE = "/desk/counter/{id}"
BOOKED = HERE + "/appointments/{appointment_id}"
ACTIONS = [
    action("/desk/counter/open", routes.ENDPOINTS, routes.open_case, back=LIST, then="/desk/counter",
           said="身份已核对，请在下方打开记录继续办理。"),
    action(HERE + "/consent", routes.ENDPOINTS, routes.consent, back=ONE, then=HERE, said="已登记纸质知情同意书。"),
    action(HERE + "/eligibility", routes.ENDPOINTS, routes.ask, back=ONE, then=HERE, said="复诊资格已核对。"),
    action(HERE + "/book", routes.ENDPOINTS, routes.book, back=ONE, then=HERE, said="号源已保留，请将缴费码告知家人。"),
    action(BOOKED + "/pay-code", routes.ENDPOINTS, routes.renew_code, back=ONE, then=HERE, said="已更换缴费码。"),
    action(BOOKED + "/check-in", routes.ENDPOINTS, routes.check_in, back=ONE, then=HERE, said="已登记候诊。"),
    action(BOOKED + "/cancel", routes.ENDPOINTS, routes.cancel, back=ONE, then=HERE, said="预约已取消。"),
]  # fmt: skip
