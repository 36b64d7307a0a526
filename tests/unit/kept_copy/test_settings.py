from pathlib import Path

import pytest

from backend.keeping import KeepingSettings
from foundation.crypto import Keyring
from foundation.object_store import FolderStore
from foundation.object_store.kept import new_pair
from foundation.object_store.s3 import S3Store

RING = Keyring({"k1": bytes(32)}, "k1", bytes(32))
BUCKET = {
    "object_url": "http://127.0.0.1:1",
    "object_bucket": "b",
    "object_key_id": "a",
    "object_secret": "s",
}


def test_the_clouds_objects_lie_in_a_folder_or_in_the_bucket_that_is_named(tmp_path: Path) -> None:
    assert isinstance(KeepingSettings().objects_in(tmp_path, RING), FolderStore)
    assert isinstance(KeepingSettings(**BUCKET).objects_in(tmp_path, RING), S3Store)  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [-1, 5_476])
def test_days_are_between_never_and_fifteen_years(days: int) -> None:
    [problem] = KeepingSettings(keep_content_days=days).keeping_problems()

    assert "KEEP_CONTENT_DAYS" in problem


def test_an_address_without_its_bucket_and_key_is_a_mistake() -> None:
    problems = KeepingSettings(object_url="ftp://x").keeping_problems()

    assert [one.split(" ")[0] for one in problems] == [
        "OBJECT_BUCKET", "OBJECT_KEY_ID", "OBJECT_SECRET", "OBJECT_URL",
    ]  # fmt: skip


def test_a_private_key_is_not_taken_for_the_public_one(tmp_path: Path) -> None:
    private, public = new_pair(b"")
    (tmp_path / "private").write_bytes(private)
    (tmp_path / "public").write_bytes(public)

    assert KeepingSettings(kept_public_key=tmp_path / "public").keeping_problems() == []
    for wrong in ("private", "none"):
        [problem] = KeepingSettings(kept_public_key=tmp_path / wrong).keeping_problems()
        assert problem.startswith("KEPT_PUBLIC_KEY is malformed")
