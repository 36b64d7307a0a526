"""How a resource of the hospital is named without telling anything about it."""

import hashlib


def resource_hash(resource_type: str, id: str) -> str:
    """SHA-256 of "Type/id", hex."""
    return hashlib.sha256(f"{resource_type}/{id}".encode()).hexdigest()
