"""Janus as a child process: Debian's programme with a configuration of its own, reachable from this machine only."""

import asyncio
import contextlib
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from foundation.logs import log

INSTALL = "apt-get install --no-install-recommends janus"
KEPT = ("libjanus_videoroom.so", "libjanus_websockets.so")
READY_WITHIN = 10.0
END_WITHIN = 3.0
PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class JanusOptions:
    """`folder`: in memory, emptied at each start. `bind`: local addresses or interfaces, all when empty; `public`: behind NAT 1:1."""

    folder: Path
    bind: tuple[str, ...] = ()
    public: str = ""


def program() -> str:
    """Path of Janus; empty when it is not installed."""
    return shutil.which("janus") or ""


class JanusProcess:
    """One life of Janus."""

    def __init__(self, options: JanusOptions) -> None:
        self.port = _free_port()
        self.secret = secrets.token_urlsafe(24)
        self.recordings = options.folder / "recordings"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it listens. `OSError` or `TimeoutError` when it does not."""
        await asyncio.to_thread(self._prepare)
        with (self._options.folder / "log").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *_with_our_end(), program(), "--configs-folder", str(self._options.folder), "--disable-colors",
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        async with asyncio.timeout(READY_WITHIN):
            while not await self._listens():
                if self._process.returncode is not None:
                    raise OSError(f"Janus ended with {self._process.returncode}: {self.last_words()}")
                await asyncio.sleep(0.05)

    async def ended(self) -> int:
        """Wait for its end; the status."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End it, politely first, and leave nothing behind."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(END_WITHIN):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        await asyncio.to_thread(shutil.rmtree, self._options.folder, ignore_errors=True)

    def last_words(self) -> str:
        """The end of its log, in one line."""
        try:
            return " ".join((self._options.folder / "log").read_text(errors="replace")[-400:].split())
        except OSError:
            return ""

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _prepare(self) -> None:
        """What an earlier life left in memory is gone first."""
        folder = self._options.folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self.recordings.mkdir(mode=0o700)
        for name, text in _configuration(self.port, self.secret, self._options).items():
            (folder / name).write_text(text, encoding="utf-8")


def _with_our_end() -> list[str]:
    """Janus dies with us, also when we are killed: nobody else would end its rooms."""
    helper = shutil.which("setpriv")
    if helper is None:
        log.warning("setpriv_missing", why="Janus will survive a killed media process")
        return []
    return [helper, "--pdeathsig", "KILL", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configuration(port: int, secret: str, options: JanusOptions) -> dict[str, str]:
    libraries = next(Path("/usr/lib").glob("*/janus"), Path("/usr/lib/janus"))

    def others(kind: str) -> str:
        return ",".join(found.name for found in (libraries / kind).glob("*.so") if found.name not in KEPT)

    bind = f'ice_enforce_list = "{",".join(options.bind)}"' if options.bind else ""
    public = f'nat_1_1_mapping = "{options.public}"' if options.public else ""
    return {
        "janus.jcfg": f"""general: {{
  plugins_folder = "{libraries}/plugins"
  transports_folder = "{libraries}/transports"
  events_folder = "{libraries}/events"
  loggers_folder = "{libraries}/loggers"
  debug_level = 3
  api_secret = "{secret}"
  server_name = "internet-hospital"
  protected_folders = [ ]
}}
nat: {{
  nice_debug = false
  {bind}
  {public}
}}
media: {{
  rtp_port_range = "{_ports()}"
  no_media_timer = 2
}}
plugins: {{ disable = "{others("plugins")}" }}
transports: {{ disable = "{others("transports")}" }}
""",
        "janus.transport.websockets.jcfg": f"""general: {{
  json = "compact"
  ws = true
  ws_ip = "127.0.0.1"
  ws_port = {port}
  wss = false
}}
admin: {{ admin_ws = false }}
""",
        "janus.plugin.videoroom.jcfg": "general: { string_ids = true }\n",
    }


def _ports() -> str:
    """The kernel's own range, as for the other engine: what the firewall has open."""
    try:
        return "-".join(PORTS.read_text(encoding="ascii").split())
    except OSError:
        return "32768-60999"
