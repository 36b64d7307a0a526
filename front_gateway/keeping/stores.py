"""Which store the settings name."""

from foundation.logs import log
from foundation.object_store.bucket import Bucket, BucketAddress, StoreRefused, StoreUnreachable
from front_gateway.keeping.folder import FolderKept
from front_gateway.keeping.port import KeptStore
from front_gateway.settings import Settings

PROBE = "probe/overwrites.txt"


def kept_store(settings: Settings) -> KeptStore | None:
    """A folder, a bucket, or none. `OSError` when the folder cannot be used."""
    if settings.store_folder is not None:
        store = FolderKept(settings.store_folder)
        if left := store.tidy():
            log.info("unfinished_copies_removed", count=left)
        return store
    if settings.store_url:
        return Bucket(
            BucketAddress(
                url=settings.store_url, bucket=settings.store_bucket, key_id=settings.store_key_id,
                secret=settings.store_secret, region=settings.store_region, prefix=settings.store_prefix,
                seconds=900,
            )
        )  # fmt: skip
    return None


async def warn_if_overwriting(store: KeptStore | None) -> None:
    """Say once, at start, that a bucket would overwrite what is there: then only versions and Object Lock protect it."""
    if not isinstance(store, Bucket):
        return
    try:
        if await store.overwrites(PROBE):
            log.warning("store_overwrites", problem="turn on versions and Object Lock of the bucket")
    except (StoreRefused, StoreUnreachable) as error:
        log.warning("store_not_probed", error=str(error)[:200])
