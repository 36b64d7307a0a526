"""Calls over kept mTLS connections, in a process of its own, from one thread over epoll: `python gateway_loader.py '{…}'`.

Plain sockets with OpenSSL on the descriptor, no event loop between: a loader that costs more than what it measures measures
itself. Standard library only. Two ways: every connection as fast as it gets answers, or (`rate`) so many calls a second over
whichever connection is free. Prints one line of JSON: {calls, bad, seconds, cpu_s, p50_ms, p99_ms}.
"""

import base64
import json
import re
import select
import socket
import ssl
import sys
import time
from collections import deque
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


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


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """The calls of one round."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_cert_chain(asked["certificate"], asked["key"])
    tls.load_verify_locations(asked["root"])
    request = base64.b64decode(asked["request"])
    ports, rate, seconds = asked["ports"], asked.get("rate", 0), asked["seconds"]
    lines = [Line(ports[number % len(ports)], tls) for number in range(asked["connections"])]
    poll = select.epoll()
    by_file = {one.socket.fileno(): one for one in lines}
    for number in by_file:
        poll.register(number, select.EPOLLIN)
    took: list[float] = []
    bad = 0
    free = deque(lines)
    if not rate:
        while free:
            free.popleft().send(request)
    begun, cpu = time.perf_counter(), time.process_time()
    end, sent = begun + seconds, 0
    while (now := time.perf_counter()) < end and by_file:
        wait = end - now
        if rate:
            while free and sent < (now - begun) * rate:
                sent += 1
                free.popleft().send(request)
            wait = min(wait, max(0.0, begun + (sent + 1) / rate - now))
        for number, _ in poll.poll(wait):
            line = by_file[number]
            whole, good = line.feed()
            if not whole:
                continue
            took.append(time.perf_counter() - line.begun)
            bad += not good
            if line.gone:
                poll.unregister(number)
                del by_file[number]
            elif rate:
                free.append(line)
            else:
                line.send(request)
    spent = time.perf_counter() - begun
    used = time.process_time() - cpu
    took.sort()
    return {
        "calls": len(took), "bad": bad, "seconds": round(spent, 3), "cpu_s": round(used, 3),
        "p50_ms": round(took[len(took) // 2] * 1000, 3) if took else None,
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 3) if took else None,
    }  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(sys.argv[1]))) + "\n")
