import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.ca_service.conftest import Openssl
from tests.unit.signed_calls import call, faults

TEXT = "处方：硝苯地平控释片".encode()


def sign(base: str, session: str, request_id: str = "r-1", data: bytes = TEXT) -> httpx.Response:
    body = {
        "request_id": request_id,
        "session": session,
        "digest_algorithm": "SHA-256",
        "digest": hashlib.sha256(data).hexdigest(),
    }
    return call(base, "POST", "/v1/signatures", body)


def written(folder: Path, answer: httpx.Response, openssl: Openssl) -> None:
    """The answer's parts and the signed text as files."""
    (folder / "text").write_bytes(TEXT)
    (folder / "signature").write_bytes(base64.b64decode(answer.json()["signature"]))
    (folder / "holder.pem").write_text(answer.json()["certificate_pem"])
    made = openssl("x509", "-in", "holder.pem", "-pubkey", "-noout", "-out", "public.pem")
    assert made.returncode == 0, made.stderr


def chain(folder: Path, base: str) -> None:
    for name in ("root.pem", "issuing.pem", "tsa.pem", "crl.der"):
        (folder / name).write_bytes(httpx.get(f"{base}/v1/{name}", trust_env=False, verify=False).content)


def test_openssl_verifies_a_signature(service: str, session: str, tmp_path: Path, openssl: Openssl) -> None:
    answer = sign(service, session)

    assert set(answer.json()) == {"request_id", "signature", "algorithm", "certificate_pem", "signed_at"}
    written(tmp_path, answer, openssl)
    verify = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature")
    assert openssl(*verify, "text").stdout.strip() == b"Verified OK"
    (tmp_path / "text").write_bytes(TEXT + b"!")
    assert openssl(*verify, "text").returncode != 0


def test_openssl_verifies_the_chain_and_the_revocation_list(
    service: str, session: str, tmp_path: Path, openssl: Openssl
) -> None:
    written(tmp_path, sign(service, session), openssl)
    chain(tmp_path, service)
    assert openssl("crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem").returncode == 0

    good = openssl(
        "verify", "-x509_strict", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "root.pem",
        "-untrusted", "issuing.pem", "holder.pem",
    )  # fmt: skip

    assert good.returncode == 0, good.stderr


def test_openssl_finds_a_revoked_certificate_on_the_list(
    service: str, session: str, tmp_path: Path, openssl: Openssl
) -> None:
    written(tmp_path, sign(service, session), openssl)
    httpx.post(f"{service}/_test/holders/doctor-1/revoke", trust_env=False, verify=False)
    chain(tmp_path, service)
    openssl("crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem")

    revoked = openssl(
        "verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "holder.pem"
    )  # fmt: skip

    assert revoked.returncode != 0
    assert b"certificate revoked" in revoked.stderr


def test_a_certificate_carries_what_a_verifier_looks_for(
    service: str, session: str, tmp_path: Path, openssl: Openssl
) -> None:
    written(tmp_path, sign(service, session), openssl)

    shown = openssl(
        "x509", "-in", "holder.pem", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"
    ).stdout.decode()

    assert "CN=演示医师1" in shown
    assert "Digital Signature, Non Repudiation" in shown
    assert "URI:http://127.0.0.1:8440/v1/crl.der" in shown
    assert "URI:urn:id-number-digest:" in shown
    assert "CA:FALSE" in shown


def test_a_holder_is_shown_with_the_certificate_in_force(
    service: str, session: str, openssl: Openssl, tmp_path: Path
) -> None:
    shown = call(service, "GET", "/v1/holders/doctor-1").json()

    assert set(shown) == {"holder", "name", "certificate_pem", "serial", "not_after", "status"}
    assert (shown["name"], shown["status"]) == ("演示医师1", "valid")
    assert shown["certificate_pem"] == sign(service, session).json()["certificate_pem"]
    (tmp_path / "holder.pem").write_text(shown["certificate_pem"])
    printed = openssl("x509", "-in", "holder.pem", "-noout", "-serial").stdout.decode().strip()
    assert printed == f"serial={shown['serial']}"


@pytest.mark.parametrize(("verb", "status"), [("revoke", "revoked"), ("expire", "expired")])
def test_a_holder_says_that_the_certificate_ended(service: str, verb: str, status: str) -> None:
    httpx.post(f"{service}/_test/holders/doctor-2/{verb}", trust_env=False, verify=False)

    assert call(service, "GET", "/v1/holders/doctor-2").json()["status"] == status


def test_the_same_request_id_gives_the_same_signature(service: str, session: str) -> None:
    first = sign(service, session).json()

    assert sign(service, session).json() == first
    assert sign(service, session, "r-2").json()["signature"] != first["signature"]
    other = sign(service, session, "r-1", b"something else")
    assert (other.status_code, other.json()["code"]) == (409, "REQUEST_ID_USED")


def test_a_repeated_request_is_answered_although_the_session_ended(service: str, session: str) -> None:
    first = sign(service, session).json()
    call(service, "DELETE", f"/v1/sessions/{session}")

    assert sign(service, session).json() == first


def test_a_faulty_ca_signs_something_else(
    service: str, session: str, tmp_path: Path, openssl: Openssl
) -> None:
    faults(service, wrong_signature=True)

    written(tmp_path, sign(service, session), openssl)

    assert (
        openssl("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text").returncode != 0
    )
    faults(service)
    written(tmp_path, sign(service, session), openssl)
    assert (
        openssl("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text").returncode == 0
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"digest": "ab"}, "digest"),
        ({"digest": "zz" * 32}, "digest"),
        ({"digest_algorithm": "MD5"}, "digest_algorithm"),
        ({"session": None}, "session"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_malformed_signature_request_names_the_field(
    service: str, session: str, change: dict[str, Any], field: str
) -> None:
    body = {
        "request_id": "r",
        "session": session,
        "digest_algorithm": "SHA-256",
        "digest": "ab" * 32,
        **change,
    }

    answer = call(service, "POST", "/v1/signatures", body)

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "BAD_REQUEST", field)
