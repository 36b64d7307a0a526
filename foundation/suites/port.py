"""The port: what a suite can do, whatever library or machine does it."""

from typing import Protocol

BLOCK = 16


class WrongPaddingError(ValueError):
    """The plain text does not end in 80 00…: another key, another IV, or cut off."""


class Cipher(Protocol):
    """A symmetric key in CBC mode, wherever the key lies. Only whole blocks: padding is `pad` and `unpad`."""

    def encrypt_blocks(self, plain: bytes, iv: bytes) -> bytes:
        """Cipher text as long as `plain`."""

    def decrypt_blocks(self, sealed: bytes, iv: bytes) -> bytes:
        """The other way."""


class Signer(Protocol):
    """A private key, wherever it lies. `public` is the uncompressed point, 65 bytes that begin with 04."""

    @property
    def algorithm(self) -> str:
        """Its suite's `signing`."""

    @property
    def public(self) -> bytes:
        """The point."""

    def sign(self, data: bytes) -> bytes:
        """Signature over `data` as r ‖ s, 64 bytes."""


class Suite(Protocol):
    """One set of algorithms that belong together. `signing` is what a `Signer` of this suite calls its algorithm."""

    @property
    def name(self) -> str:
        """commercial or international."""

    @property
    def signing(self) -> str:
        """Name of the signature algorithm."""

    def digest(self, data: bytes) -> bytes:
        """32 bytes."""

    def cipher(self, key: bytes) -> Cipher:
        """A key of 16 bytes held in memory."""

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        """Whether `signature` (r ‖ s) over `data` is that of the key with this `public` point; False for anything malformed."""


def seal(cipher: Cipher, plain: bytes, iv: bytes) -> bytes:
    """CBC over `plain` padded by ISO/IEC 7816-4."""
    return cipher.encrypt_blocks(pad(plain), iv)


def unseal(cipher: Cipher, sealed: bytes, iv: bytes) -> bytes:
    """The other way; `WrongPaddingError` when it is not ours."""
    if not sealed or len(sealed) % BLOCK:
        raise WrongPaddingError("not whole blocks")
    return unpad(cipher.decrypt_blocks(sealed, iv))


def pad(plain: bytes) -> bytes:
    """One byte 80, then 00 up to a whole block; at least one byte is always added."""
    marked = plain + b"\x80"
    return marked + bytes(-len(marked) % BLOCK)


def unpad(padded: bytes) -> bytes:
    """Undo `pad`."""
    stripped = padded.rstrip(b"\x00")
    if not stripped.endswith(b"\x80") or len(padded) - len(stripped) >= BLOCK:
        raise WrongPaddingError("no 80 before the zeros of the last block")
    return stripped[:-1]
