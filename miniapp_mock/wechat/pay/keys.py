"""The keys of WeChat Pay and what it knows of its merchant's.

A merchant is `new` (WeChat Pay's public key only), `old` (platform certificates only) or `migrating` (both).
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.x509.oid import NameOID

from miniapp_mock.wechat.clock import machine_now
from miniapp_mock.wechat.settings import SettingError, Settings

PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"


@dataclass(frozen=True)
class SigningKey:
    """`serial` goes into `Wechatpay-Serial`; a certificate only in certificate mode."""

    serial: str
    key: RSAPrivateKey
    certificate: x509.Certificate | None = None

    @property
    def public_pem(self) -> str:
        return (
            self.key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )


@dataclass
class Keys:
    """`kind` says which of our keys this merchant knows; it may change while the mock runs."""

    folder: Path
    merchant: RSAPublicKey
    merchant_serial: str
    kind: str
    public_key: SigningKey | None
    platform_key: SigningKey | None
    _successors: tuple[SigningKey, SigningKey] | None = None

    @property
    def public(self) -> SigningKey | None:
        return self.public_key if self.kind != "old" else None

    @property
    def platform(self) -> SigningKey | None:
        return self.platform_key if self.kind != "new" else None

    def can_be(self, kind: str) -> bool:
        """Whether the settings gave what a merchant of this kind needs."""
        return bool((self.public_key or kind == "old") and (self.platform_key or kind == "new"))

    def named(self, serial: str) -> SigningKey | None:
        """The key of WeChat Pay that a merchant means by `Wechatpay-Serial`, old or new."""
        for known in (self.current, self.successors):  # the latter are made when first asked for
            for one in known():
                if same_serial(one.serial, serial):
                    return one
        return None

    def current(self) -> list[SigningKey]:
        return [one for one in (self.public, self.platform) if one]

    def successors(self) -> list[SigningKey]:
        """What `rotated_key` turns to, of the kinds this merchant has."""
        public, platform = self._new_keys()
        return ([public] if self.public else []) + ([platform] if self.platform else [])

    def signing(self, *, by_public_key: bool, rotated: bool) -> SigningKey:
        """The key that signs; a merchant without the wanted kind gets the other."""
        public, platform = self._new_keys() if rotated else (self.public, self.platform)
        wanted = by_public_key if self.public and self.platform else self.public is not None
        chosen = public if wanted else platform
        assert chosen is not None
        return chosen

    def _new_keys(self) -> tuple[SigningKey, SigningKey]:
        if self._successors is None:
            self._successors = _rotated(self.folder)
        return self._successors


def load(settings: Settings) -> Keys:
    """Raises SettingError."""
    merchant = _certificate(settings.merchant_cert, "WECHAT_MERCHANT_CERT")
    key = merchant.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SettingError("WECHAT_MERCHANT_CERT has no RSA key")
    public = platform = None
    if settings.private_key and settings.public_key_id:
        public = SigningKey(settings.public_key_id, _private_key(settings.private_key, "WECHAT_PRIVATE_KEY"))
    if settings.platform_cert and settings.platform_key:
        certificate = _certificate(settings.platform_cert, "WECHAT_PLATFORM_CERT")
        own = _private_key(settings.platform_key, "WECHAT_PLATFORM_KEY")
        if certificate.public_key() != own.public_key():
            raise SettingError("WECHAT_PLATFORM_KEY does not belong to WECHAT_PLATFORM_CERT")
        platform = SigningKey(serial_of(certificate), own, certificate)
    return Keys(settings.data, key, serial_of(merchant), settings.merchant_kind, public, platform)


def serial_of(certificate: x509.Certificate) -> str:
    """Upper-case hex of 20 bytes, as WeChat Pay writes it."""
    return f"{certificate.serial_number:040X}"


def same_serial(one: str, other: str) -> bool:
    """Clients differ in whether they write leading zeros."""
    return one.lstrip("0") == other.lstrip("0")


def _certificate(path: Path, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        raise SettingError(f"{name} is not a certificate in PEM: {path}") from None


def _private_key(path: Path, name: str) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        raise SettingError(f"{name} is not a private key in PEM: {path}") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingError(f"{name} is not an RSA key: {path}")
    return key


def _rotated(folder: Path) -> tuple[SigningKey, SigningKey]:
    """The same after a restart: a merchant may have learnt them by then."""
    path = folder / "rotated.pem"
    if not path.exists():
        key = generate_private_key(65537, 2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(pem + _self_signed(key).public_bytes(serialization.Encoding.PEM))
    key = _private_key(path, "WECHAT_DATA/rotated.pem")
    certificate = _certificate(path, "WECHAT_DATA/rotated.pem")
    public_id = f"{PUBLIC_KEY_PREFIX}0{certificate.serial_number % 10**30:030d}"
    return SigningKey(public_id, key), SigningKey(serial_of(certificate), key, certificate)


def _self_signed(key: RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated platform certificate")])
    now = machine_now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=5 * 365))
        .sign(key, hashes.SHA256())
    )
