"""The copy of a sealed file that is the hospital's: our chunks behind a head that two can open, we and the hospital.

The chunks stay as they are and are not encrypted again: only the data key is wrapped a second time, by HPKE (RFC 9180; X25519,
HKDF-SHA256, AES-256-GCM) for the hospital's public key, bound to the object's key. The private key is in the hospital's hands only;
`python -m front_gateway kept open` opens a copy with it, without a network and without us.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from foundation.crypto import Keyring
from foundation.object_store.port import Damaged, ObjectStore
from foundation.object_store.sealed import MAGIC_KEPT, SealedReader, data_key, read_head

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ID = 8
"""Bytes before the wrapped key that name the hospital's key: the first of the SHA-256 of its public half."""
PIECE = 256 * 1024


class NotAKey(ValueError):
    """The file is no X25519 key, or its passphrase is another one."""


@dataclass(frozen=True)
class Recipient:
    """The hospital's public key."""

    public: X25519PublicKey

    @classmethod
    def load(cls, pem: bytes) -> "Recipient":
        """From PEM (SubjectPublicKeyInfo); `NotAKey`."""
        try:
            found = load_pem_public_key(pem)
        except ValueError as error:
            raise NotAKey("no public key in PEM") from error
        if not isinstance(found, X25519PublicKey):
            raise NotAKey("not an X25519 key")
        return cls(found)

    def wrap(self, secret: bytes, key: str) -> bytes:
        """`secret` so that the hospital alone opens it, and for the object `key` alone."""
        return _name(self.public) + SUITE.encrypt(secret, self.public, info=_bound(key))


def new_pair(passphrase: bytes) -> tuple[bytes, bytes]:
    """Private and public half in PEM; the private one is encrypted where there is a passphrase."""
    private = X25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def load_private(pem: bytes, passphrase: bytes) -> X25519PrivateKey:
    """The hospital's private key; `NotAKey`."""
    try:
        found = load_pem_private_key(pem, passphrase or None)
    except (ValueError, TypeError) as error:
        raise NotAKey("no private key in PEM, or another passphrase") from error
    if not isinstance(found, X25519PrivateKey):
        raise NotAKey("not an X25519 key")
    return found


def kept_head(file: BinaryIO, keyring: Keyring, key: str, recipient: Recipient) -> bytes:
    """The head for the hospital's copy of `file`. Every call makes another one: it has to be kept until the copy is made."""
    secret = data_key(file, keyring, key)
    wrapped, second = keyring.seal(secret, f"object:{key}"), recipient.wrap(secret, key)
    return b"".join((
        MAGIC_KEPT, len(key).to_bytes(1, "big"), key.encode("ascii"), len(wrapped).to_bytes(2, "big"), wrapped,
        len(second).to_bytes(2, "big"), second,
    ))  # fmt: skip


def kept_pieces(store: ObjectStore, key: str, head: bytes) -> Iterator[bytes]:
    """The hospital's copy, piece by piece; blocking. `NotThere`, `Damaged`."""
    with store.sealed(key) as file:
        read_head(file)
        yield head
        while piece := file.read(PIECE):
            yield piece


def open_kept(file: BinaryIO, private: X25519PrivateKey) -> tuple[str, SealedReader]:
    """Object key and reader of a copy, by the hospital's own key. `Damaged` when it is not for that key, or changed."""
    head = read_head(file)
    if not head.second:
        raise Damaged("not a copy for the hospital: only the cloud's keys open it")
    if head.second[:ID] != _name(private.public_key()):
        raise Damaged("sealed for another key of the hospital")
    try:
        secret = SUITE.decrypt(head.second[ID:], private, info=_bound(head.name))
    except (InvalidTag, ValueError) as error:
        raise Damaged("the data key does not open") from error
    return head.name, SealedReader.of(file, secret)


def _name(public: X25519PublicKey) -> bytes:
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest()[:ID]


def _bound(key: str) -> bytes:
    return b"internet-hospital kept copy 1 " + key.encode("ascii")
