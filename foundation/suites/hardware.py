"""Keys in a security module, by PKCS#11 (python-pkcs11): the private key never leaves it.

The international set only: PKCS#11 has no mechanism for SM2 or SM4, their modules speak GM/T 0018, for which no kept library was found.
A key of SM4 can be kept in a module all the same, as a generic secret that is read at the start.
A module for it is one more file beside this one. Tried with Debian's softhsm2.
"""

import hashlib
import hmac
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from asn1crypto.core import OctetString

from foundation.suites.international import SIGNING


@dataclass(frozen=True)
class _Opened:
    """One session of one token; a session does one thing at a time."""

    session: Any = field(repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class HardwareSigner:
    """A private key over P-256 in a module. `public` was read from the module at the start."""

    opened: _Opened = field(repr=False)
    key: Any = field(repr=False)
    public: bytes
    algorithm: str = SIGNING

    def sign(self, data: bytes) -> bytes:
        """r ‖ s; the module gets the digest, since not every one of them digests itself."""
        from pkcs11 import Mechanism

        with self.opened.lock:
            return bytes(self.key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA))


@dataclass(frozen=True)
class HardwareCipher:
    """An AES key in a module."""

    opened: _Opened = field(repr=False)
    key: Any = field(repr=False)

    def encrypt_blocks(self, plain: bytes, iv: bytes) -> bytes:
        """CBC without padding."""
        from pkcs11 import Mechanism

        with self.opened.lock:
            return bytes(self.key.encrypt(plain, mechanism_param=iv, mechanism=Mechanism.AES_CBC))

    def decrypt_blocks(self, sealed: bytes, iv: bytes) -> bytes:
        """CBC without padding."""
        from pkcs11 import Mechanism

        with self.opened.lock:
            return bytes(self.key.decrypt(sealed, mechanism_param=iv, mechanism=Mechanism.AES_CBC))


def open_signer(location: str, pin: str, module: str) -> HardwareSigner:
    """The key named by `pkcs11:token=…;object=…` (RFC 7512); `ValueError` in one line, without the PIN."""
    from pkcs11 import Attribute, KeyType, ObjectClass, PKCS11Error

    parts = _parts(location)
    try:
        opened = _session(parts["token"], pin, module)
        named = {"key_type": KeyType.EC, "label": parts["object"]}
        private = opened.session.get_key(object_class=ObjectClass.PRIVATE_KEY, **named)
        public = opened.session.get_key(object_class=ObjectClass.PUBLIC_KEY, **named)
        point = bytes(OctetString.load(public[Attribute.EC_POINT]).native)
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise ValueError(f"{location}: {type(error).__name__}") from None
    if len(point) != 65:
        raise ValueError(f"{location} is no key over P-256")
    return HardwareSigner(opened, private, point)


def open_secret(location: str, pin: str, module: str) -> HardwareCipher | bytes:
    """The secret key named by `location`: one of AES stays in the module, a generic secret is read. `ValueError` in one line."""
    from pkcs11 import Attribute, KeyType, ObjectClass, PKCS11Error

    parts = _parts(location)
    try:
        opened = _session(parts["token"], pin, module)
        key = opened.session.get_key(object_class=ObjectClass.SECRET_KEY, label=parts["object"])
        kind = key.key_type
        if kind == KeyType.GENERIC_SECRET:
            return bytes(key[Attribute.VALUE])
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise ValueError(f"{location}: {type(error).__name__}") from None
    if kind != KeyType.AES:
        raise ValueError(f"{location} is neither a key of AES nor a generic secret")
    return HardwareCipher(opened, key)


_OPENED: dict[tuple[str, str], tuple[str, _Opened]] = {}


def _session(token: str, pin: str, module: str) -> _Opened:
    """A process logs in to a token once, whatever it opens there."""
    import pkcs11

    known = _OPENED.get((module, token))
    if known is None:
        session = pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin)
        known = _OPENED[module, token] = pin, _Opened(session)
    if not hmac.compare_digest(known[0].encode(), pin.encode()):
        raise pkcs11.exceptions.PinIncorrect
    return known[1]


def _parts(location: str) -> dict[str, str]:
    """`token` and `object` of a URI."""
    pairs = (part.partition("=") for part in location.removeprefix("pkcs11:").split("?")[0].split(";"))
    parts = {name: unquote(value) for name, _, value in pairs}
    if not parts.get("token") or not parts.get("object"):
        raise ValueError(f"{location}: pkcs11:token=…;object=… is needed")
    return parts
