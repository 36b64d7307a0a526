"""HL7 v2 as it is written down: every sample goes through the gateway's dialect and through the simulator, each on its own."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from contracts import his
from foundation.errors import AppError
from front_gateway.deadline import Deadline
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line
from front_gateway.dialects.hl7v2.message import parsed
from front_gateway.dialects.hl7v2.orders import OrderWriter, control_id_of, order
from front_gateway.dialects.hl7v2.pushed import acknowledgement, read
from front_gateway.dialects.hl7v2.reports import ReportReader, query
from tests.contract import hl7_samples as samples
from tests.contract.hl7_samples import SAMPLES, plain, stems
from tests.contract.laboratories import Laboratory, exchanged, laboratory
from tests.unit.gateway.hl7.peers import peer, says
from tests.unit.gateway.hl7.people import NOW, SINCE, who

RESULTS, ORDERS, PUSHED = SAMPLES / "results", SAMPLES / "orders", SAMPLES / "pushed"
ASKED = {"film-text": "imaging"}
"""Category by the sample's name; the others are the laboratory's."""
FROM_OTHERS = {"4-other-separators", "5-gb18030", "6-other-patient", "7-corrected"}
"""Answers of systems that are not ours: through the gateway alone."""
REQUEST = UUID("01920000-0000-7000-8000-000000000001")


def category(stem: str) -> str:
    return ASKED.get(stem.partition("-")[2], "laboratory")


def charset(raw: bytes) -> Charset:
    return Charset.GB18030 if b"18030" in raw.split(b"\r")[0] else Charset.UTF_8


@pytest.mark.parametrize("stem", stems("results", "query.hl7"))
def test_the_gateway_asks_as_written(stem: str) -> None:
    wanted = samples.read(RESULTS / f"{stem}-query.hl7")
    line = Line(
        Address("lis", "127.0.0.1", 1, charset(wanted), "RIS" if category(stem) == "imaging" else "LIS")
    )

    asked = query(line, category(stem), person(stem), SINCE, NOW, "Q0001", "")

    assert asked.decode(charset(wanted).value) == wanted.decode(charset(wanted).value)


@pytest.mark.anyio
@pytest.mark.parametrize("stem", stems("results", "answer.hl7"))
async def test_the_gateway_reads_an_answer_as_written(stem: str) -> None:
    raw = samples.read(RESULTS / f"{stem}-answer.hl7").replace(b"Q0001", b"$id")
    expected = samples.loaded(RESULTS / f"{stem}-reports.json")
    async with peer(says(raw)) as (_, line):
        reader = ReportReader(line, category(stem))

        assert await outcome(reader, stem) == expected


async def outcome(reader: ReportReader, stem: str) -> Any:
    try:
        return msgspec.to_builtins(await reader.since(person(stem), SINCE, NOW, Deadline(5)))
    except AppError as refused:
        return {"code": refused.code}


def person(stem: str) -> Any:
    return who("某某某", "P0000099") if stem.endswith("unknown-patient") else who()


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("lis_ris")) as started:
        started.plant("P0000001", **samples.loaded(RESULTS / "planted.json"))
        yield started


@pytest.mark.parametrize("stem", [one for one in stems("results", "answer.hl7") if one not in FROM_OTHERS])
def test_the_double_answers_as_written(double: Laboratory, stem: str) -> None:
    answer = exchanged(double.port, samples.read(RESULTS / f"{stem}-query.hl7"))

    assert plain(answer) == plain(samples.read(RESULTS / f"{stem}-answer.hl7"))


def request_of(stem: str) -> his.WriteOrder | his.WriteOrderCancellation:
    given = samples.loaded(ORDERS / f"{stem}-request.json")
    if stem.endswith("cancelled"):
        return msgspec.convert(given, his.WriteOrderCancellation, strict=False)
    return msgspec.convert(given, his.WriteOrder, strict=False)


@pytest.mark.parametrize("stem", stems("orders", "order.hl7"))
def test_the_gateway_orders_as_written(stem: str) -> None:
    wanted = samples.read(ORDERS / f"{stem}-order.hl7")
    line = Line(Address("ris", "127.0.0.1", 1, charset(wanted), "RIS" if "imaging" in stem else "LIS"))

    assert plain(order(line, request_of(stem), who(), NOW)) == plain(wanted)


@pytest.mark.anyio
@pytest.mark.parametrize("stem", stems("orders", "order.hl7"))
async def test_the_gateway_takes_the_answer_to_an_order_as_written(stem: str) -> None:
    request = request_of(stem)
    raw = samples.read(ORDERS / f"{stem}-answer.hl7")
    expected = samples.loaded(ORDERS / f"{stem}-reply.json")
    async with peer(says(raw.replace(control_id_of(request).encode(), b"$id"))) as (_, line):
        try:
            done = await OrderWriter(line).send(request, who(), NOW, Deadline(5))
            said: Any = {"reference": done.reference, "also": done.also}
        except AppError as refused:
            said = {"code": refused.code, "detail": refused.detail}

    assert said == expected


def test_the_double_takes_orders_as_written_and_each_only_once(tmp_path: Path) -> None:
    with laboratory(tmp_path) as double:
        for stem in stems("orders", "order.hl7"):
            message = samples.read(ORDERS / f"{stem}-order.hl7")
            answer = exchanged(double.port, message)
            assert plain(answer) == plain(samples.read(ORDERS / f"{stem}-answer.hl7"))
            assert exchanged(double.port, message) == answer
        states = [(one["placer"], one["state"]) for one in double.orders()]
    assert states == [("JY20261122-1", "ordered"), ("JY20261122-2", "ordered"), ("JC20261122-1", "cancelled")]


@pytest.mark.parametrize("stem", stems("pushed", "push.hl7"))
def test_the_gateway_makes_a_hint_and_nothing_more(stem: str) -> None:
    message = parsed(samples.read(PUSHED / f"{stem}-push.hl7"), Charset.UTF_8)

    pushed = read(message, "lis", NOW)

    assert msgspec.to_builtins(pushed.hint) == samples.loaded(PUSHED / f"{stem}-hint.json")
    acknowledged = acknowledgement(message, "AA", "", NOW, Charset.UTF_8)
    assert plain(acknowledged) == plain(samples.read(PUSHED / f"{stem}-ack.hl7"))


@pytest.mark.parametrize("stem", stems("pushed", "push.hl7"))
def test_the_double_pushes_as_written_and_reads_the_acknowledgement(double: Laboratory, stem: str) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as place:
        listening = threading.Thread(target=_one_call, args=(place, stem, heard))
        listening.start()
        wish = samples.loaded(PUSHED / f"{stem}-wish.json")

        said = double.push(to=f"127.0.0.1:{place.getsockname()[1]}", **wish)

        listening.join(5)
    assert said == {"code": "AA", "control": wish["control"], "words": ""}
    assert blanked(plain(heard[0])) == blanked(plain(samples.read(PUSHED / f"{stem}-push.hl7")))


def _one_call(place: socket.socket, stem: str, heard: list[bytes]) -> None:
    line, _ = place.accept()
    with line:
        got = b""
        while not got.endswith(b"\x1c\r"):
            got += line.recv(65_536)
        heard.append(got[1:-2])
        line.sendall(b"\x0b" + samples.read(PUSHED / f"{stem}-ack.hl7") + b"\x1c\r")


def blanked(text: str) -> str:
    """EVN-2 is the moment of the push."""
    lines = text.split("\n")
    return "\n".join("|".join(one.split("|")[:2]) if one.startswith("EVN") else one for one in lines)
