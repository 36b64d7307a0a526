"""The four zones with their processes: gateway, HIS simulator and platform simulator are real; the cloud asks."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from foundation.clock import Clock
from standalone.issue import Authority, Leaf
from tests.contract.hospitals import ROOT, WORLD, environment
from tests.contract.platforms import ACCESS
from tests.contract.platforms import WORLD as PLATFORM_WORLD
from tests.contract.started import wait_until
from tests.zones.networks import GATEWAY, LINKS, Zones, lacking, zones

IDENTITIES = "spiffe://internet-hospital/"
HIS_PORT, CITY_PORT, GATEWAY_PORT = 8400, 8410, 8201


@dataclass(frozen=True)
class Files:
    """PEM files below a folder, made for the addresses of the zones."""

    folder: Path

    def root(self, zone: str) -> Path:
        return self.folder / f"{zone}-root.pem"

    def pair(self, zone: str, process: str) -> tuple[Path, Path]:
        return self.folder / f"{zone}-{process}.pem", self.folder / f"{zone}-{process}.key"


@dataclass(frozen=True)
class Running:
    """The zones with everything in them up."""

    zones: Zones
    files: Files
    audit: Path

    def post(self, process: str, path: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
        """As `process` in the cloud asks the gateway."""
        certificate, key = self.files.pair("hospital", process)
        return self.zones.ask(
            "cloud", post=f"https://{LINKS['cloud'][0]}:{GATEWAY_PORT}{path}", body=body,
            headers={"content-type": "application/json", **headers},
            certificate=str(certificate), key=str(key), root=str(self.files.root("hospital")),
        )  # fmt: skip


def certificates(folder: Path) -> Files:
    """Two roots; servers are known by their addresses in the zones."""
    files, now = Files(folder), Clock().now()
    servers = [near for near, _ in LINKS.values()]
    hospital = {
        "gateway-a": servers,
        "his": [LINKS["hospital"][1]],
        "backend-api": ["localhost"],
        "adapter": ["localhost"],
    }
    platform = {"gateway-a": ["localhost"], "supervision": [LINKS["platform"][1]]}
    for zone, processes in (("hospital", hospital), ("platform", platform)):
        authority = Authority.make(f"{zone} of a test", now)
        files.root(zone).write_bytes(authority.certificate_pem())
        for process, hosts in processes.items():
            _issue(authority, files.pair(zone, process), process, hosts, now)
    return files


def _issue(
    authority: Authority, paths: tuple[Path, Path], process: str, hosts: list[str], now: datetime
) -> None:
    pems = authority.issue(Leaf(process, server=True, client=True), IDENTITIES + process, hosts, now)
    for path, pem in zip(paths, pems, strict=True):
        path.write_bytes(pem)


def whitelist(folder: Path) -> Path:
    """The shipped one with callers from the cloud's address in the place of this machine's; what is pushed in plain stays here."""
    shipped = (ROOT / "front_gateway" / "whitelist.toml").read_text(encoding="utf-8")
    callers, senders, rest = shipped.partition("[senders.")
    changed = folder / "whitelist.toml"
    moved = callers.replace('["127.0.0.0/8", "::1/128"]', f'["{LINKS["cloud"][1]}/32"]')
    changed.write_text(moved + senders + rest, encoding="utf-8")
    return changed


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All up; ended and taken down whatever happens."""
    if missing := lacking():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("zones")
    for name in ("audit", "his", "platform"):
        (folder / name).mkdir()
    files = certificates(folder)
    with zones() as made, contextlib.ExitStack() as undo:
        started = {
            "his": (made.start("hospital", "simulators", "his", env=_his(files, folder), log=folder / "his.log"),
                    GATEWAY, LINKS["hospital"][1], HIS_PORT),
            "supervision": (made.start("platform", "simulators", "supervision", env=_platform(files, folder),
                                       log=folder / "supervision.log"),
                            GATEWAY, LINKS["platform"][1], CITY_PORT),
            "gateway": (made.start(GATEWAY, "front_gateway", env=_gateway(files, folder), log=folder / "gateway.log"),
                        "cloud", LINKS["cloud"][0], GATEWAY_PORT),
        }  # fmt: skip
        for process, *_ in started.values():
            undo.callback(_end, process)
        for name, (process, seen_from, address, port) in started.items():
            _wait(made, name, process, seen_from, address, port, folder / f"{name}.log")
        yield Running(made, files, folder / "audit")


def _wait(
    made: Zones, name: str, process: "subprocess.Popen[bytes]", zone: str, address: str, port: int, log: Path
) -> None:
    def up() -> bool:
        assert process.poll() is None, f"{name} ended:\n{log.read_text()[-2000:]}"
        return made.connects(zone, address, port) == "connected"

    wait_until(up, f"{name} listening")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """`ip netns exec` becomes the command, so that this is the process itself."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _his(files: Files, folder: Path) -> dict[str, str]:
    certificate, key = files.pair("hospital", "his")
    return environment(
        HOST=LINKS["hospital"][1], PORT=str(HIS_PORT), HEALTH_PORT="8401", HIS_WORLD=str(WORLD),
        HIS_DATA=str(folder / "his"), HIS_TLS_CERT=str(certificate), HIS_TLS_KEY=str(key),
        HIS_TLS_CA=str(files.root("hospital")), HIS_TLS_CLIENTS=f"{IDENTITIES}gateway-a",
    )  # fmt: skip


def _platform(files: Files, folder: Path) -> dict[str, str]:
    certificate, key = files.pair("platform", "supervision")
    return environment(
        HOST=LINKS["platform"][1], PORT=str(CITY_PORT), HEALTH_PORT="8411", SUPERVISION_WORLD=str(PLATFORM_WORLD),
        SUPERVISION_DATA=str(folder / "platform"), SUPERVISION_TLS_CERT=str(certificate), SUPERVISION_TLS_KEY=str(key),
        SUPERVISION_TLS_CA=str(files.root("platform")), SUPERVISION_TLS_CLIENTS=f"{IDENTITIES}gateway-a",
        **{f"SUPERVISION_{name}": value for name, value in ACCESS.items()},
    )  # fmt: skip


def _gateway(files: Files, folder: Path) -> dict[str, str]:
    server, server_key = files.pair("hospital", "gateway-a")
    outward, outward_key = files.pair("platform", "gateway-a")
    return environment(
        HOST=LINKS["cloud"][0], PORT=str(GATEWAY_PORT), HEALTH_PORT="8211", GATEWAY_NAME="a",
        WHITELIST=str(whitelist(folder)), AUDIT_FOLDER=str(folder / "audit"),
        SERVER_CERT=str(server), SERVER_KEY=str(server_key), CLIENT_ROOT=str(files.root("hospital")),
        HIS_URL=f"https://{LINKS['hospital'][1]}:{HIS_PORT}", HIS_CERT=str(server), HIS_KEY=str(server_key),
        HIS_ROOT=str(files.root("hospital")),
        CITY_URL=f"https://{LINKS['platform'][1]}:{CITY_PORT}", CITY_CERT=str(outward), CITY_KEY=str(outward_key),
        CITY_ROOT=str(files.root("platform")),
    )  # fmt: skip
