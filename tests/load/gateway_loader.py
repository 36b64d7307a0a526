"""Calls over kept mTLS connections, in a process of its own, from one thread over epoll: `python gateway_loader.py '{…}'`.

Plain sockets with OpenSSL on the descriptor, no event loop between: a loader that costs more than what it measures measures
itself. Standard library only. Two ways: every connection as fast as it gets answers, or (`rate`) so many calls a second over
whichever connection is free. The first `LEAD` seconds are not counted: connections are made in them. Prints one line of JSON:
{calls, bad, seconds, cpu_s, peers_cpu_s (of the processes `pids`), p50_ms, p99_ms}.
"""

import base64
import json
import os
import re
import select
import socket
import ssl
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
LEAD = 0.7
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pids: list[int]) -> float:
    """Seconds of CPU that these processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


class Line:
    """One connection; `feed` says whether the answer is whole."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost")
        self.socket.setblocking(False)
        self.begun = 0.0
        self.gone = False
        self._buffer = b""

    def send(self, request: bytes) -> None:
        """Write one request; it must fit the socket's buffer."""
        self.begun = time.perf_counter()
        if self.socket.send(request) != len(request):
            raise OSError("request does not fit the socket's buffer")

    def feed(self) -> tuple[bool, bool]:
        """(whole, good) after reading what is there."""
        while True:
            try:
                part = self.socket.recv(65_536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False, False
            if not part:
                self.gone = True
                return True, False
            self._buffer = self._buffer + part if self._buffer else part
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                continue
            found = _LENGTH.search(self._buffer, 0, end + 2)
            if len(self._buffer) >= end + 4 + (int(found[1]) if found else 0):
                good = self._buffer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
                self._buffer = b""
                return True, good


class Round:
    """The calls of one round."""

    def __init__(self, asked: dict[str, Any]) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_cert_chain(asked["certificate"], asked["key"])
        tls.load_verify_locations(asked["root"])
        ports = asked["ports"]
        self._request = base64.b64decode(asked["request"])
        self._rate = asked.get("rate", 0)
        self._seconds = asked["seconds"]
        self._pids = asked["pids"]
        lines = [Line(ports[number % len(ports)], tls) for number in range(asked["connections"])]
        self._lines = {one.socket.fileno(): one for one in lines}
        self._free = deque(lines)
        self._poll = select.epoll()
        for number in self._lines:
            self._poll.register(number, select.EPOLLIN)
        self._took: list[float] = []
        self._bad = 0

    def run(self) -> dict[str, Any]:
        """All of them, and how long they took."""
        self._turn(LEAD)
        self._took.clear()
        begun, cpu, peers = time.perf_counter(), time.process_time(), cpu_of(self._pids)
        self._turn(self._seconds)
        took = sorted(self._took)
        return {
            "calls": len(took), "bad": self._bad, "seconds": round(time.perf_counter() - begun, 3),
            "cpu_s": round(time.process_time() - cpu, 3), "peers_cpu_s": round(cpu_of(self._pids) - peers, 3),
            "p50_ms": round(took[len(took) // 2] * 1000, 3) if took else None,
            "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 3) if took else None,
        }  # fmt: skip

    def _turn(self, seconds: float) -> None:
        begun, sent = time.perf_counter(), 0
        end = begun + seconds
        while (now := time.perf_counter()) < end and self._lines:
            wait = end - now
            if self._rate:
                while self._free and sent < (now - begun) * self._rate:
                    sent += 1
                    self._free.popleft().send(self._request)
                wait = min(wait, max(0.0, begun + (sent + 1) / self._rate - now))
            else:
                while self._free:
                    self._free.popleft().send(self._request)
            for number, _ in self._poll.poll(wait):
                self._heard(number)

    def _heard(self, number: int) -> None:
        line = self._lines[number]
        whole, good = line.feed()
        if not whole:
            return
        self._took.append(time.perf_counter() - line.begun)
        self._bad += not good
        if line.gone:
            self._poll.unregister(number)
            del self._lines[number]
        elif self._rate:
            self._free.append(line)
        else:
            line.send(self._request)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(Round(json.loads(sys.argv[1])).run()) + "\n")
