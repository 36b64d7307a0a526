"""Being recorded: asked with a text that has a version, decided by the patient or who acts for her, taken back at any time.

Each decision is a row of its own and a line of the audit trail. Without a standing yes there is no video; taking it back ends
the room (`following`), what was recorded until then is kept like everything else.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import service as chat
from backend.encounter.model import Encounter
from backend.patient import queries as patients
from backend.video import rules
from backend.video.model import RecordingConsent
from backend.video.rules import Decision
from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.db.audit import audit
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict
from foundation.ids import new_id

NOTICES = {
    Decision.GIVEN: "患者已同意视频问诊并录像",
    Decision.REFUSED: "患者不同意录像，本次问诊用文字和图片进行",
    Decision.WITHDRAWN: "患者已撤回录像同意，视频结束，可以继续用文字交流",
}
ACTING = {"self": "本人", "guardian": "监护人", "proxy": "代办人"}


def text_digest() -> str:
    """SHA-256 of the text as it was shown."""
    return sha256(canonical({"version": rules.CONSENT_VERSION, "text": list(rules.CONSENT_TEXT)})).hex()


async def decide(
    session: AsyncSession, actor: Actor, row: Encounter, decision: Decision, version: str
) -> None:
    """Keep the decision; the same again changes nothing. `Conflict` when the visit is over or another text was read."""
    await session.refresh(row, with_for_update=True)
    if row.ended_at is not None:
        raise Conflict("问诊已结束", code="encounter_ended")
    if version != rules.CONSENT_VERSION:
        raise Conflict("录像说明已更新，请重新阅读", code="consent_text_changed")
    if decision is not Decision.GIVEN and row.recording_consent == rules.GIVEN:
        decision = Decision.WITHDRAWN
    elif decision is not Decision.GIVEN:
        decision = Decision.REFUSED
    if row.recording_consent == decision or (
        decision is Decision.REFUSED and row.recording_consent == Decision.WITHDRAWN
    ):
        return
    grant = await patients.grant_on(session, actor, row.person_id)
    made = RecordingConsent(
        id=new_id(), encounter_id=row.id, person_id=row.person_id, account_id=grant.account_id, acts_as=grant.kind,
        decision=decision.value, text_version=version, text_sha256=text_digest(), at=clock_of(session).now(),
    )  # fmt: skip
    session.add(made)
    row.recording_consent = decision.value
    detail = {
        "acts_as": made.acts_as,
        "text_version": version,
        "text_sha256": made.text_sha256,
        "consent": str(made.id),
    }
    audit(session, actor, f"video.recording_{decision}", "encounter", row.id, detail=detail)
    words = NOTICES[decision].replace(
        "患者", f"患者（{ACTING[grant.kind]}）" if grant.kind in ACTING else "患者", 1
    )
    await chat.notice(session, row, words, key=f"recording-consent:{made.id}")
    touch(session, rules.stream(row.id))


async def of_visit(session: AsyncSession, encounter_id: UUID) -> list[RecordingConsent]:
    """Every decision, the first one first."""
    query = select(RecordingConsent).where(RecordingConsent.encounter_id == encounter_id)
    return list(await session.scalars(query.order_by(RecordingConsent.at, RecordingConsent.id)))
