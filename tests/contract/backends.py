"""The backend's listener for gateways, as far as hints go: keeps what it is told, and may be away."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass
class Backend:
    """`hints` in order; `away` answers 503."""

    url: str = ""
    hints: list[dict[str, Any]] = field(default_factory=list)
    away: bool = False

    def take(self, raw: bytes) -> tuple[int, Any]:
        hint = msgspec.json.decode(raw)
        if self.away:
            return 503, {"code": "busy"}
        fresh = hint["key"] not in {one["key"] for one in self.hints}
        self.hints.append(hint)
        return 200, {"fresh": fresh}


@contextlib.contextmanager
def backend() -> Iterator[Backend]:
    """Up, on a port of its own."""
    kept = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = kept.take(body) if self.path == "/hospital/v1/hints" else (404, {})
            raw = msgspec.json.encode(answer)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
