"""Asking over a line: which answer counts, what is sent again and what never, and a library of others at the far end."""

import asyncio
import warnings

import hl7
import pytest
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

from foundation.errors import AppError, Busy
from foundation.tls import client_context, server_context
from front_gateway.breaker import Breaker
from front_gateway.deadline import Deadline
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line
from front_gateway.dialects.hl7v2.message import Message, header, written
from front_gateway.dialects.hl7v2.reports import ReportReader
from front_gateway.refusals import TooSlow, Unreachable, Unusable
from standalone.certificates import Certificates
from tests.contract.started import free_port
from tests.unit.gateway.hl7.peers import Peer, control_id, peer, says
from tests.unit.gateway.hl7.people import NOW, SINCE, who

pytestmark = pytest.mark.anyio
FINE = b"MSH|^~\\&|LIS||X||1||ACK|A1|P|2.4\rMSA|AA|$id"
OTHER = FINE.replace(b"$id", b"somebody-elses")


async def ask(line: Line, *, question: bool = True, seconds: float = 2) -> Message:
    message = written([header("QRY^R02", "Q1", "LIS", NOW, Charset.UTF_8)], Charset.UTF_8)
    return await line.ask(message, "Q1", Deadline(seconds), question=question)


async def test_questions_share_a_line_and_orders_have_their_own() -> None:
    async with peer(says(FINE)) as (far, line):
        for question in (True, True, False, True):
            await ask(line, question=question)

        assert (len(far.asked), far.lines) == (4, 2)


async def test_a_system_that_closes_after_each_answer_is_asked_anew_each_time() -> None:
    async with peer(says(FINE, stays=False)) as (far, line):
        for _ in range(3):
            await ask(line)

        assert len(far.asked) == 3


async def test_a_late_answer_on_a_kept_line_is_not_taken_and_the_question_goes_once_more() -> None:
    async def respond(raw: bytes, writer: asyncio.StreamWriter) -> bool:
        if len(far.asked) == 2:
            writer.write(b"\x0b" + OTHER + b"\x1c\r")
        writer.write(b"\x0b" + FINE.replace(b"$id", control_id(raw)) + b"\x1c\r")
        return True

    async with peer(respond) as (far, line):
        await ask(line)
        await ask(line)

        assert (len(far.asked), far.lines) == (3, 2)


async def test_an_order_is_never_sent_twice_however_it_ends() -> None:
    for answer, stays in ((b"", False), (OTHER, True)):

        async def respond(
            _: bytes, writer: asyncio.StreamWriter, said: bytes = answer, open_: bool = stays
        ) -> bool:
            if said:
                writer.write(b"\x0b" + said + b"\x1c\r")
            return open_

        async with peer(respond) as (far, line):
            with pytest.raises(Unusable):
                await ask(line, question=False)
            assert len(far.asked) == 1


