"""Browsers behind a closed network go through a relay: coturn, with credentials that end by themselves."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from playwright.sync_api import Browser

from backend.video.turn import ice_servers
from foundation.clock import Clock
from standalone.stores import StoreUrls
from tests.unit.video import page as served_page
from tests.unit.video.browsing import enters, flowing, make_tables, stats, wait_for_frames
from tests.unit.video.process import environment, free_port, media_process

PROGRAM = which("turnserver")
INSTALL = "apt-get install --no-install-recommends coturn"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason=f"no TURN server here: {INSTALL}"),
]
SECRET = "shared-with-the-relay"


@contextlib.contextmanager
def coturn(folder: Path) -> Iterator[int]:
    """A relay on loopback; its port, UDP and TCP."""
    assert PROGRAM is not None
    port = free_port()
    options = [
        "--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=hospital.test", "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1", f"--listening-port={port}", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
        "--log-file=stdout", "--simple-log", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'users'}", "--verbose",
    ]  # fmt: skip
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen([PROGRAM, "-n", *options], stdout=output, stderr=output, cwd=folder)
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def relays(port: int, transport: str, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """As the API hands them out."""
    url = f"turn:127.0.0.1:{port}?transport={transport}"
    made = ice_servers([url], SECRET, now or Clock().now(), 600, "somebody")
    return [msgspec.to_builtins(server) for server in made]


def test_both_sides_reach_each_other_through_the_relay_over_udp_and_tcp(
    stores: StoreUrls, chromium: Browser, tmp_path: Path
) -> None:
    make_tables(stores.database)
    port, encounter = free_port(), uuid4()
    with (
        coturn(tmp_path) as turn,
        served_page.served() as front,
        media_process(environment(stores, tmp_path / "objects", port, front), tmp_path / "media-log"),
    ):
        address = [f"http://127.0.0.1:{port}"]
        patient = enters(chromium, "patient", front, stores, encounter, address, relays(turn, "udp"))
        doctor = enters(chromium, "doctor", front, stores, encounter, address, relays(turn, "tcp"))
        for page in (patient, doctor):
            wait_for_frames(page, 10)
        flowing(patient, doctor, 2)
        flowing(doctor, patient, 2)
        assert [stats(page)["candidateType"] for page in (patient, doctor)] == ["relay", "relay"]
        assert [stats(page)["relayProtocol"] for page in (patient, doctor)] == ["udp", "tcp"]
        for page in (patient, doctor):
            page.evaluate("client.close()")
            page.context.close()


def test_a_credential_that_has_ended_opens_no_relay(chromium: Browser, tmp_path: Path) -> None:
    with coturn(tmp_path) as turn, served_page.served() as front:
        page = chromium.new_context().new_page()
        page.goto(front)
        gathered = """async (iceServers) => {
          const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
          peer.addTransceiver("audio");
          const found = [];
          peer.onicecandidate = ({ candidate }) => { if (candidate?.candidate) found.push(candidate.type); };
          await peer.setLocalDescription(await peer.createOffer());
          const deadline = Date.now() + 10000;
          while (peer.iceGatheringState !== "complete" && Date.now() < deadline) await new Promise((go) => setTimeout(go, 50));
          peer.close();
          return found;
        }"""
        old = relays(turn, "udp", now=datetime(2026, 1, 1, tzinfo=UTC))
        wrong = [{**relays(turn, "udp")[0], "credential": "d3Jvbmc="}]

        assert set(page.evaluate(gathered, relays(turn, "udp"))) == {"relay"}
        assert page.evaluate(gathered, old) == []
        assert page.evaluate(gathered, wrong) == []
        page.context.close()
