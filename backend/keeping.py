"""Settings of what is kept: where the cloud's own objects lie, for whom the hospital's copies are sealed, when the cloud drops its own
(docs/decisions/0092)."""

from dataclasses import dataclass
from pathlib import Path

from foundation.crypto import Keyring
from foundation.object_store import FolderStore, ObjectStore
from foundation.object_store.kept import NotAKey, Recipient
from foundation.settings import setting


@dataclass(frozen=True, kw_only=True)
class ObjectSettings:
    """Where the cloud's own objects lie; for API, worker and media alike."""

    object_url: str = setting(
        "S3-compatible store of ended objects, without the bucket; OBJECT_FOLDER is then the workshop of those that are"
        " being written, and all processes of one machine share it. Empty: all lies in OBJECT_FOLDER",
        default="",
    )
    object_bucket: str = setting("its bucket", default="")
    object_prefix: str = setting("what every key begins with, where the bucket is not ours alone", default="")
    object_region: str = setting("its region", default="us-east-1")
    object_key_id: str = setting("our access key there", default="")
    object_secret: str = setting("its secret", default="", secret=True)

    def object_problems(self) -> list[str]:
        """An address without what belongs to it."""
        if not self.object_url:
            return []
        missing = [
            name for name in ("object_bucket", "object_key_id", "object_secret") if not getattr(self, name)
        ]
        problems = [f"{name.upper()} is missing" for name in missing]
        if not self.object_url.startswith(("http://", "https://")):
            problems.append("OBJECT_URL is malformed: not http or https")
        return problems

    def objects_in(self, folder: Path, keyring: Keyring) -> ObjectStore:
        """The store that the settings name."""
        if not self.object_url:
            return FolderStore(folder, keyring)
        from foundation.object_store.bucket import Bucket, BucketAddress
        from foundation.object_store.s3 import S3Store

        address = BucketAddress(
            url=self.object_url, bucket=self.object_bucket, key_id=self.object_key_id, secret=self.object_secret,
            region=self.object_region, prefix=self.object_prefix,
        )  # fmt: skip
        return S3Store(Bucket(address), folder, keyring)


@dataclass(frozen=True, kw_only=True)
class KeepingSettings(ObjectSettings):
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
        problems = self.object_problems()
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
