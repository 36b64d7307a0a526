"""The desk's page of a decision: found by its number, told step by step, made again while it is looked at."""

from uuid import UUID

import msgspec

from backend.desk.declared import DeskCall, Shown, page
from backend.diagnosis.codes import diagnosis_name
from backend.eligibility import routes
from backend.eligibility.explaining import OUTCOMES, explain
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import book_on
from backend.eligibility.rules import LEVELS
from foundation.web.parsing import decode_query


class Wanted(msgspec.Struct, frozen=True):
    """The number of a decision, as the supervision has it (资格判定编号)."""

    number: str = ""
    said: str = ""


async def look_up(call: DeskCall) -> Shown:
    """A field for the number, the decision below it, and the rule in force."""
    number = decode_query(call.request.query_params, Wanted).number.strip()
    try:
        row = await call.session.get(EligibilityDecision, UUID(number)) if number else None
    except ValueError:
        row = None
    words = {
        "number": number, "row": row, "found": explain(row) if row else None, "outcomes": OUTCOMES, "levels": LEVELS,
        "name": diagnosis_name(row.diagnosis_code) if row else "", "book": book_on(call.clock.today()),
    }  # fmt: skip
    return Shown("eligibility/decision.html", words)


PAGES = [
    page("/desk/eligibility", look_up, title="复诊资格判定", roles=routes.STAFF, menu="资格判定", audited="eligibility.explain"),
]  # fmt: skip
