"""Raw bytes on the port: what two readers could understand differently is refused and reaches nobody."""

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from foundation.tls import client_context
from standalone.certificates import Certificates
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running

Raw = Callable[[bytes], bytes]
BODY = b'{"purpose":"eligibility","id_number":"310114195809199069","name":"x"}'
LINE = b"POST /his/v1/find-patient HTTP/1.1\r\nHost: g\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)

REFUSED = {
    "two lengths": LINE + LENGTH + LENGTH + b"\r\n" + BODY,
    "two different lengths": LINE + b"Content-Length: 3\r\n" + LENGTH + b"\r\n" + BODY,
    "length and chunks": LINE + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks": LINE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "strange transfer encoding": LINE + b"Transfer-Encoding: xchunked\r\n" + LENGTH + b"\r\n" + BODY,
    "space before the colon": LINE + b"Content-Length : 3\r\n\r\nabc",
    "folded header": LINE + b"X-A: 1\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "bare line feed": LINE + b"X-A: 1\nX-B: 2\r\n" + LENGTH + b"\r\n" + BODY,
    "negative length": LINE + b"Content-Length: -1\r\n\r\n",
    "signed length": LINE + b"Content-Length: +3\r\n\r\nabc",
    "two hosts": b"POST /his/v1/find-patient HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + LENGTH + b"\r\n" + BODY,
    "absolute form": b"POST http://g/his/v1/find-patient HTTP/1.1\r\nHost: g\r\n" + LENGTH + b"\r\n" + BODY,
    "encoded slash": b"POST /his%2fv1/find-patient HTTP/1.1\r\nHost: g\r\n" + LENGTH + b"\r\n" + BODY,
    "dots": b"POST /x/../his/v1/find-patient HTTP/1.1\r\nHost: g\r\n" + LENGTH + b"\r\n" + BODY,
    "query": b"POST /his/v1/find-patient?a=b HTTP/1.1\r\nHost: g\r\n" + LENGTH + b"\r\n" + BODY,
    "expect": LINE + LENGTH + b"Expect: 100-continue\r\n\r\n" + BODY,
    "upgrade": LINE + LENGTH + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" + BODY,
    "connect": b"CONNECT his:443 HTTP/1.1\r\nHost: his:443\r\n\r\n",
    "nul in a header": LINE + b"X-A: a\x00b\r\n" + LENGTH + b"\r\n" + BODY,
    "header of nine thousand": LINE + b"X-A: " + b"a" * 9_000 + b"\r\n" + LENGTH + b"\r\n" + BODY,
    "a hundred headers": LINE + b"".join(b"X-%d: 1\r\n" % n for n in range(100)) + LENGTH + b"\r\n" + BODY,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.fixture
def raw(running: Running, certificates: Certificates) -> Iterator[Raw]:
    """Send bytes, read until the gateway has nothing more to say for a moment."""
    pair = certificates.hospital["backend-api"]
    tls = client_context(pair.certificate, pair.key, certificates.hospital.root)
    opened: list[socket.socket] = []

    def send(data: bytes) -> bytes:
        plain = socket.create_connection(("127.0.0.1", running.port), timeout=5)
        connection = tls.wrap_socket(plain, server_hostname="localhost")
        opened.append(connection)
        connection.sendall(data)
        connection.settimeout(0.3)
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except (TimeoutError, ssl.SSLError, ConnectionResetError):
            pass
        return answer

    yield send
    for one in opened:
        one.close()


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused(running: Running, raw: Raw, data: bytes) -> None:
    running.hospital.on("*", fhir.bundle())

    answer = raw(data)

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:200]
    assert answer.count(b"HTTP/1.") == 1
    assert b"application/problem+json" in answer
    assert running.hospital.seen == []


def test_an_honest_call_by_hand_passes(running: Running, raw: Raw) -> None:
    running.hospital.on("*", fhir.bundle())

    answer = raw(LINE + LENGTH + b"\r\n" + BODY)

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"patient":null}')


def test_a_body_longer_than_announced_is_not_a_second_call(running: Running, raw: Raw) -> None:
    running.hospital.on("*", fhir.bundle())
    hidden = b"POST /his/v1/history HTTP/1.1\r\nHost: g\r\n\r\n"

    answer = raw(LINE + LENGTH + b"\r\n" + BODY + hidden)

    assert answer.count(b"HTTP/1.1 ") == 2
    assert [line["path"] for line in running.audit()] == ["/his/v1/find-patient", "/his/v1/history"]


def test_call_after_call_without_a_body_is_answered(running: Running, raw: Raw) -> None:
    nothing = LINE + b"Content-Length: 0\r\n\r\n"

    for _ in range(3):
        assert raw(nothing + nothing).count(b"HTTP/1.1 422") == 2


def hung_up(port: int, tls: ssl.SSLContext) -> bool:
    """Whether the other side ends a connection that shows this certificate, or none."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(LINE + b"\r\n")
            return not connection.recv(100)
    except (ssl.SSLError, ConnectionError):
        return True


def test_without_a_certificate_nobody_gets_a_word_in(running: Running, certificates: Certificates) -> None:
    assert hung_up(running.port, ssl.create_default_context(cafile=str(certificates.hospital.root)))
    assert running.audit() == []


def test_a_certificate_of_the_other_root_gets_no_word_in(
    running: Running, certificates: Certificates
) -> None:
    pair = certificates.platform["gateway-a"]

    assert hung_up(running.port, client_context(pair.certificate, pair.key, certificates.hospital.root))