async def test_a_commit_acknowledgement_is_waited_past() -> None:
    async def respond(raw: bytes, writer: asyncio.StreamWriter) -> bool:
        for code in (b"CA", b"AA"):
            writer.write(b"\x0b" + FINE.replace(b"$id", control_id(raw)).replace(b"AA", code) + b"\x1c\r")
        return True

    async with peer(respond) as (_, line):
        assert (await ask(line)).first("MSA").part(1) == "AA"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"HTTP/1.1 400\r\n", "outside a message"), (b"\x0bMSH|^~\\&|x\x1c\r", "another message"),
        (b"\x0bPID|1\x1c\r", "begin with MSH"), (b"\x0bMSH|^~\\&", "middle of an answer"),
        (b"\x0b" + FINE.replace(b"AA|$id", b"CA|Q1") + b"\x1c\r", "closed without an answer"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_said_so_without_its_content(raw: bytes, reason: str) -> None:
    async def respond(_: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(raw)
        await writer.drain()
        return False

    async with peer(respond) as (_, line):
        with pytest.raises(Unusable) as refused:
            await ask(line)
    assert reason in refused.value.reason


async def test_silence_ends_with_the_deadline_and_nobody_there_at_once() -> None:
    async def respond(_: bytes, __: asyncio.StreamWriter) -> bool:
        return True

    async with peer(respond) as (_, line):
        with pytest.raises(TooSlow):
            await ask(line, seconds=0.1)
    with pytest.raises(Unreachable):
        await ask(Line(Address("lis", "127.0.0.1", free_port())))


async def test_after_several_failures_nobody_waits_for_the_system() -> None:
    line = Line(Address("lis", "127.0.0.1", free_port()), breaker=Breaker(threshold=2, open_seconds=60))

    reasons = []
    for _ in range(3):
        with pytest.raises(Unreachable) as refused:
            await ask(line)
        reasons.append(refused.value.reason)

    assert reasons[2] == "lis: breaker open"


async def test_only_so_many_ask_at_once() -> None:
    async def respond(_: bytes, __: asyncio.StreamWriter) -> bool:
        return True

    async with peer(respond) as (_, line):
        narrow = Line(line.address, at_once=1, queue=0)
        first = asyncio.create_task(ask(narrow, seconds=0.3))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await ask(narrow)
        with pytest.raises(AppError):
            await first


async def test_pages_are_followed_to_their_end_and_never_for_ever() -> None:
    page = (
        b"MSH|^~\\&|LIS||X||1||ORF^R04|A1|P|2.4\rMSA|AA|$id\rPID|1||P0000001||" + "周桂珍".encode()
        + b"\rOBR|1||N%d|K^K|||20260304||||||||||||||||||F"
    )  # fmt: skip

    async def pages(far: Peer, raw: bytes, writer: asyncio.StreamWriter, last: int) -> bool:
        number = len(far.asked)
        answer = page.replace(b"$id", control_id(raw)).replace(b"%d", str(number).encode())
        writer.write(b"\x0b" + answer + (f"\rDSC|{number}".encode() if number < last else b"") + b"\x1c\r")
        return True

    for last in (3, 99):

        async def respond(raw: bytes, writer: asyncio.StreamWriter, last: int = last) -> bool:
            return await pages(far, raw, writer, last)

        async with peer(respond) as (far, line):
            reader = ReportReader(line, "laboratory")
            if last == 3:
                assert len(await reader.since(who(), SINCE, NOW, Deadline(3))) == 3
                assert [raw.partition(b"DSC|")[2] for raw in far.asked] == [b"", b"1\r", b"2\r"]
            else:
                with pytest.raises(Unusable):
                    await reader.since(who(), SINCE, NOW, Deadline(3))
                assert len(far.asked) == 10


async def test_a_server_of_a_library_of_others_is_understood() -> None:
    asked: list[str] = []

    async def serve(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        message = await reader.readmessage()
        asked.append(str(message["QRD"][0][8]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its create_ack asks for the time as one no longer should
            writer.writemessage(message.create_ack())
        await writer.drain()
        writer.close()

    server = await start_hl7_server(serve, "127.0.0.1", 0, encoding="utf-8")
    async with server:
        line = Line(Address("lis", "127.0.0.1", server.sockets[0].getsockname()[1], Charset.UTF_8, "LIS"))
        with pytest.raises(Unusable) as refused:
            await ReportReader(line, "laboratory").since(who("周桂珍", "P|1"), SINCE, NOW, Deadline(3))

        await line.close()

    assert (asked, refused.value.reason) == ([r"P\F\1"], "lis: the answer is no ORF")
    assert hl7.__version__


async def test_a_system_must_be_who_it_is_said_to_be(certificates: Certificates) -> None:
    """Its certificate is of our root and for its host: the name in it decides, and nothing is said to another."""
    root, mine = certificates.hospital.root, certificates.hospital["gateway-a"]
    theirs = certificates.hospital["his"]
    shown = server_context(theirs.certificate, theirs.key, root)
    ours = client_context(mine.certificate, mine.key, root)
    far = Peer(says(FINE))
    server = await asyncio.start_server(far.talk, "127.0.0.1", 0, ssl=shown)
    port = server.sockets[0].getsockname()[1]

    def line_to(identity: str) -> Line:
        return Line(Address("lis", "127.0.0.1", port, Charset.UTF_8, "LIS", ours, identity))

    named, somebody = line_to(theirs.identity), line_to(certificates.hospital["pacs"].identity)
    with pytest.raises(Unreachable):
        await ask(somebody)
    with pytest.raises(OSError, match="somebody else's"):
        await somebody.reach(2)
    assert far.asked == []

    assert (await ask(named)).kind
    named.drop_idle()
    await ask(named)
    assert (len(far.asked), far.lines) == (2, 4)

    await named.close()
    server.close()
    for writer in far.writers:
        writer.close()
    await asyncio.gather(*(one for one in far.talks if one is not None), return_exceptions=True)
