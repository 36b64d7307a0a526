"""The platform's seals over either curve, against the hospital's own code: each believes the other's, and nobody else's."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from foundation.suites.key_files import sm2_pem
from regulator_adapter.days.seals import Signer, Trust, seal_of
from simulators.supervision.days.seals import HospitalSeal, NotTheirsError, Sealer
from tests.builders import seals

TEXT = "平台对账单"
KINDS = ("ecdsa-p256-sha256", "sm2-sm3")


def hospital(kind: str) -> Signer:
    return seals.hospital() if kind == KINDS[0] else seals.sm2_signer("hospital", seals.HOSPITAL)


def believer(kind: str, folder: Path) -> HospitalSeal:
    root = seals.root("hospital").certificate if kind == KINDS[0] else seals.sm2_root("hospital")
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    return HospitalSeal(folder / "root.pem", seals.HOSPITAL)


def sealer(kind: str, folder: Path) -> tuple[Sealer, Trust]:
    """The platform's files, and who believes them."""
    certificate, key = seals.issued("platform", seals.PLATFORM)
    trust = seals.trust("platform", seals.PLATFORM)
    if kind != KINDS[0]:
        trust, held = seals.sm2_trust("platform", seals.PLATFORM), seals.sm2_key(seals.PLATFORM)
        certificate = seals.sm2_signer("platform", seals.PLATFORM).certificate.public_bytes(Encoding.PEM)
        key = sm2_pem(held.private, held.public)
    (folder / "seal.pem").write_bytes(certificate)
    (folder / "seal.key").write_bytes(key)
    return Sealer(folder / "seal.pem", folder / "seal.key"), trust


@pytest.mark.parametrize("kind", KINDS)
def test_the_hospital_believes_what_the_platform_seals(kind: str, tmp_path: Path) -> None:
    made, trust = sealer(kind, tmp_path)

    real, forged = (seal_of(made.seal(TEXT, forged=forged)) for forged in (False, True))

    assert real.algorithm == forged.algorithm == kind
    assert trust.problem(TEXT.encode(), real, seals.NOW) == ""
    assert trust.problem(TEXT.encode(), forged, seals.NOW) == "the signature does not fit the text"


@pytest.mark.parametrize("kind", KINDS)
def test_the_platform_believes_what_the_hospital_seals(kind: str, tmp_path: Path) -> None:
    platform, seal = believer(kind, tmp_path), hospital(kind).seal(TEXT.encode())
    told = {"algorithm": seal.algorithm, "certificate": seal.certificate, "value": seal.value}

    platform.check(TEXT, told, seals.NOW)

    other = next(name for name in KINDS if name != kind)
    for text, changes, why in (
        (TEXT + ".", {}, "signature"),
        (TEXT, {"algorithm": "rsa"}, "algorithm"),
        (TEXT, {"algorithm": other}, "key|signature"),
        (TEXT, {"certificate": hospital(other).seal(b"").certificate}, "certificate"),
        (TEXT, {"value": "AA=="}, "signature"),
    ):
        with pytest.raises(NotTheirsError, match=why):
            platform.check(text, told | changes, seals.NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_the_platform_believes_no_other_name(kind: str, tmp_path: Path) -> None:
    make = seals.signer if kind == KINDS[0] else seals.sm2_signer
    seal = make("hospital", "spiffe://internet-hospital/gateway-a").seal(TEXT.encode())
    told = {"algorithm": seal.algorithm, "certificate": seal.certificate, "value": seal.value}

    with pytest.raises(NotTheirsError, match="another"):
        believer(kind, tmp_path).check(TEXT, told, seals.NOW)
