"""Who is slow on purpose is hung up on, whatever she is slow with, and nobody else waits for it."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from foundation.tls import client_context
from front_gateway.limits import Waits
from front_gateway.policy.reading import Policy
from standalone.certificates import Certificates
from tests.contract.raw_calls import RawConnection, connected
from tests.contract.started import wait_until
from tests.unit.gateway.background import Running, Seen, gateway

SHORT = Waits(handshake=0.3, idle=0.3, head=0.3, body=0.3, write=0.3, linger=0.2, connections=40)
HEAD = b"POST /openapi/api HTTP/1.1\r\nHost: g\r\n"
HONEST = HEAD + b"Content-Length: 3\r\n\r\nabc"


@pytest.fixture
def running(policy: Policy, certificates: Certificates, tmp_path: Path) -> Iterator[Running]:
    """A gateway of little patience."""
    with gateway(policy, certificates, tmp_path, waits=SHORT) as up:
        up.city.on("*", b"{}")
        yield up


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    pair = certificates.hospital["adapter"]
    return client_context(pair.certificate, pair.key, certificates.hospital.root)


def hangs_up(plain: socket.socket, drops: bytes = b"", seconds: float = 5.0) -> bytes:
    """What is said until the other side hangs up, while a byte is sent now and then; fails when it does not."""
    plain.settimeout(0.05)
    heard, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if drops:
                plain.sendall(drops[:1])
                drops = drops[1:]
            if not (part := plain.recv(65_536)):
                return heard
            heard += part
        except TimeoutError:
            continue
        except OSError:
            return heard
    raise AssertionError("nobody hung up")


def test_a_handshake_that_stops_is_ended(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as plain:
        assert hangs_up(plain) == b""


def test_a_connection_that_says_nothing_is_ended(running: Running, tls: ssl.SSLContext) -> None:
    with connected(running.port, tls) as connection:
        assert hangs_up(connection.socket) == b""


def test_a_head_in_drops_is_refused_however_steadily_they_come(running: Running, tls: ssl.SSLContext) -> None:
    with connected(running.port, tls) as connection:
        heard = hangs_up(connection.socket, drops=HEAD + b"X-A: " + b"a" * 500)

    assert heard.startswith(b"HTTP/1.1 400 ")
    assert running.city.seen == []


def test_a_body_in_drops_is_refused_however_steadily_they_come(running: Running, tls: ssl.SSLContext) -> None:
    with connected(running.port, tls) as connection:
        connection.send(HEAD + b"Content-Length: 500\r\n\r\n")
        heard = hangs_up(connection.socket, drops=b"a" * 400)

    assert heard.startswith(b"HTTP/1.1 400 ")
    assert running.audit()[-1]["reason"] == "body did not arrive"
    assert running.city.seen == []


def test_after_its_calls_an_idle_connection_is_ended(running: Running, tls: ssl.SSLContext) -> None:
    with connected(running.port, tls) as connection:
        connection.send(HONEST)
        assert [one.status for one in connection.answers(1, 5)] == [200]

        assert hangs_up(connection.socket) == b""


def test_who_does_not_take_the_answer_is_cut_off(running: Running, tls: ssl.SSLContext) -> None:
    running.city.answers["*"] = lambda _: web.Response(body=b"a" * 4_900_000, content_type="x/y")
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        plain.connect(("127.0.0.1", running.port))
        with tls.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(HONEST)
            wait_until(lambda: bool(running.audit()), "the answer")
            wait_until(lambda: not running.listener.open_ones, "the end of the connection", 5)


def test_an_answer_that_is_taken_slowly_arrives_whole(running: Running, tls: ssl.SSLContext) -> None:
    running.city.answers["*"] = lambda _: web.Response(body=b"a" * 1_000_000, content_type="x/y")

    with connected(running.port, tls) as connection:
        connection.send(HONEST + HONEST)
        said = connection.answers(2, 5)

    assert [len(one.body) for one in said] == [1_000_000, 1_000_000]


def test_nobody_waits_for_the_slow_ones(running: Running, tls: ssl.SSLContext) -> None:
    slow = [RawConnection(running.port, tls) for _ in range(20)]
    for one in slow:
        one.send(HEAD)

    with connected(running.port, tls) as connection:
        connection.send(HONEST)
        assert [one.status for one in connection.answers(1, 5)] == [200]
    for one in slow:
        one.socket.close()


def test_more_connections_than_there_may_be_are_ended_at_once(running: Running, tls: ssl.SSLContext) -> None:
    many = [RawConnection(running.port, tls) for _ in range(SHORT.connections + 2)]

    wait_until(lambda: len(running.listener.open_ones) <= SHORT.connections, "the bound")
    assert b"" in {hangs_up(one.socket) for one in many[-2:]}
    for one in many:
        one.socket.close()


def test_a_caller_who_leaves_in_mid_call_leaves_its_line(running: Running, tls: ssl.SSLContext) -> None:
    async def slowly(_: Seen) -> web.Response:
        wait_gone.append(1)
        return web.Response(body=b"{}", content_type="application/json")

    wait_gone: list[int] = []
    running.city.answers["*"] = slowly
    with connected(running.port, tls) as connection:
        connection.send(HONEST)
        wait_until(lambda: bool(wait_gone), "the call")

    wait_until(lambda: bool(running.audit()), "its line")
    assert running.audit()[-1]["status"] == 200


def test_closing_lets_the_running_call_end_and_takes_no_other(running: Running, tls: ssl.SSLContext) -> None:
    entered, release = threading.Event(), threading.Event()

    async def held(_: Seen) -> web.Response:
        entered.set()
        await asyncio.to_thread(release.wait)
        return web.Response(body=b"{}", content_type="application/json")

    running.city.answers["*"] = held
    with connected(running.port, tls) as busy, connected(running.port, tls) as idle:
        busy.send(HONEST)
        assert entered.wait(5)
        closing = asyncio.run_coroutine_threadsafe(running.listener.close(5), running.loop.loop)
        assert hangs_up(idle.socket) == b""
        release.set()
        [said] = busy.answers(1, 5)
        closing.result(5)

    assert (said.status, said.headers["connection"]) == (200, "close")
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", running.port), timeout=1)
