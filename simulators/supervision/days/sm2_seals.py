"""SM2 with SM3 in certificates, keys and seals, which OpenSSL's library for Python does not read. All signatures are DER."""

from typing import Any

import gmssl_pyx
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.pem import unarmor
from asn1crypto.x509 import Certificate

NAME = "sm2-sm3"
CURVE, SIGNED_SO = "1.2.156.10197.1.301", "1.2.156.10197.1.501"
ID = b"1234567812345678"


def read(pem: bytes) -> Any:
    """A certificate, taken apart."""
    return Certificate.load(unarmor(pem)[2])


def point(certificate: Any) -> bytes | None:
    """x ‖ y of its key; None when the key is over another curve."""
    info = certificate["tbs_certificate"]["subject_public_key_info"]
    if info["algorithm"].native != {"algorithm": "ec", "parameters": CURVE}:
        return None
    raw = bytes(info["public_key"].native)
    return raw[1:] if len(raw) == 65 and raw[:1] == b"\x04" else None


def issued(certificate: Any, root: Any) -> bool:
    """Whether `root`, a key over SM2, signed it."""
    signed, key = certificate["tbs_certificate"], point(root)
    kinds = {signed["signature"]["algorithm"].dotted, certificate["signature_algorithm"]["algorithm"].dotted}
    if key is None or kinds != {SIGNED_SO} or signed["issuer"].dump() != root.subject.dump():
        return False
    return holds(key, signed.dump(), bytes(certificate["signature_value"].native))


def holds(key: bytes, text: bytes, signature: bytes) -> bool:
    """False for whatever cannot be a signature."""
    try:
        return bool(gmssl_pyx.sm2_verify(key, text, signature, ID))
    except (gmssl_pyx.GmsslInnerError, gmssl_pyx.InvalidValueError):
        return False


class Key:
    """A private key over SM2."""

    def __init__(self, number: int, public: bytes) -> None:
        self._private, self._public = number.to_bytes(32), public

    @classmethod
    def read(cls, pem: bytes) -> "Key | None":
        """From PKCS#8; None when it is over another curve."""
        info = PrivateKeyInfo.load(unarmor(pem)[2])
        if info["private_key_algorithm"].native != {"algorithm": "ec", "parameters": CURVE}:
            return None
        inside = info["private_key"].parsed.native
        return cls(int(inside["private_key"]), bytes(inside["public_key"])[1:])

    @classmethod
    def new(cls) -> "Key":
        """A fresh one."""
        public, private = gmssl_pyx.sm2_key_generate()
        return cls(int.from_bytes(private), public)

    def sign(self, text: bytes) -> bytes:
        return bytes(gmssl_pyx.sm2_sign(self._private, self._public, text, ID))
