import pytest

from foundation.db.audit import AuditEvent, audit, audit_refusal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, Invalid, Issue
from foundation.logs import request_id
from tests.unit.foundation.doors import GUARD, all_of

pytestmark = pytest.mark.anyio


async def test_a_refusal_stays_after_the_verb_was_rolled_back(empty_db: Database) -> None:
    refusal = Conflict("门锁着", code="door_open_refused")
    with pytest.raises(Conflict):
        async with unit_of_work(empty_db) as session:
            audit(session, GUARD, "door.open", "door", "1")
            raise refusal

    await audit_refusal(empty_db, GUARD, "door.open", "door:1", refusal)

    (line,) = await all_of(empty_db, AuditEvent, AuditEvent.ordinal)
    assert (line.action, line.outcome, line.code) == ("door.open", "refused", "door_open_refused")
    assert (line.subject_kind, line.subject_id, line.actor_id) == ("door", "1", GUARD.id)


async def test_a_refusal_keeps_the_names_of_the_wrong_fields_and_not_their_values(empty_db: Database) -> None:
    refusal = Invalid(issues=[Issue("name", "missing", "请填写"), Issue("", "strange", "林秀兰")])

    await audit_refusal(empty_db, GUARD, "door.open", "door:1", refusal)

    (line,) = await all_of(empty_db, AuditEvent, AuditEvent.ordinal)
    assert line.detail == {"name": "missing", "-": "strange"}


async def test_a_line_carries_the_id_of_its_request(empty_db: Database) -> None:
    mark = request_id.set("request-1")
    try:
        async with unit_of_work(empty_db) as session:
            audit(session, GUARD, "door.open", "door", "1")
    finally:
        request_id.reset(mark)

    (line,) = await all_of(empty_db, AuditEvent, AuditEvent.ordinal)
    assert line.request_id == "request-1"
