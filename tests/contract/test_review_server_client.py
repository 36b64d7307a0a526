"""Our client of an outside review server before the stand-in, and what prescribing makes of its answers and silences."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.alarm import service as alarms
from backend.cds_hooks.cards import findings_of
from backend.context import Context
from backend.encounter.model import FollowUp
from backend.outside.review_server import Answer, CdsReviewServer, Identity
from backend.prescription.examining import examine
from backend.prescription.outside_review import ALARM
from backend.review.draft import Draft, Finding, Item, Severity
from backend.review.engine import REVIEW_DOWN, blocked, needs_reason
from contracts.events import Diagnosis
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id
from simulators.review_server.app import create_app, declared_faults
from simulators.review_server.settings import read
from simulators.server import Clock, Faults, Listener, Reader, in_background
from tests.builders.visits import AMLODIPINE, HYPERTENSION, a_patient, accepted
from tests.contract.cds_callers import Caller
from tests.contract.started import free_port
from tests.contract.written import listening
from tests.database import SharedClock

pytestmark = pytest.mark.anyio

NITRATE, SILDENAFIL = "YP017", "YP428"
PREFETCH: dict[str, Any] = {"patient": {"resourceType": "Patient"}}


@dataclass
class Server:
    """The stand-in."""

    address: str
    faults: Faults
    caller: Caller


@pytest.fixture
def server(tmp_path: Path, clock: SharedClock) -> Iterator[Server]:
    caller, port, faults = Caller("https://us.example"), free_port(), declared_faults()
    address = f"http://127.0.0.1:{port}"
    callers = str(caller.named_in(tmp_path / "callers.json"))
    settings = read(Reader({"ENV": "test", "REVIEW_ADDRESS": address, "REVIEW_CALLERS": callers}))
    theirs = Clock()
    theirs.set_offset(clock.timestamp() - theirs.timestamp())
    with in_background([Listener(create_app(settings, theirs, faults), "127.0.0.1", port)]):
        yield Server(address, faults, caller)


@pytest.fixture
async def client(server: Server, clock: SharedClock) -> AsyncIterator[CdsReviewServer]:
    identity = Identity(server.caller.issuer, server.caller.key_id, server.caller.pem)
    made = CdsReviewServer(server.address, "order-sign", identity, clock, 1.0)
    yield made
    await made.close()


def orders(*codes: str) -> dict[str, Any]:
    coded = [{"coding": [{"system": "urn:internet-hospital:drug", "code": code}]} for code in codes]
    entries = [
        {"resource": {"resourceType": "MedicationRequest", "medicationCodeableConcept": one}} for one in coded
    ]
    return {"userId": "d", "patientId": "p", "draftOrders": {"resourceType": "Bundle", "entry": entries}}


async def test_its_cards_are_read(client: CdsReviewServer) -> None:
    cards = await client.order_sign(new_id(), orders(NITRATE, SILDENAFIL), PREFETCH)

    (found,) = findings_of(cards, 2)
    assert (found.severity, found.item, found.rule) == (Severity.BLOCK, 1, "outside.finding")
    assert "示范审方公司" in found.source


async def test_a_critical_card_without_our_extension_stops_nothing(client: CdsReviewServer) -> None:
    """CDS Hooks has no block: critical is advice."""
    (found,) = findings_of(await client.order_sign(new_id(), orders("YP020"), PREFETCH), 1)

    assert found.severity is Severity.REASON


async def test_every_call_has_a_token_of_its_own(client: CdsReviewServer) -> None:
    heard = listening(client.http)
    await client.order_sign(new_id(), orders("YP001"), PREFETCH)
    await client.order_sign(new_id(), orders("YP001"), PREFETCH)

    assert [status for *_, status, _ in heard] == [200, 200]


@pytest.mark.parametrize(
    "fault", [{"down": True}, {"garbage": True}, {"precondition": True}, {"slow_seconds": 3.0}], ids=str
)
async def test_no_usable_answer_is_no_answer(
    server: Server, client: CdsReviewServer, fault: dict[str, Any]
) -> None:
    server.faults.replace(fault)

    with pytest.raises(Unavailable):
        await client.order_sign(new_id(), orders("YP001"), PREFETCH)


async def test_a_token_it_does_not_know_is_no_answer(server: Server, clock: SharedClock) -> None:
    stranger = Caller("https://us.example")
    identity = Identity(stranger.issuer, stranger.key_id, stranger.pem)
    made = CdsReviewServer(server.address, "order-sign", identity, clock, 1.0)

    with pytest.raises(Unavailable):
        await made.order_sign(new_id(), orders("YP001"), PREFETCH)
    await made.close()


@pytest.mark.parametrize(
    "body",
    [b'{"cards": null}', b"{}", b'{"cards": [{"summary": "x", "indicator": "hard-stop", "source": {"label": "x"}}]}',
     b'{"cards": [{"summary": "x", "indicator": "info"}]}', b"[]", b""],
)  # fmt: skip
async def test_what_is_no_answer_of_cds_hooks_is_no_answer(body: bytes, client: CdsReviewServer) -> None:
    with pytest.raises(Unavailable):
        client._read(httpx.Response(200, content=body))


def test_a_line_that_is_not_there_is_the_whole() -> None:
    card = {
        "summary": "x",
        "indicator": "info",
        "source": {"label": "x"},
        "extension": {"cn.nanxiang.review": {"line": 7}},
    }
    import msgspec

    (found,) = findings_of(msgspec.convert({"cards": [card]}, Answer).cards, 2)

    assert found.item is None


# In a prescription


async def looked_at(context: Context, visit: FollowUp, *items: Item) -> list[Finding]:
    draft = Draft(list(items) or [AMLODIPINE], [Diagnosis(HYPERTENSION, "")], "有理由")
    return await examine(context, visit, draft)


async def a_visit(context: Context) -> FollowUp:
    async with unit_of_work(context.db) as session:
        return await accepted(session, context, await a_patient(session))


async def open_alarm(context: Context) -> bool:
    async with unit_of_work(context.db) as session:
        return await alarms.open_alarm(session, ALARM, "review_server") is not None


async def test_its_block_is_enforced_by_the_backend(running: Context, client: CdsReviewServer) -> None:
    running.reviewer = client
    visit = await a_visit(running)

    found = await looked_at(
        running, visit, Item(NITRATE, "40", "qd", "1", 7, 1), Item(SILDENAFIL, "50", "qd", "1", 1, 1)
    )

    assert [one.severity for one in found if one.rule == "outside.finding"] == [Severity.BLOCK]
    assert blocked(found)


async def test_a_server_that_is_down_sends_everything_to_people_and_rings(
    running: Context, client: CdsReviewServer, server: Server
) -> None:
    running.reviewer = client
    visit = await a_visit(running)
    assert [one for one in await looked_at(running, visit) if one.rule == REVIEW_DOWN] == []

    server.faults.replace({"down": True})
    found = await looked_at(running, visit)

    (said,) = [one for one in found if one.rule == REVIEW_DOWN]
    assert "药师" in said.message
    assert said.severity is Severity.REASON
    assert not blocked(found)
    assert not needs_reason([said])
    assert await open_alarm(running)

    server.faults.replace({})
    assert [one for one in await looked_at(running, visit) if one.rule == REVIEW_DOWN] == []
    assert not await open_alarm(running)


async def test_it_learns_neither_name_nor_number(running: Context, client: CdsReviewServer) -> None:
    running.reviewer = client
    heard = listening(client.http)
    visit = await a_visit(running)
    await looked_at(running, visit)

    ((_, asked, _, _),) = heard
    async with unit_of_work(running.db) as session:
        from backend.patient.queries import person

        who = await person(session, visit.person_id)
    assert who.name not in str(asked)
    assert who.id_number not in str(asked)
    assert asked["prefetch"]["patient"]["birthDate"].endswith("-01-01")
