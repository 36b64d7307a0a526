"""`python -m tests.load.bench_gateway [--rounds 5] [--seconds 3]`: the gateway beside one nginx worker, mTLS on both sides.

Rounds alternate: nginx, the gateway, two gateways, the typed route. The ratio is the median of each round's own. Its last line
is JSON: {rps, nginx_rps, ratio, ratios, rps_two_processes, typed_rps, added_p50_ms, added_p99_ms, cpu_us, nginx_cpu_us, …}.
"""

import argparse
import base64
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from front_gateway.policy.reading import DEFAULT
from standalone.certificates import Certificates, Pair, ensure
from standalone.paths import DataFolder
from tests.load import gateway_peers as peers
from tests.load.gateway_peers import Peer
from tests.unit.gateway import fhir

LOADER = Path(__file__).with_name("gateway_loader.py")
CONNECTIONS = 64
RATE = 200
SEALED = b"0123456789abcdef" * 64
FIND = {"purpose": "eligibility", "id_number": fhir.NUMBER, "name": fhir.NAME}


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """The bytes of one call."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        *headers,
        *([f"Content-Length: {len(body)}"] if body else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


PROXIED = request(
    "POST", "/openapi/api", SEALED, "Content-Type: application/json", "X-Ca-Key: bench", "X-Ca-Nonce: 0199a000",
    "X-Ca-Timestamp: 1", "X-Content-MD5: 00", "X-Ca-Signature: 00", "X-Service-Id: his", "X-Service-Method: none",
)  # fmt: skip
TYPED = request(
    "POST", "/his/v1/find-patient", json.dumps(FIND, ensure_ascii=False).encode(),
    "Content-Type: application/json", "X-Request-Id: bench-0001",
)  # fmt: skip
DIRECT = request(
    "GET", f"/fhir/Patient?identifier={fhir.ID_CARD}%7C{fhir.NUMBER}", b"", "Accept: application/fhir+json"
)


def say(text: str) -> None:
    """One line of progress, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass
class Rounds:
    """What each round gave, by column."""

    certificates: Certificates
    seconds: float
    found: dict[str, list[float]] = field(default_factory=dict)

    def load(
        self,
        ports: list[int],
        pair: Pair,
        root: Path,
        call: bytes,
        *,
        rate: int = 0,
        pids: tuple[int, ...] = (),
    ) -> dict[str, Any]:
        """One run of the loader; every call must have been answered with 200."""
        asked = {
            "ports": ports, "certificate": str(pair.certificate), "key": str(pair.key), "root": str(root), "rate": rate, "pids": pids,
            "connections": 16 if rate else CONNECTIONS, "seconds": self.seconds,
            "request": base64.b64encode(call).decode(),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-I", str(LOADER), json.dumps(asked)], capture_output=True, text=True, check=True
        )
        result: dict[str, Any] = json.loads(done.stdout)
        if result["bad"] or not result["calls"]:
            raise SystemExit(f"no bench: {result['calls']} answers, {result['bad']} of them bad")
        return result

    def full(self, column: str, who: list[Peer], caller: str, call: bytes) -> float:
        """As many calls as go; calls a second, with their CPU time beside."""
        ours = self.certificates.hospital
        pids = tuple(pid for one in who for pid in one.pids)
        result = self.load([one.port for one in who], ours[caller], ours.root, call, pids=pids)
        rps = float(result["calls"] / result["seconds"])
        micros = result["peers_cpu_s"] / result["calls"] * 1_000_000
        self.keep(column, rps)
        self.keep(f"{column}_cpu_us", micros)
        self.keep(f"{column}_loader_share", result["cpu_s"] / result["seconds"])
        say(f"  {column:10} {rps:8.0f}/s  p99 {result['p99_ms']:6.1f} ms  {micros:5.0f} µs of CPU a call")
        return rps

    def keep(self, column: str, value: float) -> None:
        """One more value of a column."""
        self.found.setdefault(column, []).append(value)

    def median(self, column: str, digits: int = 0) -> float:
        """The column's middle."""
        middle = statistics.median(self.found[column])
        return round(middle, digits) if digits else round(middle)


