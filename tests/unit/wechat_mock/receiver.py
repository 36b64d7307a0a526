"""The merchant's notify address: keeps what came, answers as it is told."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE = 10.0


@dataclass
class Receiver:
    """`answers` are used up one by one; then `answer`."""

    url: str = ""
    answer: int = 204
    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Until so many have come."""
        wait_for(lambda: len(self.received) >= count, f"{count} notifications, {len(self.received)} came")
        return self.received

    def told(self, event: str) -> tuple[dict[str, str], bytes]:
        """The first notification of this event type: the order in which they arrive is not promised."""

        def found() -> tuple[dict[str, str], bytes] | None:
            return next((one for one in self.received if json.loads(one[1])["event_type"] == event), None)

        got: tuple[dict[str, str], bytes] = wait_for(
            found, f"{event} among {len(self.received)} notifications"
        )
        return got


def wait_for(ready: Callable[[], Any], what: str) -> Any:
    """The first true value of `ready`, or a failure after ten seconds."""
    deadline = time.monotonic() + DEADLINE
    while not (value := ready()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.005)
    return value


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status = receiver.answers.pop(0) if receiver.answers else receiver.answer
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/notify"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
