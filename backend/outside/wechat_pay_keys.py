"""Which keys of WeChat Pay we believe: public keys given to us, platform certificates fetched. Files only, no network.

A merchant is in public-key mode or in certificate mode. Whatever the mode, a notification may be signed by the other
kind while WeChat Pay moves a merchant over, and by the old or the new key of one kind while it is exchanged: all that
are known and valid count at the same time, each under its serial.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from backend.outside.wechat_pay_crypto import NotWeChat, Sealed, load_public_key, unseal

PUBLIC_KEY_ID = "PUB_KEY_ID_"


class Listed(msgspec.Struct, frozen=True):
    """One entry of `GET /v3/certificates`."""

    serial_no: str
    effective_time: datetime
    expire_time: datetime
    encrypt_certificate: Sealed


class Listing(msgspec.Struct, frozen=True):
    """The answer of `GET /v3/certificates`."""

    data: list[Listed]


@dataclass(frozen=True)
class Certificate:
    """A platform certificate's key and the time in which it counts; `serial` as WeChat Pay writes it."""

    serial: str
    key: rsa.RSAPublicKey
    since: datetime
    until: datetime


@dataclass(frozen=True)
class FieldKey:
    """Encrypts single fields of a request, whose `Wechatpay-Serial` must then name it."""

    serial: str
    key: rsa.RSAPublicKey

    def seal(self, text: str) -> str:
        """RSA-OAEP with SHA-1, which is WeChat Pay's choice; base64."""
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
        return base64.b64encode(self.key.encrypt(text.encode(), oaep)).decode()


@dataclass
class PayKeys:
    """`public` by id; `folder` may hold more of them as `<id>.pem`, put there while we run; `certificates` by serial."""

    public: Mapping[str, rsa.RSAPublicKey]
    named: str = ""
    """The public key that our requests name, and answers are signed with; empty in certificate mode."""
    folder: Path | None = None
    certificates: dict[str, Certificate] = field(default_factory=dict)
    _more: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)

    def find(self, serial: str, now: datetime) -> rsa.RSAPublicKey | None:
        """The key of this serial, when we have it and it counts now."""
        if serial.startswith(PUBLIC_KEY_ID):
            return self.public.get(serial) or self._more.get(serial)
        found = self.certificates.get(plain_serial(serial))
        return found.key if found and found.since <= now < found.until else None

    def read_folder(self) -> None:
        """Look again for public keys; a file that is none is left out."""
        for path in sorted(self.folder.glob(f"{PUBLIC_KEY_ID}*.pem")) if self.folder else ():
            try:
                self._more[path.stem] = load_public_key(path)
            except (OSError, ValueError):
                continue

    def take(self, listing: Listing, apiv3_key: bytes) -> None:
        """Open every certificate of a listing; `NotWeChat` when one is not for us. Those of earlier listings stay until they end."""
        for entry in listing.data:
            pem = unseal(apiv3_key, entry.encrypt_certificate)
            try:
                certificate = x509.load_pem_x509_certificate(pem)
            except ValueError as error:
                raise NotWeChat("no certificate") from error
            key = certificate.public_key()
            serial = plain_serial(entry.serial_no)
            if not isinstance(key, rsa.RSAPublicKey) or serial != plain_serial(
                f"{certificate.serial_number:X}"
            ):
                raise NotWeChat("not the certificate it is said to be")
            self.certificates[serial] = Certificate(
                entry.serial_no, key, entry.effective_time, entry.expire_time
            )

    def for_fields(self, now: datetime) -> FieldKey | None:
        """The key for encrypted fields: the named public key, or the certificate that lives longest."""
        if self.named:
            return FieldKey(self.named, self.public[self.named])
        alive = [one for one in self.certificates.values() if one.since <= now < one.until]
        chosen = max(alive, key=lambda one: one.until, default=None)
        return FieldKey(chosen.serial, chosen.key) if chosen else None


def plain_serial(serial: str) -> str:
    """Upper case, without leading zeros: both sides write them or not."""
    return serial.upper().lstrip("0")
