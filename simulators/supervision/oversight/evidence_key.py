"""The platform's key for evidence: Ed25519, made on first use, kept in the platform's data folder."""

import hmac
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "evidence.key"


def evidence_key(folder: Path) -> Ed25519PrivateKey:
    """Made once, whoever comes first; 32 raw bytes, readable by the platform alone."""
    place = folder / NAME
    if not place.exists():
        fresh = place.with_name(f".{NAME}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 (mode)
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            os.link(fresh, place)
        except FileExistsError:
            pass  # somebody was quicker: hers it is
        finally:
            fresh.unlink()
    return Ed25519PrivateKey.from_private_bytes(place.read_bytes())


def public_text(key: Ed25519PrivateKey) -> str:
    """Hex of the public key, as the console shows it."""
    return key.public_key().public_bytes_raw().hex()


def salt_of(key: Ed25519PrivateKey, record: int) -> bytes:
    """32 bytes for the commitment to a stored record: the same in every bundle, known only where the text is given, too."""
    return hmac.digest(
        key.private_bytes_raw(), f"evidence-bundle/2 salt of record {record}".encode(), "sha256"
    )
