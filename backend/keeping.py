"""Settings of the hospital's durable copies (docs/decisions/0092): for whom they are sealed, when the cloud drops its own."""

from dataclasses import dataclass
from pathlib import Path

from foundation.object_store.kept import NotAKey, Recipient
from foundation.settings import setting


@dataclass(frozen=True, kw_only=True)
class KeepingSettings:
    """A part of the backend's settings."""

    kept_public_key: Path | None = setting(
        "the hospital's public key for its copies, PEM, X25519 (`python -m front_gateway kept key` makes the pair);"
        " without it nothing is copied and nothing dropped",
        default=None,
    )
    keep_content_days: int = setting(
        "days after which the cloud drops content that the hospital's store has and that was read back; 0: never",
        default=30,
    )

    def keeping_problems(self) -> list[str]:
        """What cannot be."""
        problems = []
        if not 0 <= self.keep_content_days <= 5_475:
            problems.append("KEEP_CONTENT_DAYS is malformed: not between 0 and 5475 (15 years)")
        try:
            self.recipient()
        except (OSError, NotAKey) as error:
            problems.append(f"KEPT_PUBLIC_KEY is malformed: {getattr(error, 'strerror', None) or error}")
        return problems

    def recipient(self) -> Recipient | None:
        """The hospital as the second recipient of a copy, if it has given a key; `OSError`, `NotAKey`."""
        return Recipient.load(self.kept_public_key.read_bytes()) if self.kept_public_key is not None else None
