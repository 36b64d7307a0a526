"""The gateway as a process: health, clock, whitelist read again, audit, and a clean end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from foundation.tls import server_context
from standalone.certificates import Certificates, ensure
from standalone.paths import DataFolder
from tests.contract import hospitals
from tests.contract.hospitals import WORLD, Gateway, environment
from tests.contract.started import wait_until
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Loop, OtherSide, serve

PERSON = ("310114195809199069", "周桂珍")


def ready(gateway: Gateway) -> httpx.Response:
    return httpx.get(f"{gateway.health}/readyz")


def test_health_names_what_does_not_answer(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.health}/healthz").status_code == 200
    assert ready(gateway).json() == {"status": "unready", "failed": ["city"]}


def test_metrics_count_calls_by_entry(gateway: Gateway) -> None:
    gateway.patient_id(*PERSON)

    text = httpx.get(f"{gateway.health}/metrics").text

    assert 'gateway_calls_total{code="ok",entry="find-patient"}' in text
    assert "gateway_breaker_open" in text


def test_the_clock_moves_the_audit_to_its_day(gateway: Gateway) -> None:
    moved = httpx.post(f"{gateway.health}/_test/clock", json={"offset_seconds": 3 * 86_400})
    gateway.patient_id(*PERSON)
    back = httpx.post(f"{gateway.health}/_test/clock", json={"offset_seconds": 0})

    assert (moved.status_code, back.status_code) == (200, 200)
    assert len(list(gateway.audit.glob("audit-a-*.jsonl"))) == 2
    assert httpx.post(f"{gateway.health}/_test/clock", json={"offset_seconds": "soon"}).status_code == 422


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_its_audit_verifies(
    tmp_path: Path, certificates: Certificates, end: signal.Signals
) -> None:
    nowhere = hospitals.Hospital("nobody", "http://127.0.0.1:9", httpx.Client())
    with nowhere.fhir, hospitals.gateway_before(nowhere, tmp_path, certificates) as gateway:
        reply = gateway.ask("find-patient", purpose="eligibility", id_number=PERSON[0], name=PERSON[1])
        os.kill(gateway.process.pid, end)
        wait_until(lambda: gateway.process.poll() is not None, "the gateway's end")

    assert (reply.status_code, reply.json()["code"]) == (503, "hospital_unreachable")
    assert gateway.process.returncode == 0
    [file] = gateway.audit.glob("*.jsonl")
    verified = subprocess.run(
        [sys.executable, "-m", "front_gateway", "verify", "--day", file.stem.removeprefix("audit-a-")],
        env=environment(AUDIT_FOLDER=str(gateway.audit), GATEWAY_NAME="a"), capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout


def test_the_whitelist_is_read_again_on_demand(tmp_path: Path, certificates: Certificates) -> None:
    shipped = Path(hospitals.ROOT / "front_gateway" / "whitelist.toml").read_text(encoding="utf-8")
    whitelist = tmp_path / "list.toml"
    whitelist.write_text(shipped, encoding="utf-8")
    nowhere = hospitals.Hospital("nobody", "http://127.0.0.1:9", httpx.Client())
    asked = {"purpose": "eligibility", "id_number": PERSON[0], "name": PERSON[1]}
    with (
        nowhere.fhir,
        hospitals.gateway_before(nowhere, tmp_path, certificates, WHITELIST=str(whitelist)) as gateway,
    ):
        assert gateway.ask("find-patient", **asked).status_code == 503

        whitelist.write_text("nonsense", encoding="utf-8")
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(lambda: "whitelist_not_reloaded" in (tmp_path / "gateway.log").read_text(), "the refusal")
        assert gateway.ask("find-patient", **asked).status_code == 503

        whitelist.write_text(
            shipped.replace('"eligibility", "treatment", "write_back"', '"treatment"'), encoding="utf-8"
        )
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(lambda: gateway.ask("find-patient", **asked).status_code == 403, "the new whitelist")


def serial(gateway: Gateway, certificates: Certificates) -> str:
    """Serial number of the certificate that the gateway shows now."""
    port = int(gateway.url.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        hospitals.identity(certificates, "backend-api").wrap_socket(
            plain, server_hostname="localhost"
        ) as connection,
    ):
        return str((connection.getpeercert() or {})["serialNumber"])


def test_certificates_are_renewed_without_a_restart(tmp_path: Path) -> None:
    mine = ensure(DataFolder(tmp_path / "certificates"))
    nowhere = hospitals.Hospital("nobody", "http://127.0.0.1:9", httpx.Client())
    with nowhere.fhir, hospitals.gateway_before(nowhere, tmp_path, mine) as gateway:
        before = serial(gateway, mine)
        pair = mine.hospital["gateway-a"]
        pair.key.unlink()
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(
            lambda: "certificates_not_renewed" in (tmp_path / "gateway.log").read_text(), "the refusal"
        )
        assert serial(gateway, mine) == before

        ensure(DataFolder(tmp_path / "certificates"))  # the key is missing: a new pair is made
        os.kill(gateway.process.pid, signal.SIGHUP)

        wait_until(lambda: serial(gateway, mine) != before, "the new certificate")


def test_the_certificate_shown_to_the_hospital_is_renewed_too(tmp_path: Path) -> None:
    mine = ensure(DataFolder(tmp_path / "certificates"))
    loop, side, stack = Loop(), OtherSide(), contextlib.AsyncExitStack()
    side.on("*", fhir.bundle())
    his, pair = mine.hospital["his"], mine.hospital["gateway-a"]
    port = loop.run(serve(stack, side, server_context(his.certificate, his.key, mine.hospital.root)))
    hospital = hospitals.Hospital("tls", f"https://localhost:{port}/fhir", httpx.Client())
    with (
        hospital.fhir,
        hospitals.gateway_before(hospital, tmp_path, mine, HIS_IDENTITY=his.identity) as gateway,
    ):
        asked = {"purpose": "eligibility", "id_number": PERSON[0], "name": PERSON[1]}
        assert gateway.ask("find-patient", **asked).status_code == 200
        pair.key.unlink()
        ensure(DataFolder(tmp_path / "certificates"))  # the key is missing: a new pair is made
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(lambda: "whitelist_reloaded" in (tmp_path / "gateway.log").read_text(), "the renewal")
        assert gateway.ask("find-patient", **asked).status_code == 200
    loop.run(stack.aclose())
    loop.close()

    shown = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
    assert side.peers[-1] == shown != side.peers[0]


def test_the_log_names_no_patient(gateway: Gateway) -> None:
    gateway.patient_id(*PERSON)
    gateway.ask("find-patient", purpose="eligibility", id_number="x", name=PERSON[1])

    log = (gateway.audit.parent / "gateway.log").read_text(encoding="utf-8")
    assert "serving" in log
    assert PERSON[0] not in log
    assert PERSON[1] not in log


def test_the_loader_says_what_is_wrong(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "standalone.load_fhir", "--url", "http://127.0.0.1:9/fhir", "--world", str(WORLD)],
        env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert "http://127.0.0.1:9/fhir does not answer" in ended.stderr
