"""Keys and certificates of the payment interface, RSA 2048: the merchant's (ours) and WeChat's (its mock's).

WeChat signs with the key of its public-key mode, or towards old merchants with that of its platform certificate.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from standalone.paths import write_private

VALID = timedelta(days=5 * 365)  # as the merchant certificates that WeChat Pay issues


@dataclass(frozen=True)
class WechatFiles:
    """PEM files; serials in upper-case hex. `more_public_keys` is a folder for keys that WeChat Pay changes to."""

    merchant_key: Path
    merchant_certificate: Path
    merchant_serial: str
    private_key: Path
    public_key: Path
    platform_key: Path
    platform_certificate: Path
    platform_serial: str
    more_public_keys: Path


def make_files(folder: Path, mchid: str, now: datetime) -> WechatFiles:
    """Made once; the certificates are written last and stand for all."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "more-public-keys").mkdir(mode=0o700, exist_ok=True)
    merchant, platform = folder / "merchant.pem", folder / "platform.pem"
    if not (merchant.exists() and platform.exists()):
        _make(folder, mchid, now)
    return WechatFiles(
        merchant_key=folder / "merchant.key",
        merchant_certificate=merchant,
        merchant_serial=_serial(merchant),
        private_key=folder / "public-mode.key",
        public_key=folder / "public-mode.pem",
        platform_key=folder / "platform.key",
        platform_certificate=platform,
        platform_serial=_serial(platform),
        more_public_keys=folder / "more-public-keys",
    )


def _make(folder: Path, mchid: str, now: datetime) -> None:
    merchant_key, platform_key, public_mode_key = _key(), _key(), _key()
    issuer = _name("微信支付演示平台", "DEMO")
    platform = _certificate(issuer, issuer, platform_key, platform_key, now)
    merchant = _certificate(_name(mchid, "互联网医院演示商户"), issuer, merchant_key, platform_key, now)
    write_private(folder / "merchant.key", _private(merchant_key))
    write_private(folder / "platform.key", _private(platform_key))
    write_private(folder / "public-mode.key", _private(public_mode_key))
    public = public_mode_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(folder / "public-mode.pem", public)
    write_private(folder / "platform.pem", platform.public_bytes(Encoding.PEM))
    write_private(folder / "merchant.pem", merchant.public_bytes(Encoding.PEM))


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _private(key: rsa.RSAPrivateKey) -> bytes:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    load_pem_private_key(pem, password=None)  # what is written once and never again is read once before
    return pem


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
    now: datetime,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _serial(certificate: Path) -> str:
    """Upper-case hex of 20 bytes, as WeChat shows it."""
    return f"{x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number:040X}"
