"""Janus as a yardstick: Debian's package with a configuration of its own, and calls through its videocall plugin."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

INSTALL = "apt-get install --no-install-recommends janus"
_KEPT = ("libjanus_videocall.so", "libjanus_websockets.so")


def ensure() -> bool:
    """Whether Janus is here; where we may, it is installed."""
    if shutil.which("janus") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        words = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "janus"]
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shutil.which("janus") is not None


def _libraries() -> Path:
    return next(Path("/usr/lib").glob("*/janus"))


def _without_others(kind: str) -> str:
    names = (found.name for found in (_libraries() / kind).glob("*.so"))
    return ",".join(name for name in names if name not in _KEPT)


def _configuration(port: int) -> dict[str, str]:
    libraries = _libraries()
    return {
        "janus.jcfg": f"""general: {{
  plugins_folder = "{libraries}/plugins"
  transports_folder = "{libraries}/transports"
  events_folder = "{libraries}/events"
  loggers_folder = "{libraries}/loggers"
  debug_level = 3
}}
nat: {{ nice_debug = false }}
media: {{ rtp_port_range = "41000-49000" }}
plugins: {{ disable = "{_without_others("plugins")}" }}
transports: {{ disable = "{_without_others("transports")}" }}
""",
        "janus.transport.websockets.jcfg": f"""general: {{
  json = "compact"
  ws = true
  ws_ip = "127.0.0.1"
  ws_port = {port}
  wss = false
}}
""",
        "janus.plugin.videocall.jcfg": "general: { events = false }\n",
    }


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Janus until the block ends."""
    program = shutil.which("janus")
    assert program is not None, f"Janus is not here: {INSTALL}"
    folder.mkdir()
    for name, text in _configuration(port).items():
        (folder / name).write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-F", str(folder)], stdout=log, stderr=log)
    try:
        time.sleep(2)
        if process.poll() is not None:
            raise RuntimeError((folder / "log").read_text()[-2000:])
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Handle:
    """One user of the videocall plugin over a WebSocket of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._base: dict[str, int] = {}

    @classmethod
    async def attached(cls, session: aiohttp.ClientSession, address: str, username: str) -> "Handle":
        """Connected and registered."""
        handle = cls(await session.ws_connect(address, protocols=("janus-protocol",), heartbeat=20))
        await handle._send({"janus": "create"})
        made = await handle._until(lambda told: told["janus"] == "success")
        handle._base = {"session_id": made["data"]["id"]}
        await handle._send({"janus": "attach", "plugin": "janus.plugin.videocall"})
        made = await handle._until(lambda told: told["janus"] == "success")
        handle._base["handle_id"] = made["data"]["id"]
        await handle.ask({"request": "register", "username": username})
        await handle.event("registered")
        return handle

    async def ask(self, body: dict[str, Any], jsep: dict[str, str] | None = None) -> None:
        """A request to the plugin."""
        await self._send({"janus": "message", "body": body, **({"jsep": jsep} if jsep else {})})

    async def event(self, name: str) -> dict[str, Any]:
        """Wait for an event of the plugin; the whole message."""

        def is_it(told: dict[str, Any]) -> bool:
            data = told.get("plugindata", {}).get("data", {})
            if "error" in data:
                raise RuntimeError(data["error"])
            return bool(data.get("result", {}).get("event") == name)

        return await self._until(is_it)

    async def gathered(self) -> None:
        """No more candidates."""
        await self._send({"janus": "trickle", "candidate": {"completed": True}})

    async def close(self) -> None:
        """Hang up."""
        await self.ask({"request": "hangup"})
        await self._socket.close()

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(
            json.dumps({**message, **self._base, "transaction": str(next(self._numbers))})
        )

    async def _until(self, wanted: Any) -> dict[str, Any]:
        while True:
            told: dict[str, Any] = await self._socket.receive_json(timeout=15)
            if told["janus"] == "error":
                raise RuntimeError(told["error"])
            if wanted(told):
                return told
