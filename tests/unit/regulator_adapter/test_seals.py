"""A day's seal over either curve: whose it is, on what, and that nothing else passes."""

import base64
import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from foundation.suites import signer as key_at
from foundation.suites.key_files import sm2_pem
from regulator_adapter.days.seals import Seal, Signer, Trust, read_signer, read_trust
from tests.builders import seals
from tests.unit.suites.tokens import MODULE, token

TEXT = "双方对账单".encode()
KINDS: dict[str, tuple[Callable[[], Signer], Callable[[], Trust]]] = {
    "ecdsa-p256-sha256": (seals.hospital, lambda: seals.trust("hospital", seals.HOSPITAL)),
    "sm2-sm3": (
        lambda: seals.sm2_signer("hospital", seals.HOSPITAL),
        lambda: seals.sm2_trust("hospital", seals.HOSPITAL),
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pair(kind: str) -> tuple[Signer, Trust]:
    signer, trust = KINDS[kind]
    return signer(), trust()


def judged(trust: Trust, seal: Seal, text: bytes = TEXT, days: int = 0) -> str:
    return trust.problem(text, seal, seals.NOW + timedelta(days=days))


def test_a_seal_names_its_algorithm_and_is_believed(kind: str) -> None:
    signer, trust = pair(kind)

    seal = signer.seal(TEXT)

    assert seal.algorithm == kind
    assert judged(trust, seal) == ""


def test_it_holds_for_its_text_its_days_its_name_and_its_root_only(kind: str) -> None:
    signer, trust = pair(kind)
    seal, other = signer.seal(TEXT), next(name for name in KINDS if name != kind)

    assert judged(trust, seal, TEXT + b".") == "the signature does not fit the text"
    assert judged(trust, seal, days=4_000) == "the certificate was not valid at that time"
    assert judged(Trust(trust.root, seals.PLATFORM), seal) == "the certificate names somebody else"
    assert judged(pair(other)[1], seal) == "the certificate is not of the signer's root"


def test_it_does_not_pass_under_the_name_of_the_other_algorithm(kind: str) -> None:
    signer, trust = pair(kind)
    other = next(name for name in KINDS if name != kind)

    seal = msgspec.structs.replace(signer.seal(TEXT), algorithm=other)

    assert judged(trust, seal) == "the signature does not fit the text"
    assert judged(trust, msgspec.structs.replace(seal, algorithm="rsa")) == "unknown algorithm rsa"


@pytest.mark.parametrize("value", ["", "AA==", "x", base64.b64encode(bytes(64)).decode(), "MAYCAQECAf8="])
def test_what_is_no_signature_is_none(kind: str, value: str) -> None:
    signer, trust = pair(kind)

    seal = msgspec.structs.replace(signer.seal(TEXT), value=value)

    assert judged(trust, seal) == "the signature does not fit the text"


def test_a_root_of_the_same_name_with_another_key_vouches_for_nobody() -> None:
    strange = seals.sm2_certificate(
        seals.root("hospital").certificate, seals.sm2_key("x"), seals.sm2_key("x")
    )
    seal = seals.sm2_signer("hospital", seals.HOSPITAL).seal(TEXT)

    assert judged(Trust(strange, seals.HOSPITAL), seal) == "the certificate is not of the signer's root"


def test_a_pair_over_sm2_is_read_from_files(tmp_path: Path) -> None:
    made, key = seals.sm2_signer("hospital", seals.HOSPITAL), seals.sm2_key(seals.HOSPITAL)
    (tmp_path / "seal.pem").write_bytes(made.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "root.pem").write_bytes(seals.sm2_root("hospital").public_bytes(Encoding.PEM))
    (tmp_path / "seal.key").write_bytes(sm2_pem(key.private, key.public))

    signer = read_signer(tmp_path / "seal.pem", str(tmp_path / "seal.key"))

    assert judged(read_trust(tmp_path / "root.pem", seals.HOSPITAL), signer.seal(TEXT)) == ""


def test_a_key_of_another_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    certificate, key = seals.issued("hospital", seals.HOSPITAL)
    (tmp_path / "seal.pem").write_bytes(certificate)
    (tmp_path / "seal.key").write_bytes(key)
    other = seals.sm2_key("other")
    (tmp_path / "other.key").write_bytes(sm2_pem(other.private, other.public))

    assert read_signer(tmp_path / "seal.pem", str(tmp_path / "seal.key")).key.algorithm == "ECDSA-P256-SHA256"
    with pytest.raises(ValueError, match="belong together"):
        read_signer(tmp_path / "seal.pem", str(tmp_path / "other.key"))


def test_a_seals_key_may_lie_in_a_security_module(tmp_path: Path) -> None:
    held, where = token(), token().uri("sign")
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), key_at(where, held.pin, MODULE).public
    )
    above = seals.root("hospital")
    like = x509.load_pem_x509_certificate(seals.issued("hospital", seals.HOSPITAL)[0])
    made = x509.CertificateBuilder(
        like.issuer, like.subject, public, 7, like.not_valid_before_utc, like.not_valid_after_utc, list(like.extensions)
    )  # fmt: skip
    (tmp_path / "seal.pem").write_bytes(made.sign(above.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    inside = read_signer(tmp_path / "seal.pem", where, held.pin, MODULE)

    assert judged(seals.trust("hospital", seals.HOSPITAL), inside.seal(TEXT)) == ""


def test_a_printed_signer_shows_no_key() -> None:
    signer = seals.hospital()

    assert "key" not in repr(signer)
    assert dataclasses.replace(signer).key is signer.key
