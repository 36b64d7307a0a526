"""A page with two pictures and our client in it, served like the front serves it: no inline script, strict policy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[3]
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws:; media-src 'self' blob:"
PAGE = b"""<!doctype html><meta charset="utf-8"><title>video</title>
<video id="local"></video><video id="remote"></video><script type="module" src="/page.js"></script>"""
SCRIPT = b"""import { MediaClient } from "/video.js";
window.states = [];
window.start = (relayOnly) => {
  window.client = new MediaClient({
    relayOnly,
    getEntry: () => window.nextEntry(),
    localVideo: document.getElementById("local"),
    remoteVideo: document.getElementById("remote"),
    onState: (told) => window.states.push(told),
  });
  return window.client.connect();
};
window.ready = true;
"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files = {
            "/": (PAGE, "text/html"),
            "/page.js": (SCRIPT, "text/javascript"),
            "/video.js": ((ROOT / "miniapp_mock/front/static/video.js").read_bytes(), "text/javascript"),
        }
        body, kind = files.get(self.path, (b"", "text/plain"))
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.send_header("content-security-policy", POLICY)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served(host: str = "127.0.0.1") -> Iterator[str]:
    """Address of the page."""
    with ThreadingHTTPServer((host, 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
