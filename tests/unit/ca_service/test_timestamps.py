from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from asn1crypto import tsp

from simulators.ca import certificates, timestamps
from tests.unit.ca_service.conftest import Openssl
from tests.unit.signed_calls import faults, move_clock


def post(base: str, query: bytes, kind: str = "application/timestamp-query") -> httpx.Response:
    return httpx.post(
        f"{base}/v1/timestamps", content=query, headers={"Content-Type": kind}, trust_env=False, verify=False
    )


def query(folder: Path, openssl: Openssl, *options: str) -> bytes:
    (folder / "text").write_bytes("病历正文".encode())
    made = openssl("ts", "-query", "-data", "text", "-out", "query.tsq", *options)
    assert made.returncode == 0, made.stderr
    return (folder / "query.tsq").read_bytes()


def keep(folder: Path, base: str, answer: httpx.Response) -> None:
    (folder / "reply.tsr").write_bytes(answer.content)
    for name in ("root.pem", "tsa.pem"):
        (folder / name).write_bytes(httpx.get(f"{base}/v1/{name}", trust_env=False, verify=False).content)


@pytest.mark.parametrize("options", [("-sha256", "-cert"), ("-sha256", "-cert", "-no_nonce"), ("-sha256",)])
def test_openssl_verifies_a_time_stamp(
    service: str, tmp_path: Path, openssl: Openssl, options: tuple[str, ...]
) -> None:
    answer = post(service, query(tmp_path, openssl, *options))

    assert answer.headers["content-type"] == "application/timestamp-reply"
    keep(tmp_path, service, answer)
    verify = ("ts", "-verify", "-in", "reply.tsr", "-CAfile", "root.pem", "-untrusted", "tsa.pem")
    by_query = openssl(*verify, "-queryfile", "query.tsq")
    assert b"Verification: OK" in by_query.stdout + by_query.stderr, by_query.stderr
    assert openssl(*verify, "-data", "text").returncode == 0
    (tmp_path / "text").write_bytes(b"another text")
    assert openssl(*verify, "-data", "text").returncode != 0


def test_a_token_with_its_certificate_needs_only_the_root(
    service: str, tmp_path: Path, openssl: Openssl
) -> None:
    keep(tmp_path, service, post(service, query(tmp_path, openssl, "-sha256", "-cert")))

    verified = openssl("ts", "-verify", "-in", "reply.tsr", "-CAfile", "root.pem", "-queryfile", "query.tsq")

    assert verified.returncode == 0, verified.stderr


def test_the_time_in_a_stamp_is_the_clock_of_the_service(
    service: str, tmp_path: Path, openssl: Openssl
) -> None:
    move_clock(service, 86_400)

    reply = tsp.TimeStampResp.load(post(service, query(tmp_path, openssl, "-sha256")).content)

    info = reply["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    seconds = (info["gen_time"].native - datetime.now(UTC)).total_seconds()
    assert abs(seconds - 86_400) < 30


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("-sha1",), b"SHA-256 is expected"),
        (("-sha256", "-tspolicy", "1.2.3.4"), b"policy is not offered"),
    ],
)
def test_what_is_not_offered_is_rejected_with_the_reason(
    service: str, tmp_path: Path, openssl: Openssl, options: tuple[str, ...], text: bytes
) -> None:
    answer = post(service, query(tmp_path, openssl, *options))

    assert answer.status_code == 200
    (tmp_path / "reply.tsr").write_bytes(answer.content)
    shown = openssl("ts", "-reply", "-in", "reply.tsr", "-text").stdout
    assert b"Status: Rejected" in shown
    assert text in shown


@pytest.mark.parametrize(
    "rubbish", [b"", b"hello", b"\x30\x80", b"\x30\x03\x02\x01\x01", b"\x30\x82\xff\xff" * 9]
)
def test_rubbish_is_rejected(service: str, rubbish: bytes, tmp_path: Path, openssl: Openssl) -> None:
    (tmp_path / "reply.tsr").write_bytes(post(service, rubbish).content)

    shown = openssl("ts", "-reply", "-in", "reply.tsr", "-text").stdout
    assert b"Status: Rejected" in shown
    assert b"the data submitted has the wrong format" in shown


def test_a_changed_query_never_breaks_the_service(tmp_path: Path, openssl: Openssl) -> None:
    good = query(tmp_path, openssl, "-sha256", "-cert")
    now = datetime.now(UTC)
    signer = certificates.time_stamping(certificates.root(now), now)

    for place in range(len(good)):
        for flip in (0x01, 0x80, 0xFF):
            changed = good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]
            assert timestamps.reply(changed, signer, now)
        assert timestamps.reply(good[:place], signer, now)


def test_another_content_type_is_refused(service: str) -> None:
    assert post(service, b"{}", "application/json").status_code == 415


def test_time_stamps_fail_alone(service: str, tmp_path: Path, openssl: Openssl) -> None:
    faults(service, tsa_down=True)

    assert post(service, query(tmp_path, openssl, "-sha256")).status_code == 503
    assert httpx.get(f"{service}/v1/root.pem", trust_env=False, verify=False).status_code == 200