def one_round(rounds: Rounds, behind: Peer, nginx: Peer, gateways: list[Peer]) -> None:
    """Each of them once."""
    anchor = rounds.full("nginx", [nginx], "adapter", PROXIED)
    rounds.keep("ratio", rounds.full("one", gateways[:1], "adapter", PROXIED) / anchor)
    rounds.keep("cpu_ratio", rounds.found["nginx_cpu_us"][-1] / max(rounds.found["one_cpu_us"][-1], 0.001))
    rounds.full("two", gateways, "adapter", PROXIED)
    rounds.full("typed", gateways[:1], "backend-api", TYPED)
    ours = rounds.certificates.hospital
    direct = rounds.load([behind.his], ours["gateway-a"], ours.root, DIRECT, rate=RATE)
    through = rounds.load([gateways[0].port], ours["backend-api"], ours.root, TYPED, rate=RATE)
    for which in ("p50_ms", "p99_ms"):
        rounds.keep(f"added_{which}", through[which] - direct[which])
        rounds.keep(f"typed_{which}", through[which])
    say(
        f"  {RATE}/s typed: p50 {direct['p50_ms']} → {through['p50_ms']}, p99 {direct['p99_ms']} → {through['p99_ms']} ms"
    )


def generous(folder: Path) -> Path:
    """The shipped whitelist with rates that no bench meets."""
    lines = DEFAULT.read_text(encoding="utf-8").splitlines()
    rates = {"per_second": "100000", "burst": "100000", "at_once": "1000"}
    kept = [
        f"{name} = {rates[name]}" if (name := line.partition(" = ")[0]) in rates else line for line in lines
    ]
    file = folder / "whitelist.toml"
    file.write_text("\n".join(kept), encoding="utf-8")
    tomllib.loads(file.read_text(encoding="utf-8"))
    return file


def measure(folder: Path, count: int, seconds: float) -> Rounds:
    """All rounds, and the audit of what they did."""
    certificates = ensure(DataFolder(folder / "certificates"))
    whitelist = generous(folder)
    patients = json.dumps(fhir.bundle(fhir.patient()), ensure_ascii=False)
    rounds = Rounds(certificates, seconds)
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(peers.upstream(folder, certificates, patients))
        nginx = stack.enter_context(peers.yardstick(folder, certificates, behind.port))
        gateways = [
            stack.enter_context(peers.gateway(name, folder, certificates, whitelist, behind.port, behind.his))
            for name in ("a", "b")
        ]
        for number in range(count + 1):
            say(f"round {number} of {count}" if number else "warming up")
            one_round(rounds, behind, nginx, gateways)
            if not number:
                rounds.found.clear()
    return rounds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_gateway")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    chosen = parser.parse_args()
    if not peers.ensure():
        sys.exit(f"nginx is missing; on Debian: {peers.INSTALL}")
    with tempfile.TemporaryDirectory() as place:
        rounds = measure(Path(place), chosen.rounds, chosen.seconds)
    say(
        json.dumps(
            {
                "rps": rounds.median("one"), "nginx_rps": rounds.median("nginx"), "ratio": rounds.median("ratio", 3),
                "ratios": [round(one, 3) for one in rounds.found["ratio"]], "rps_two_processes": rounds.median("two"),
                "typed_rps": rounds.median("typed"), "added_p50_ms": rounds.median("added_p50_ms", 2),
                "added_p99_ms": rounds.median("added_p99_ms", 2), "typed_p99_ms": rounds.median("typed_p99_ms", 2),
                "cpu_us": rounds.median("one_cpu_us"), "nginx_cpu_us": rounds.median("nginx_cpu_us"),
                "cpu_ratio": rounds.median("cpu_ratio", 3), "typed_cpu_us": rounds.median("typed_cpu_us"),
                "loader_share_nginx": rounds.median("nginx_loader_share", 2),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
