"""A page with two pictures and our client in it, served like the front serves it: no inline script, strict policy."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).parents[3]
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws:; media-src 'self' blob:"
PAGE = b"""<!doctype html><meta charset="utf-8"><title>video</title>
<video id="local"></video><video id="remote"></video><script type="module" src="/page.js"></script>"""
SCRIPT = b"""import { MediaClient } from "/video.js";
window.states = [];
window.start = (relayOnly, listens) => {
  window.client = new MediaClient({
    relayOnly,
    listens,
    getEntry: () => window.nextEntry(),
    localVideo: document.getElementById("local"),
    remoteVideo: document.getElementById("remote"),
    onState: (told) => window.states.push(told),
  });
  return window.client.connect();
};
window.ready = true;
"""


LOOK = b"""<!doctype html><meta charset="utf-8"><title>look-in</title>
<div id="look-in" data-look="L" data-look-in="L" data-csrf="c"><video data-watches="patient" autoplay playsinline muted></video>
<span data-state="patient"></span><video data-watches="doctor" autoplay playsinline muted></video><span data-state="doctor"></span>
<button id="look-sound" aria-pressed="false"></button></div>"""
PLAYERS = {
    "desk": ROOT / "backend/desk/static/look_in.js",
    "console": ROOT / "simulators/supervision/console/static/look_in.js",
}
"""Who shows a supervisor the pictures: the hospital's own desk, the city's console."""
Give = Callable[[str, str], dict[str, Any]]
"""The API's part of a look-in: an entry for (supervisor, party)."""


class _Handler(BaseHTTPRequestHandler):
    give: ClassVar[Any] = None

    def do_GET(self) -> None:
        files = {
            "/": (PAGE, "text/html"),
            "/page.js": (SCRIPT, "text/javascript"),
            **{f"/{name}.js": (path.read_bytes(), "text/javascript") for name, path in PLAYERS.items()},
            **{
                f"/look/{name}": (
                    LOOK + f'<script type="module" src="/{name}.js"></script>'.encode(),
                    "text/html",
                )
                for name in PLAYERS
            },
            "/video.js": ((ROOT / "miniapp_mock/front/static/video.js").read_bytes(), "text/javascript"),
        }
        self._answer(*files.get(self.path.split("?")[0], (b"", "text/plain")))

    def do_POST(self) -> None:
        """A ticket for the party at the end of the path, for the supervisor that the page's address names."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        who = self.headers.get("referer", "").rpartition("?")[2]
        assert self.give is not None
        entry = self.give(who, self.path.rpartition("/")[2])
        self._answer(json.dumps(entry).encode(), "application/json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.send_header("content-security-policy", POLICY)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served(host: str = "127.0.0.1", give: Give | None = None) -> Iterator[str]:
    """Address of the page; with `give` supervisors look in under `/look/<player>?<who>`."""
    handler = type("Handler", (_Handler,), {"give": staticmethod(give) if give else None})
    with ThreadingHTTPServer((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
