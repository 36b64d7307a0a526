"""Raw bytes on a gateway's port, and a strict reading of what it says: a well-formed answer, or nothing."""

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [A-Za-z '-]*")
_HEADER = re.compile(rb"([a-z-]+): ([\x20-\x7e]*)")


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_problem(self) -> bool:
        """Whether it is a refusal in the one form of refusals, by which the connection ends or goes on."""
        return self.status >= 400 and self.headers["content-type"] == "application/problem+json"


class RawConnection:
    """A TLS connection; `answers` reads as many answers as come."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost")
        self._buffer = b""
        self.ended = False

    def send(self, data: bytes) -> None:
        """Everything, unless the other side has hung up."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def answers(self, count: int, seconds: float) -> list[Said]:
        """Up to `count` answers, fewer when the other side closes, says that it will, or is silent for `seconds`."""
        found: list[Said] = []
        while len(found) < count and (said := self._one(seconds)) is not None:
            found.append(said)
            if said.headers.get("connection") == "close":
                break
        return found

    def _one(self, seconds: float) -> Said | None:
        while (whole := self._whole()) is None:
            self.socket.settimeout(seconds)
            try:
                part = self.socket.recv(65_536)
            except TimeoutError:
                break
            except OSError:
                part = b""
            if not part:
                self.ended = True
                break
            self._buffer += part
        if whole is None:
            assert not self._buffer, f"an answer that stops: {self._buffer[:300]!r}"
            return None
        return whole

    def _whole(self) -> Said | None:
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return None
        first, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        assert status, first
        pairs = [_HEADER.fullmatch(line) for line in lines]
        assert all(pairs), lines
        headers = {one[1].decode(): one[2].decode() for one in pairs if one}
        assert len(headers) == len(lines), lines
        size = int(headers["content-length"])
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        return Said(int(status[1]), headers, rest[:size])


@contextlib.contextmanager
def connected(port: int, tls: ssl.SSLContext) -> Iterator[RawConnection]:
    """A connection, closed at the end."""
    connection = RawConnection(port, tls)
    try:
        yield connection
    finally:
        connection.socket.close()
