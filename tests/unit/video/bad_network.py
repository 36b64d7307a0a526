"""A network of its own for one browser: packets are lost, or all of them are, in both directions.

A network namespace joined to this machine by a pair of virtual interfaces; nftables in it drops by interface, TCP as well,
so that signalling is really dead in an outage and ICE finds no way around. Needs root, `ip` and `nft`.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.unit.video.browsing import CHROMIUM


def lacking() -> str:
    """Why there can be none here; empty when there can."""
    if os.geteuid() != 0:
        return "needs root for a network namespace"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program) is None:
            return f"no {program} here: apt-get install --no-install-recommends {package}"
    tried = subprocess.run(["ip", "netns", "list"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "network namespaces are not allowed here"


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@dataclass(frozen=True)
class BadNetwork:
    """`host` is this machine's address towards it; `chromium` a programme that runs the browser in it."""

    name: str
    host: str
    chromium: Path

    def loses(self, percent: int) -> None:
        """So many of a hundred UDP packets are lost, each way; 0: none."""
        rule = f"meta l4proto udp numgen random mod 100 < {percent} drop" if percent else ""
        self._rules(rule)

    def is_out(self) -> None:
        """Nothing comes through."""
        self._rules(f'iifname "{self.name}b" drop', f'oifname "{self.name}b" drop')

    def _rules(self, incoming: str, outgoing: str | None = None) -> None:
        inside = ("ip", "netns", "exec", self.name, "nft")
        _run(*inside, "flush", "ruleset")
        _run(*inside, "add", "table", "inet", "bad")
        for chain, rule in (("input", incoming), ("output", incoming if outgoing is None else outgoing)):
            hook = f"{{ type filter hook {chain} priority 0 ; policy accept ; }}"
            _run(*inside, "add", "chain", "inet", "bad", chain, hook)
            if rule:
                _run(*inside, "add", "rule", "inet", "bad", chain, *rule.split())


@contextlib.contextmanager
def bad_network(folder: Path) -> Iterator[BadNetwork]:
    """Until the block ends; a network of its own for each process of tests."""
    number = os.getpid() % 16_000
    name, net = f"v{os.getpid() % 1_000_000}", f"10.{200 + number // 64 // 256}.{number // 64 % 256}"
    base = number % 64 * 4
    host, guest = f"{net}.{base + 1}", f"{net}.{base + 2}"
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
        _run("ip", "address", "add", f"{host}/30", "dev", f"{name}a")
        _run("ip", "link", "set", f"{name}a", "up")
        for words in (
            ("address", "add", f"{guest}/30", "dev", f"{name}b"), ("link", "set", f"{name}b", "up"),
            ("link", "set", "lo", "up"), ("route", "add", "default", "via", host),
        ):  # fmt: skip
            _run("ip", "-n", name, *words)
        chromium = folder / "chromium-in-a-bad-network"
        chromium.write_text(f'#!/bin/sh\nexec ip netns exec {name} {CHROMIUM} "$@"\n', encoding="ascii")
        chromium.chmod(0o755)
        yield BadNetwork(name, host, chromium)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", f"{name}a"], check=False, capture_output=True)
