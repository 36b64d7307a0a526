"""What an outside review server says of a draft. When it says nothing the prescription goes on to the pharmacist, marked."""

from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from backend.alarm.service import Bell
from backend.cds_hooks import fhir
from backend.cds_hooks.cards import findings_of
from backend.context import Context
from backend.encounter.model import FollowUp
from backend.formulary.facts import Drug
from backend.review.draft import Draft, Finding, PatientFacts
from backend.review.engine import unreviewed
from foundation.canonical import canonical, sha256
from foundation.errors import Unavailable

ALARM = "review_server_down"


async def outside_opinion(
    context: Context, visit: FollowUp, draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]
) -> list[Finding]:
    """Its findings; one that says so, and an alarm, when there was no usable answer. No transaction may be open.

    Who is asked learns neither name nor number: the encounter's id stands for the patient. The same content of the same
    visit is the same call.
    """
    if not context.reviewer.offered or not draft.items:
        return []
    who = str(visit.id)
    instance = uuid5(NAMESPACE_URL, f"{who}:{sha256(canonical(draft)).hex()}")
    orders = [
        fhir.order_json(item, drugs[item.drug_code], draft, place, f"Patient/{who}")
        for place, item in enumerate(draft.items)
        if item.drug_code in drugs
    ]
    asked = {
        "userId": f"Practitioner/{visit.practitioner_id}", "patientId": who, "encounterId": who,
        "draftOrders": fhir.bundle(orders),
    }  # fmt: skip
    prefetch = fhir.prefetch_json(patient, drugs, who, context.clock.today())
    bell = Bell(context.db, "review_server")
    try:
        cards = await context.reviewer.order_sign(instance, asked, prefetch)
    except Unavailable as down:
        await bell.raised(ALARM, str(down))
        return [unreviewed("外部审方服务没有给出结果，本处方未经其审查，须由药师全面人工审核")]
    await bell.over(ALARM)
    return findings_of(cards, len(draft.items))
