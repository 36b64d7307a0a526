"""Who a patient is for the systems beside the HIS: every main dialect says it alike, and who has no number there is not asked about."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote
from uuid import UUID

import pytest

from contracts import his
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.dialects import Main, Who
from front_gateway.dialects.combined.dialect import CombinedDialect
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import Systems, read_systems
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line
from front_gateway.dialects.remembered import REMEMBERED, Remembered
from front_gateway.note import Note
from front_gateway.refusals import HospitalRefused, PatientNotFound, Target
from front_gateway.settings import HisDialect
from front_gateway.speaking import speaker
from front_gateway.upstream import Upstream
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Loop, OtherSide, serve
from tests.unit.gateway.soap import PATIENT, SoapSide

T = TypeVar("T")
HER = Who("1", ("1",), fhir.NAME, frozenset({fhir.NAME}), "female", date(1958, 9, 19))


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@contextlib.asynccontextmanager
async def before(side: OtherSide, make: Callable[[Upstream], Main]) -> AsyncIterator[Main]:
    async with contextlib.AsyncExitStack() as stack:
        port = await serve(stack, side)
        upstream = Upstream(Target.HIS, f"http://127.0.0.1:{port}", None)
        yield make(await stack.enter_async_context(upstream))


def spoken(
    loop: Loop, side: OtherSide, make: Callable[[Upstream], Main], act: Callable[[Main], Awaitable[T]]
) -> T:
    async def run() -> T:
        async with before(side, make) as main:
            return await act(main)

    return loop.run(run())


def by_fhir(systems: Systems | None = None) -> Callable[[Upstream], Main]:
    return lambda upstream: FhirDialect(upstream, systems or Systems(), Clock())


def by_soap(upstream: Upstream) -> Main:
    return speaker(HisDialect.SOAP, None)(upstream, Clock())


async def asked_once(main: Main) -> Who:
    return await main.who("1", Deadline(5), fresh=False)


def test_fhir_says_who_she_is(loop: Loop) -> None:
    side = OtherSide()
    side.on("GET /Patient/1", fhir.patient(name="周 桂珍"))
    side.on("GET /Patient", {"resourceType": "Bundle", "type": "searchset", "entry": []})

    found = spoken(loop, side, by_fhir(), asked_once)

    assert (found.patient_id, found.numbers, found.names) == ("1", ("1",), frozenset({"周桂珍"}))
    assert (found.sex, found.birth_date) == ("female", date(1958, 9, 19))


def test_soap_says_who_she_is_with_numbers_merged_into_hers(loop: Loop) -> None:
    side = OtherSide()
    hospital = SoapSide(side)
    hospital.rows("1002", PATIENT)
    hospital.rows("1001", PATIENT, {**PATIENT, "PatientNo": "9", "State": "0", "MergedInto": "1"})

    found = spoken(loop, side, by_soap, asked_once)

    assert found == Who("1", ("1", "9"), fhir.NAME, frozenset({fhir.NAME}), "female", date(1958, 9, 19))


def test_a_hospital_that_follows_hl7_china_knows_the_identity_card_by_its_name(loop: Loop) -> None:
    systems = read_systems(Path(read_systems.__code__.co_filename).parent / "hl7cn.toml")
    side, card = OtherSide(), "urn:oid:2.16.840.1.113883.2.23.1.19.1"
    theirs = fhir.patient() | {"identifier": [{"system": card, "value": fhir.NUMBER}]}
    side.on("GET /Patient", fhir.bundle(theirs))
    request = his.FindPatient(purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME)

    async def find(main: Main) -> his.FindPatientReply:
        found: his.FindPatientReply = await main.answer(request, Deadline(5), Note())
        return found

    found = spoken(loop, side, by_fhir(systems), find)

    assert found.patient is not None
    asked = [unquote(one.target) for one in side.asked("GET", "/Patient")]
    assert f"identifier={card}|{fhir.NUMBER}" in asked[0]


def test_who_was_found_a_moment_ago_is_asked_for_again_before_a_write_only(loop: Loop) -> None:
    side = OtherSide()
    side.on("GET /Patient/1", fhir.patient())
    side.on("GET /Patient", {"resourceType": "Bundle", "type": "searchset", "entry": []})
    reads: list[int] = []

    async def three_times(main: Main) -> None:
        for fresh in (False, False, True):
            await main.who("1", Deadline(5), fresh=fresh)
            reads.append(len(side.asked("GET", "/Patient/1")))

    spoken(loop, side, by_fhir(), three_times)

    assert reads == [1, 1, 2]


@pytest.mark.parametrize("make", [by_fhir(), by_soap])
def test_nobody_is_not_found(loop: Loop, make: Callable[[Upstream], Main]) -> None:
    side = OtherSide()
    SoapSide(side).rows("1002")

    with pytest.raises(PatientNotFound):
        spoken(loop, side, make, asked_once)


class Knowing:
    """A main dialect that says who somebody is, and has no reports of its own."""

    def __init__(self, who: Who) -> None:
        self._who = who

    async def ready(self, deadline: Deadline) -> None:
        """It is."""

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        return self._who

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> his.HistoryReply:
        return his.HistoryReply([], [], [], [])


def beside(who: Who) -> CombinedDialect:
    """A laboratory that nobody answers for."""
    nobody = Line(Address("lis", "127.0.0.1", 9, Charset.UTF_8, "LIS"))
    return CombinedDialect(Knowing(who), {"laboratory": nobody}, Clock())


@pytest.mark.parametrize(("numbers", "missing"), [((), []), (("1",), ["laboratory"])])
def test_who_has_no_number_has_no_results_and_nobody_is_asked(
    loop: Loop, numbers: tuple[str, ...], missing: list[str]
) -> None:
    who = Who("1", numbers, HER.name, HER.names, HER.sex, HER.birth_date)
    request = his.History(purpose="treatment", patient_id="1", since=date(2026, 1, 1))

    reply = loop.run(beside(who).answer(request, Deadline(5), Note()))

    assert reply.missing == missing


def test_who_has_no_number_is_ordered_nothing_for(loop: Loop) -> None:
    who = Who("1", (), HER.name, HER.names, HER.sex, HER.birth_date)
    some = UUID("0199a000-0000-7000-8000-000000000001")
    request = his.WriteOrder(
        purpose="write_back", request_id=some, patient_id="1", appointment_id=some, number="JC1", practitioner_code="D1",
        items=[his.OrderItem("XHDB", "血红蛋白", "laboratory")], ordered_at=datetime(2026, 11, 23, tzinfo=UTC),
    )  # fmt: skip

    with pytest.raises(HospitalRefused, match="病历号"):
        loop.run(beside(who).answer(request, Deadline(5), Note()))


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    remembered: Remembered[str] = Remembered()

    for number in range(REMEMBERED + 1):
        remembered.put([str(number)], "somebody")

    assert (remembered.get("0"), remembered.get("1")) == (None, "somebody")
