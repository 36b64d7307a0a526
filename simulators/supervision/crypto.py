"""SM3 and SM4-CBC as the interface uses them (docs/profiles/tianjin-1.0.md, Transport)."""

import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SM3, Hash

BLOCK = 16
_HEX = re.compile(rb"(?:[0-9a-f]{32})+")


class NotHexError(ValueError):
    """The body is not lower-case hex of whole blocks."""


class WrongKeyError(ValueError):
    """It does not decrypt: padding or text encoding are wrong, so the key was another one."""


def sm3_upper(data: bytes) -> str:
    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize().hex().upper()


def decrypt(body: bytes, key: bytes, iv: bytes) -> str:
    """The plain text of a request body. Raises NotHexError, WrongKeyError."""
    if not _HEX.fullmatch(body):
        raise NotHexError
    decryptor = Cipher(SM4(key), CBC(iv)).decryptor()
    padded = decryptor.update(bytes.fromhex(body.decode("ascii"))) + decryptor.finalize()
    try:
        return unpad(padded).decode("utf-8")
    except UnicodeDecodeError:
        raise WrongKeyError from None


def unpad(padded: bytes) -> bytes:
    """ISO/IEC 7816-4: `80`, then zeros, one block at most."""
    text = padded.rstrip(b"\x00")
    if not text.endswith(b"\x80") or len(padded) - len(text) >= BLOCK:
        raise WrongKeyError
    return text[:-1]
