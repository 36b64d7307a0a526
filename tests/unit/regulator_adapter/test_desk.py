import asyncpg
import msgspec
import pytest

from foundation.clock import local
from foundation.errors import IllegalMove, NotFound
from foundation.ids import new_id
from regulator_adapter.carrying import carry_over
from regulator_adapter.figures import SubmissionView, figures
from regulator_adapter.reconcile import reconcile
from regulator_adapter.resubmit import operator, resubmit, resubmit_code
from regulator_adapter.routing import routing
from regulator_adapter.verify import verify
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = pytest.mark.anyio

PERSON = operator("值班员")


async def rejected(adapter: Adapter) -> SubmissionView:
    adapter.platform.script = [fake.answering(-1, "name不符")]
    envelope = (await adapter.takes(("person:1", b.identity_verified())))[0]
    await adapter.drain()
    return (await adapter.rows(envelope.event_id))[0]


async def test_a_person_sends_a_rejected_record_again_with_a_reason(adapter: Adapter) -> None:
    row = await rejected(adapter)

    moved = await resubmit(adapter.db, row.id, PERSON, "平台已更正")
    await adapter.drain()

    again = (await adapter.rows(row.event_id))[0]
    assert moved
    assert (again.state, again.attempts) == ("accepted", 1)


async def test_an_accepted_record_cannot_be_sent_again(adapter: Adapter) -> None:
    envelope = (await adapter.takes(("person:1", b.identity_verified())))[0]
    await adapter.drain()
    row = (await adapter.rows(envelope.event_id))[0]

    with pytest.raises(IllegalMove):
        await resubmit(adapter.db, row.id, PERSON, "再报一次")


async def test_a_record_that_is_not_there_cannot_be_sent_again(adapter: Adapter) -> None:
    with pytest.raises(NotFound):
        await resubmit(adapter.db, new_id(), PERSON, "?")


async def test_all_records_under_one_code_go_again_together(adapter: Adapter) -> None:
    adapter.platform.always = fake.refusing(40012)
    await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(3)))
    await adapter.drain()
    adapter.platform.always = None

    moved = await resubmit_code(adapter.db, "40012", PERSON, "配额已放开")
    await adapter.drain()

    assert len(moved) == 3
    assert (await figures(adapter.db)).missing == 0


async def test_the_proof_holds_when_everything_has_a_receipt(adapter: Adapter) -> None:
    envelopes = await adapter.takes(*b.one_of_each())
    await adapter.drain()
    await adapter.pump._seal()

    proof = await verify(adapter.db, routing())

    assert proof.holds
    assert (proof.events, proof.head) == (len(envelopes), envelopes[-1].head)
    assert proof.audit_lines > 0


async def test_the_proof_names_what_has_no_receipt(adapter: Adapter) -> None:
    row = await rejected(adapter)

    proof = await verify(adapter.db, routing())

    assert not proof.holds
    assert proof.without_receipt[0].startswith(str(row.id))


async def test_the_proof_tells_what_was_carried_over_from_what_is_missing(adapter: Adapter) -> None:
    row = await rejected(adapter)
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")
    await adapter.pump._seal()

    proof = await verify(adapter.db, routing())

    assert proof.holds
    assert (proof.records, proof.with_receipt, proof.carried_over, proof.without_receipt) == (1, 0, 1, [])


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE received_event SET type = 'record.viewed' WHERE number = 2", "altered_events"),
        ("UPDATE received_event SET head = repeat('x', 32)::bytea WHERE number = 2", "broken_links"),
        ("DELETE FROM submission WHERE number = 2; DELETE FROM received_event WHERE number = 2", "gaps"),
        ("DELETE FROM submission WHERE number = 2", "not_routed"),
        ("UPDATE audit_event SET action = 'nothing' WHERE sealed_number = 2", "audit_break"),
        ("DELETE FROM audit_event WHERE sealed_number = 2", "audit_break"),
    ],
)
async def test_the_proof_finds_what_was_done_in_the_database(
    adapter: Adapter, database_url: str, statement: str, field: str
) -> None:
    await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(3)))
    await adapter.drain()
    await adapter.pump._seal()
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()

    proof = await verify(adapter.db, routing())

    assert not proof.holds
    assert getattr(proof, field)


async def test_a_day_is_reconciled_by_when_things_happened(adapter: Adapter) -> None:
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.drain()
    before = await reconcile(adapter.db, local(b.MORNING).date())
    await rejected(adapter)

    after = await reconcile(adapter.db, local(b.MORNING).date())

    assert (before.events, before.difference) == (1, 0)
    assert (after.events, after.difference, len(after.waiting), after.carried_over) == (2, 1, 1, [])
    assert after.head == adapter.feed.head.hex()
    assert msgspec.json.decode(msgspec.json.encode(after))["day"] == "2026-11-20"


async def test_the_reason_of_a_resubmission_stands_in_the_audit_trail_and_not_in_the_clear(
    adapter: Adapter, database_url: str
) -> None:
    row = await rejected(adapter)
    await resubmit(adapter.db, row.id, PERSON, "平台已更正")

    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    lines = await connection.fetch(
        "SELECT action, detail FROM audit_event WHERE subject_id = $1 ORDER BY ordinal", str(row.id)
    )
    await connection.close()

    assert [line["action"] for line in lines] == [
        "submission.map", "submission.submit", "submission.reject", "submission.resubmit", "submission.reason",
    ]  # fmt: skip
    assert "平台".encode() not in lines[-1]["detail"]


async def test_nothing_of_a_person_lies_in_the_clear(adapter: Adapter, database_url: str) -> None:
    adapter.platform.always = fake.answering(-1, "mobile 19900000001 不正确")
    await adapter.takes(("visit:1", b.appointment_booked(b.a_visit())))
    await adapter.drain()

    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    text = ""
    for table in ("received_event", "submission", "audit_event"):
        rows = await connection.fetch(f"SELECT * FROM {table}")
        text += "".join(
            str(bytes(value) if isinstance(value, bytes) else value) for row in rows for value in row
        )
    await connection.close()

    for secret in (b.PATIENT.name, b.PATIENT.id_number, b.PATIENT.phone, b.DOCTOR.id_number):
        assert secret not in text
        assert str(secret.encode())[2:-1] not in text
