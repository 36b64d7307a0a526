"""Certificates of one machine: `python -m standalone.certificates --data DIR` makes or renews them.

Two roots that know nothing of each other. The hospital's root signs the processes of the hospital's zones (ours).
The city platform's root signs the platform's server and what the gateways show there: the platform decides who comes in.
A process is known by its URI name `spiffe://internet-hospital/<process>`, never merely by its root.

    <data>/certs/hospital/root.pem, root.key, <process>.pem, <process>.key
    <data>/certs/platform/root.pem, root.key, supervision.pem, gateway-a.pem, …
"""

import argparse
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from foundation.clock import Clock
from standalone.issue import Authority, Leaf
from standalone.paths import DataFolder, data_folder, write_private

IDENTITIES = "spiffe://internet-hospital/"
HERE = ("localhost", "127.0.0.1")

HOSPITAL = (
    Leaf("backend-api", server=True, client=True),
    Leaf("backend-worker", server=False, client=True),
    Leaf("backend-media", server=True, client=True),
    Leaf("gateway-a", server=True, client=True),
    Leaf("gateway-b", server=True, client=True),
    Leaf("adapter", server=True, client=True),
    Leaf("adapter-seal", server=False, client=False),  # signs the hospital's statement of each day
    Leaf("his", server=True, client=False),
    Leaf("pacs", server=True, client=False),
    Leaf("supervision", server=False, client=True),  # the supervisors' look-in comes to our gateways
)
PLATFORM = (
    Leaf("supervision", server=True, client=False),
    Leaf("supervision-seal", server=False, client=False),  # signs the platform's statement of each day
    Leaf("gateway-a", server=False, client=True),
    Leaf("gateway-b", server=False, client=True),
)
WEB = Leaf("web", server=True, client=False)


@dataclass(frozen=True)
class Pair:
    """PEM files of one process, and the name that its peers know it by."""

    certificate: Path
    key: Path
    identity: str


@dataclass(frozen=True)
class Zone:
    """One root and the processes it vouches for."""

    root: Path
    pairs: Mapping[str, Pair]

    def __getitem__(self, process: str) -> Pair:
        return self.pairs[process]


@dataclass(frozen=True)
class Certificates:
    """`web` is for browsers (`make run TLS=1`); its root is the hospital's."""

    hospital: Zone
    platform: Zone
    web: Pair


def ensure(
    folder: DataFolder,
    *,
    hosts: Sequence[str] = (),
    owner: tuple[int, int] | None = None,
    now: datetime | None = None,
) -> Certificates:
    """All certificates, made or renewed where need be (30 days before they end).

    `hosts`: names and addresses of this machine that phones use, for `web`.
    `owner`: uid and gid of the processes, when they are not run by the caller's account.
    """
    moment = now or Clock().now()  # TLS goes by the machine's own clock, whatever a test has set
    hospital = _zone(
        folder.certs / "hospital", "互联网医院本机根证书", (*HOSPITAL, WEB), hosts, owner, moment
    )
    platform = _zone(folder.certs / "platform", "市监管平台本机根证书", PLATFORM, (), owner, moment)
    return Certificates(hospital, platform, hospital["web"])


def _zone(
    place: Path,
    name: str,
    leaves: Sequence[Leaf],
    hosts: Sequence[str],
    owner: tuple[int, int] | None,
    now: datetime,
) -> Zone:
    place.mkdir(parents=True, exist_ok=True)
    root_file, root_key = place / "root.pem", place / "root.key"
    authority = Authority.load(root_file, root_key, now)
    if authority is None:
        authority = Authority.make(name, now)
        write_private(root_key, authority.key_pem())
        _write_public(root_file, authority.certificate_pem())
    pairs = {}
    for leaf in leaves:
        pair = Pair(place / f"{leaf.name}.pem", place / f"{leaf.name}.key", IDENTITIES + leaf.name)
        names = tuple(dict.fromkeys((*HERE, *hosts))) if leaf is WEB else HERE
        if not authority.vouches(pair.certificate, pair.key, pair.identity, names, now):
            certificate, key = authority.issue(leaf, pair.identity, names, now)
            write_private(pair.key, key, owner)
            _write_public(pair.certificate, certificate)
        pairs[leaf.name] = pair
    return Zone(root_file, pairs)


def _write_public(path: Path, content: bytes) -> None:
    write_private(path, content)
    path.chmod(0o644)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m standalone.certificates", description="local certificates"
    )
    parser.add_argument("--data", type=Path, required=True, help="data folder of the installation")
    parser.add_argument(
        "--host", action="append", default=[], help="another name or address for the web certificate"
    )
    wanted = parser.parse_args(arguments)
    for host in wanted.host:
        if not is_host(host):
            parser.error(f"--host {host!r} is neither a name nor an address")
    made = ensure(data_folder(wanted.data), hosts=wanted.host)
    for zone in (made.hospital, made.platform):
        print(zone.root)
        for pair in zone.pairs.values():
            print(f"  {pair.certificate.name:20} {pair.identity}")


def is_host(text: str) -> bool:
    """Whether it is a name or an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text.isascii() and all(part.replace("-", "").isalnum() for part in text.split("."))
    return True


if __name__ == "__main__":
    main()
