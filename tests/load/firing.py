"""The loader: a process that fires HTTP requests over kept connections and says what came back.

`python -m tests.load.firing` reads one JSON order a line: {host, port, connections, requests: file, seconds, skip}; the file has one
JSON array `[method, path, token, key, body]` a line. Each connection sends its next request when the answer is there. Prints one
JSON line: {count, seconds, statuses, codes, latencies_ms (p50, p95, p99, max), made_at_s: seconds of each 201}.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast


class Connection(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, volley: "Volley") -> None:
        self.volley = volley
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by class

    def fire(self) -> None:
        """The next request, if there is one."""
        request = self.volley.take()
        if request is None:
            self.volley.quiet()
            return
        assert self.transport is not None
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Until the answer is whole."""
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.lower().find(b"content-length:", 0, head)
        length = int(self.buffer[at + 15 : self.buffer.find(b"\r", at)]) if at >= 0 else 0
        if len(self.buffer) < head + 4 + length:
            return
        again = b"idempotency-replayed" in self.buffer[:head]
        self.volley.answered(int(self.buffer[9:12]), self.buffer[head + 4 :], self.sent, again=again)
        self.buffer = b""
        self.fire()

    def connection_lost(self, exc: Exception | None) -> None:
        """Counted when it was not us."""
        if not self.volley.over.is_set():
            self.volley.statuses[0] += 1
            self.volley.quiet()


class Volley:
    """All requests of one order."""

    def __init__(self, requests: list[bytes], connections: int, seconds: float) -> None:
        self.requests, self.seconds = requests, seconds
        self.next, self.busy = 0, connections
        self.over = asyncio.Event()
        self.start = 0.0
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.since_start: list[float] = []
        self.made_at: list[float] = []
        self.replayed = 0

    def take(self) -> bytes | None:
        """The next one, while there is time."""
        if self.next >= len(self.requests) or time.perf_counter() - self.start > self.seconds:
            return None
        self.next += 1
        return self.requests[self.next - 1]

    def answered(self, status: int, body: bytes, sent: float, *, again: bool) -> None:
        """Count it."""
        now = time.perf_counter()
        self.statuses[status] += 1
        self.latencies.append(now - sent)
        self.since_start.append(now - self.start)
        if again:
            self.replayed += 1
        elif status == 201:
            self.made_at.append(now - self.start)
        else:
            self.codes[json.loads(body).get("code", "") if body.startswith(b"{") else ""] += 1

    def quiet(self) -> None:
        """One connection has nothing left to do."""
        self.busy -= 1
        if self.busy <= 0:
            self.over.set()


def encode(host: str, line: str) -> bytes:
    """One line of the file as bytes of HTTP."""
    method, path, token, key, body = json.loads(line)
    raw = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}"]
    head += [f"Idempotency-Key: {key}"] if key else []
    head += ["Content-Type: application/json", f"Content-Length: {len(raw)}", "", ""]
    return "\r\n".join(head).encode() + raw


def quantiles(values: list[float]) -> dict[str, float]:
    """In milliseconds."""
    if not values:
        return {}
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: ordered[min(int(len(ordered) * part), len(ordered) - 1)] for name, part in at.items()}
    return {name: round(value * 1000, 2) for name, value in (found | {"max": ordered[-1]}).items()}


async def fire(order: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """Obey one order."""
    requests = [encode(order["host"], line) for line in lines]
    ports: list[int] = order["ports"]
    volley = Volley(requests, order["connections"], order["seconds"])
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: Connection(volley), order["host"], ports[number % len(ports)]))[
            1
        ]
        for number in range(order["connections"])
    ]
    await asyncio.sleep(max(0.0, order.get("at", 0) - time.time()))
    cpu = time.process_time()
    volley.start = time.perf_counter()
    for connection in made:
        connection.fire()
    await volley.over.wait()
    seconds = time.perf_counter() - volley.start
    for connection in made:
        assert connection.transport is not None
        connection.transport.close()
    return {
        "count": sum(volley.statuses.values()), "seconds": round(seconds, 4), "statuses": volley.statuses,
        "codes": volley.codes, "latencies_ms": quantiles(volley.latencies),
        "since_start_ms": quantiles(volley.since_start), "used": volley.next, "replayed": volley.replayed,
        "last_made_s": round(max(volley.made_at, default=0.0), 4), "cpu_s": round(time.process_time() - cpu, 2),
    }  # fmt: skip


def main() -> None:
    """Orders on stdin, answers on stdout."""
    import uvloop

    for line in sys.stdin:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            order = json.loads(line)
            lines = Path(order["requests"]).read_text(encoding="utf-8").splitlines()
            sys.stdout.write(json.dumps(runner.run(fire(order, lines))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
