"""SM2 with SM3 as programs of others see it: OpenSSL verifies certificates and signatures."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import hashes

from backend.outside.ca_algorithms import Sm2, sm3
from tests.unit.ca_service.conftest import Openssl
from tests.unit.signed_calls import call

TEXT = "处方：硝苯地平控释片".encode()
ID = "distid:1234567812345678"


def signed(service: str, session: str, folder: Path) -> None:
    """Text, signature, certificate and public key as files."""
    certificate = call(service, "GET", f"/v1/sessions/{session}").json()["sm2_certificate_pem"]
    body = {
        "request_id": "r-1", "session": session, "digest_algorithm": "SM3", "digest": Sm2().digest(certificate, TEXT).hex(),
    }  # fmt: skip
    answer = call(service, "POST", "/v1/signatures", body).json()
    assert (answer["algorithm"], answer["certificate_pem"]) == ("sm2-sm3", certificate)
    (folder / "text").write_bytes(TEXT)
    (folder / "signature").write_bytes(base64.b64decode(answer["signature"]))
    (folder / "holder.pem").write_text(certificate)


def test_openssl_verifies_an_sm2_signature(
    service: str, session: str, tmp_path: Path, openssl: Openssl
) -> None:
    signed(service, session, tmp_path)
    made = openssl("x509", "-in", "holder.pem", "-pubkey", "-noout", "-out", "public.pem")
    assert made.returncode == 0, made.stderr
    verify = (
        "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-digest", "sm3", "-pkeyopt", ID,
        "-sigfile", "signature", "-in", "text",
    )  # fmt: skip

    assert openssl(*verify).returncode == 0
    (tmp_path / "text").write_bytes(TEXT + b"!")
    assert openssl(*verify).returncode != 0


def test_openssl_verifies_the_sm2_chain(service: str, session: str, tmp_path: Path, openssl: Openssl) -> None:
    signed(service, session, tmp_path)
    for name in ("root", "issuing"):
        pem = httpx.get(f"{service}/v1/sm2/{name}.pem", trust_env=False, verify=False).content
        (tmp_path / f"{name}.pem").write_bytes(pem)

    # One link at a time: OpenSSL 3.0 takes the id for the certificate it was asked about alone.
    for issuer, subject in (("root.pem", "issuing.pem"), ("issuing.pem", "holder.pem")):
        said = openssl("verify", "-vfyopt", ID, "-partial_chain", "-CAfile", issuer, subject)

        assert said.returncode == 0, said.stderr
    wrong = openssl("verify", "-vfyopt", ID, "-partial_chain", "-CAfile", "root.pem", "holder.pem")
    assert wrong.returncode != 0


@pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 1000])
def test_sm3_of_the_backend_is_sm3_of_openssl(size: int, tmp_path: Path, openssl: Openssl) -> None:
    (tmp_path / "data").write_bytes(hashlib.shake_128(b"x").digest(size))

    said = openssl("dgst", "-sm3", "-r", "data").stdout.split()[0].decode()

    assert said == sm3((tmp_path / "data").read_bytes()).hex()
    assert hashes.SM3().digest_size == 32


def test_a_renewed_holder_has_another_key_over_sm2_too(service: str, session: str) -> None:
    before = call(service, "GET", f"/v1/sessions/{session}").json()["sm2_certificate_pem"]
    httpx.post(f"{service}/_test/holders/doctor-1/renew", trust_env=False, verify=False)

    after = call(service, "GET", f"/v1/sessions/{session}").json()["sm2_certificate_pem"]

    assert before != after
