"""What a target may answer, how long and how many wait for it, and that nothing is sent twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import AppError, BadRequest, Busy
from front_gateway.breaker import Breaker
from front_gateway.deadline import Deadline
from front_gateway.refusals import Target, TooSlow, Unreachable, Unusable
from front_gateway.upstream import Reply, Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@contextlib.asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A bare server: `answer(reader, writer, number of the connection)`; its address and the heads that it was sent."""
    heads: list[bytes] = []
    running: set[asyncio.Task[None] | None] = set()
    count = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        number = count
        running.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await answer(reader, writer, number)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base", heads
    finally:
        server.close()
        for one in running:
            if one is not None:
                one.cancel()
        await asyncio.gather(*(one for one in running if one is not None), return_exceptions=True)


def saying(*parts: bytes, close: bool = False) -> Answer:
    """Answers each request with these bytes."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if close:
            writer.close()
            raise ConnectionResetError

    return answer


async def outcome(
    answer: Answer, *, method: str = "POST", seconds: float = 2.0, calls: int = 1
) -> Reply | AppError:
    """The last of `calls` answers, or what was raised."""
    async with answering(answer) as (url, _), Upstream(Target.HIS, url, None, max_reply=1_000) as upstream:
        try:
            for _ in range(calls):
                reply = await upstream.send(
                    method, "/x", (), None if method == "GET" else b"", Deadline(seconds)
                )
        except AppError as error:
            return error
        return reply


@pytest.mark.parametrize(
    ("parts", "close", "body"),
    [
        ((OK,), False, b"ok"),
        ((OK[:9], OK[9:40], OK[40:]), False, b"ok"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX-Evil: 1\r\n\r\n",), False, b"ok"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" + OK,), False, b"ok"),
        ((b"HTTP/1.1 103 Early Hints\r\nX-Evil: 1\r\n\r\n", OK), False, b"ok"),
        ((b"HTTP/1.1 200 OK\r\n\r\nok",), True, b"ok"),
        ((b"HTTP/1.0 200 OK\r\n\r\nok",), True, b"ok"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), False, b""),
        ((OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",), False, b"ok"),
        ((OK + b"garbage",), False, b"ok"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("calls", [1, 3])
def test_an_answer_is_read_to_its_end_and_no_further(
    parts: tuple[bytes, ...], close: bool, body: bytes, calls: int
) -> None:
    reply = asyncio.run(outcome(saying(*parts, close=close), calls=calls))

    assert isinstance(reply, Reply)
    assert (reply.status in (200, 204), reply.body) == (True, body)
    assert "x-evil" not in dict(reply.headers)


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3e8\r\n" + b"a" * 1_000 + b"\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_unusable_at_once(raw: bytes) -> None:
    begun = monotonic()

    assert isinstance(asyncio.run(outcome(saying(raw, close=True))), Unusable)
    assert monotonic() - begun < 1.5


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.integers(0, len(OK)), st.integers(0, 3))
def test_whatever_a_target_says_ends_in_an_answer_or_a_refusal(noise: bytes, at: int, cut: int) -> None:
    found = asyncio.run(outcome(saying(OK[:at] + noise + OK[at + cut :], close=True)))

    assert isinstance(found, Reply | Unusable)


def test_nothing_but_a_read_is_sent_again_when_a_kept_connection_was_closed() -> None:
    async def once_each(_: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1 and len(seen[0]) > 1:
            raise ConnectionResetError
        writer.write(OK)

    seen: list[list[bytes]] = []

    async def ask(method: str) -> tuple[str, int]:
        seen.clear()
        async with answering(once_each) as (url, heads), Upstream(Target.HIS, url, None) as upstream:
            seen.append(heads)
            body = None if method == "GET" else b""
            await upstream.send(method, "/x", (), body, Deadline(2))
            try:
                await upstream.send(method, "/x", (), body, Deadline(2))
            except Unusable:
                return "unusable", len(heads)
            return "ok", len(heads)

    assert asyncio.run(ask("GET")) == ("ok", 3)
    assert asyncio.run(ask("POST")) == ("unusable", 2)
    assert asyncio.run(ask("PUT")) == ("unusable", 2)


def test_nobody_there_is_said_at_once() -> None:
    async def ask() -> None:
        async with Upstream(Target.HIS, "http://127.0.0.1:9", None) as upstream:
            await upstream.send("POST", "/x", (), b"", Deadline(5))

    begun = monotonic()
    with pytest.raises(Unreachable):
        asyncio.run(ask())
    assert monotonic() - begun < 1


def test_a_target_that_says_nothing_is_too_slow_and_its_connection_is_not_used_again() -> None:
    async def silent_at_first(_: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1:
            await asyncio.sleep(30)
        writer.write(OK)

    async def ask() -> tuple[bool, bytes]:
        async with answering(silent_at_first) as (url, _), Upstream(Target.HIS, url, None) as upstream:
            try:
                await upstream.send("POST", "/x", (), b"", Deadline(0.1))
            except TooSlow:
                return True, (await upstream.send("POST", "/x", (), b"", Deadline(2))).body
        return False, b""

    assert asyncio.run(ask()) == (True, b"ok")


def test_so_many_go_out_so_many_wait_and_the_others_hear_it_at_once() -> None:
    async def ask() -> tuple[int, int, float]:
        release = asyncio.Event()

        async def held(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
            await release.wait()
            writer.write(OK)

        async with (
            answering(held) as (url, heads),
            Upstream(Target.HIS, url, None, at_once=2, queue=3) as upstream,
        ):
            calls = [asyncio.create_task(upstream.send("POST", "/x", (), b"", Deadline(5))) for _ in range(5)]
            while len(heads) < 2:
                await asyncio.sleep(0)
            begun = monotonic()
            with pytest.raises(Busy):
                await upstream.send("POST", "/x", (), b"", Deadline(5))
            took = monotonic() - begun
            out = len(heads)
            release.set()
            return out, sum(reply.status == 200 for reply in await asyncio.gather(*calls)), took

    out, answered, took = asyncio.run(ask())
    assert (out, answered) == (2, 5)
    assert took < 0.5


def test_who_waits_too_long_in_the_queue_was_never_sent() -> None:
    async def ask() -> int:
        async def held(_: asyncio.StreamReader, __: asyncio.StreamWriter, ___: int) -> None:
            await asyncio.sleep(30)

        async with answering(held) as (url, heads), Upstream(Target.HIS, url, None, at_once=1) as upstream:
            first = asyncio.create_task(upstream.send("POST", "/x", (), b"", Deadline(0.3)))
            while not heads:
                await asyncio.sleep(0)
            with pytest.raises(Busy):
                await upstream.send("POST", "/x", (), b"", Deadline(0.1))
            with pytest.raises(TooSlow):
                await first
            return len(heads)

    assert asyncio.run(ask()) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_of_theirs_that_says_it_is_down_opens_the_breaker(status: int) -> None:
    async def ask() -> tuple[int, bool]:
        answer = saying(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        async with (
            answering(answer) as (url, heads),
            Upstream(Target.HIS, url, None, breaker=Breaker(2, 60)) as upstream,
        ):
            for _ in range(2):
                assert (await upstream.send("POST", "/x", (), b"", Deadline(2))).status == status
            with pytest.raises(Unreachable):
                await upstream.send("POST", "/x", (), b"", Deadline(2))
            return len(heads), upstream.breaker.is_open

    assert asyncio.run(ask()) == (2, True)


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/x y", ()), ("/x\r\nX-A: 1", ()), ("/x", (("x-a", "1\r\nX-Evil: 2"),)), ("/x", (("x-a", "\u4e2d"),))],
)
def test_what_would_be_read_as_something_else_is_not_written(
    target: str, headers: tuple[tuple[str, str], ...]
) -> None:
    async def ask() -> int:
        async with answering(saying(OK)) as (url, heads), Upstream(Target.HIS, url, None) as upstream:
            with pytest.raises(BadRequest):
                await upstream.send("POST", target, headers, b"", Deadline(2))
            return len(heads)

    assert asyncio.run(ask()) == 0
