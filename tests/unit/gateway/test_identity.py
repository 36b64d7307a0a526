"""Whose certificate it is counts in both directions: name, root, time and purpose; and it can be renewed while calls come."""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from foundation.clock import Clock
from foundation.tls import client_context, server_context
from front_gateway.contexts import Contexts
from front_gateway.deadline import Deadline
from front_gateway.identity import identity_of
from front_gateway.refusals import Target, Unreachable
from front_gateway.settings import Settings
from front_gateway.upstream import Upstream
from standalone.certificates import IDENTITIES, Certificates, ensure
from standalone.issue import Authority, Leaf
from standalone.paths import DataFolder
from tests.unit.gateway.background import Loop, OtherSide, Running, serve

HERE = ("localhost", "127.0.0.1")
Made = tuple[Path, Path]
Issue = Callable[..., Made]


@pytest.fixture
def issue(certificates: Certificates, tmp_path: Path) -> Issue:
    """Certificates of the hospital's own root, right but for what a test says."""
    place = certificates.hospital.root.parent
    authority = Authority.load(place / "root.pem", place / "root.key", Clock().now())
    assert authority is not None

    def make(
        name: str, *, identity: str = "", server: bool = True, client: bool = True, days: int = 0
    ) -> Made:
        leaf = Leaf(name, server=server, client=client)
        moment = Clock().now() + timedelta(days=days)
        pem, key = authority.issue(leaf, identity or IDENTITIES + name, HERE, moment)
        paths = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        for path, content in zip(paths, (pem, key), strict=True):
            path.write_bytes(content)
        return paths

    return make


def call(running: Running, certificates: Certificates, pair: Made) -> httpx.Response:
    with httpx.Client(
        base_url=f"https://127.0.0.1:{running.port}", verify=client_context(*pair, certificates.hospital.root)
    ) as client:
        return client.post("/openapi/api", content=b"x")


def test_the_right_certificate_passes(running: Running, certificates: Certificates, issue: Issue) -> None:
    running.city.on("*", b"{}")

    assert call(running, certificates, issue("adapter")).status_code == 200


@pytest.mark.parametrize(
    "identity", ["spiffe://internet-hospital/adapter2", "spiffe://elsewhere/adapter", "https://adapter"]
)
def test_another_name_of_our_root_is_refused(
    running: Running, certificates: Certificates, issue: Issue, identity: str
) -> None:
    reply = call(running, certificates, issue("adapter", identity=identity))

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert running.city.seen == []


@pytest.mark.parametrize(
    "wrong",
    [{"days": -500}, {"days": 30}, {"client": False}],
    ids=["expired", "not yet valid", "for servers only"],
)
def test_a_certificate_out_of_its_time_or_purpose_gets_no_word_in(
    running: Running, certificates: Certificates, issue: Issue, wrong: dict[str, Any]
) -> None:
    with pytest.raises(httpx.TransportError):
        call(running, certificates, issue("adapter", **wrong))

    assert running.audit() == []


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        ((("DNS", "localhost"), ("URI", "spiffe://h/a")), "spiffe://h/a"),
        ((("URI", "spiffe://h/a"), ("URI", "spiffe://h/b")), ""),
        ((("DNS", "localhost"),), ""),
        ((), ""),
    ],
)
def test_a_name_is_the_only_one_or_none(names: tuple[tuple[str, str], ...], identity: str) -> None:
    assert identity_of({"subjectAltName": names}) == identity
    assert identity_of(None) == ""


@contextlib.contextmanager
def target(tls: ssl.SSLContext) -> Iterator[tuple[Loop, OtherSide, str]]:
    """A hospital by TLS in a loop of its own."""
    loop, side, stack = Loop(), OtherSide(), contextlib.AsyncExitStack()
    side.on("*", b"{}")
    port = loop.run(serve(stack, side, tls))
    try:
        yield loop, side, f"https://localhost:{port}"
    finally:
        loop.run(stack.aclose())
        loop.close()


def asked(loop: Loop, upstream: Upstream, times: int = 1) -> int:
    async def ask() -> int:
        status = 0
        async with upstream:
            for _ in range(times):
                status = (await upstream.send("POST", "/x", (), b"y", Deadline(5))).status
        return status

    return loop.run(ask())


def towards(certificates: Certificates, url: str, identity: str = "") -> Upstream:
    pair = certificates.hospital["gateway-a"]
    tls = client_context(pair.certificate, pair.key, certificates.hospital.root)
    return Upstream(Target.HIS, url, tls, identity=identity)


@pytest.mark.parametrize(
    ("wrong", "passes"),
    [({}, True), ({"identity": IDENTITIES + "backend-media"}, False), ({"days": -500}, False), ({"server": False}, False)],
    ids=["the right one", "somebody else's", "expired", "for callers only"],
)  # fmt: skip
def test_a_target_must_be_who_it_should_be(
    certificates: Certificates, issue: Issue, wrong: dict[str, Any], passes: bool
) -> None:
    with target(server_context(*issue("his", **wrong), certificates.hospital.root)) as (loop, side, url):
        upstream = towards(certificates, url, IDENTITIES + "his")
        if passes:
            assert asked(loop, upstream) == 200
        else:
            with pytest.raises(Unreachable):
                asked(loop, upstream)
            assert side.seen == []


def test_a_target_of_another_root_is_not_spoken_to(certificates: Certificates) -> None:
    pair = certificates.platform["supervision"]
    with target(server_context(pair.certificate, pair.key, certificates.platform.root)) as (loop, side, url):
        with pytest.raises(Unreachable):
            asked(loop, towards(certificates, url))

        assert side.seen == []


def test_outgoing_certificates_renew_without_a_restart(tmp_path: Path) -> None:
    mine = ensure(DataFolder(tmp_path))
    pair, his, shown = mine.hospital["gateway-a"], mine.hospital["his"], mine.platform["gateway-a"]
    settings = Settings(
        audit_folder=tmp_path, server_cert=pair.certificate, server_key=pair.key, client_root=mine.hospital.root,
        his_url="https://localhost", his_cert=pair.certificate, his_key=pair.key, his_root=mine.hospital.root,
        city_url="https://localhost", city_cert=shown.certificate, city_key=shown.key, city_root=mine.platform.root,
    )  # fmt: skip
    contexts = Contexts(settings)
    serials: list[int] = []
    with target(server_context(his.certificate, his.key, mine.hospital.root)) as (loop, side, url):
        side.peers = serials

        async def ask() -> None:
            async with Upstream(Target.HIS, url, contexts.his) as upstream:
                await upstream.send("POST", "/x", (), b"", Deadline(5))
                await upstream.send("POST", "/x", (), b"", Deadline(5))
                pair.key.unlink()
                ensure(DataFolder(tmp_path))  # the key is missing: a new pair is made
                contexts.renew()
                upstream.drop_idle()
                await upstream.send("POST", "/x", (), b"", Deadline(5))

        first = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
        loop.run(ask())
        second = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number

    assert first != second
    assert serials == [first, first, second]
