"""Four network namespaces joined as design.md, section 1, draws them: everybody reaches the gateway, and nobody anybody else.

```
cloud ──────┐
             gateway ────── hospital
platform ───┘
```

Each line is a pair of virtual interfaces with two addresses; the gateway has an end of each and forwards nothing. There is no
other route, not even a default one. The addresses are of the ranges for documentation and exist in these namespaces only.
"""

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

GATEWAY = "gateway"
LINKS = {
    "cloud": ("192.0.2.1", "192.0.2.2"),
    "hospital": ("198.51.100.1", "198.51.100.2"),
    "platform": ("203.0.113.1", "203.0.113.2"),
}
"""Zone: the gateway's address on the line to it, and the zone's own."""
ASKING = Path(__file__).with_name("asking.py")


@functools.cache
def lacking() -> str:
    """Why there can be no such networks here; empty when there can."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if shutil.which("ip") is None:
        return "no ip here: apt-get install --no-install-recommends iproute2"
    name = f"zt{secrets.token_hex(3)}"
    tried = _tried("ip", "netns", "add", name)
    try:
        if tried:
            tried = _tried("ip", "-n", name, "link", "add", "t0", "type", "veth", "peer", "name", "t1")
    finally:
        _tried("ip", "netns", "delete", name)
    return "" if tried else "network namespaces with virtual interfaces are not allowed here"


@dataclass(frozen=True)
class Zones:
    """`run`: what these namespaces are called by."""

    run: str

    def name(self, zone: str) -> str:
        """The namespace of a zone."""
        return f"{self.run}-{zone}"

    def inside(self, zone: str, *command: str) -> list[str]:
        """A command line that runs in a zone."""
        return ["ip", "netns", "exec", self.name(zone), *command]

    def start(
        self, zone: str, module: str, *arguments: str, env: Mapping[str, str], log: Path
    ) -> "subprocess.Popen[bytes]":
        """A process of ours in a zone."""
        with log.open("wb") as output:
            return subprocess.Popen(
                self.inside(zone, sys.executable, "-m", module, *arguments),
                cwd=log.parent, env=dict(env), stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def ask(self, zone: str, **question: Any) -> dict[str, Any]:
        """What somebody in a zone gets to see, see asking.py."""
        command = self.inside(zone, sys.executable, "-I", str(ASKING), msgspec.json.encode(question).decode())
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        answer: dict[str, Any] = msgspec.json.decode(done.stdout)
        return answer

    def connects(self, zone: str, address: str, port: int) -> str:
        """`connected`, or the system's word for why not."""
        return str(self.ask(zone, connect=[address, port])["said"])

    def routes(self, zone: str) -> list[str]:
        """The whole routing table of a zone, IPv6 too."""
        return [
            line for family in ("-4", "-6") for line in _out("ip", family, "-n", self.name(zone), "route")
        ]

    def forwards(self, on: bool) -> None:
        """Whether the gateway's machine passes packets on, as a router would."""
        _run(*self.inside(GATEWAY, "sh", "-c", f"echo {int(on)} > /proc/sys/net/ipv4/ip_forward"))

    def lay_routes(self, *zones: str) -> None:
        """Somebody in these zones names the gateway as the way to everywhere."""
        for zone in zones:
            _run("ip", "-n", self.name(zone), "route", "replace", "default", "via", LINKS[zone][0])

    def take_routes(self, *zones: str) -> None:
        """As it was."""
        for zone in zones:
            _run("ip", "-n", self.name(zone), "route", "delete", "default")


@contextlib.contextmanager
def zones() -> Iterator[Zones]:
    """Until the block ends, whatever happens in it. Every run has names of its own."""
    made = Zones(f"z{os.getpid() % 100_000}{secrets.token_hex(2)}")
    try:
        for zone in (GATEWAY, *LINKS):
            _run("ip", "netns", "add", made.name(zone))
            _run("ip", "-n", made.name(zone), "link", "set", "lo", "up")
        for zone, (near, own) in LINKS.items():
            end = f"to-{zone}"
            _run("ip", "-n", made.name(GATEWAY), "link", "add", end, "type", "veth",
                 "peer", "name", "eth0", "netns", made.name(zone))  # fmt: skip
            for place, device, address in ((GATEWAY, end, near), (zone, "eth0", own)):
                _run("ip", "-n", made.name(place), "address", "add", f"{address}/30", "dev", device)
                _run("ip", "-n", made.name(place), "link", "set", device, "up")
        made.forwards(False)
        yield made
    finally:
        for zone in (GATEWAY, *LINKS):  # the interfaces go with their namespace
            _tried("ip", "netns", "delete", made.name(zone))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _out(*words: str) -> list[str]:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()


def _tried(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
