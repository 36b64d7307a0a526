"""The hospital's side of its durable copies on one machine: its store and its private key lie in `<data>/inner/`, its public key is
laid down for the cloud as a hospital would hand it over."""

from pathlib import Path

from foundation.object_store.kept import new_pair
from standalone.paths import DataFolder, write_private

STORE = ("inner", "kept")


def ensure(folder: DataFolder) -> Path:
    """The public half; the pair is made where there is none."""
    private, public = folder.root / "inner" / "kept.key", folder.certs / "kept" / "public.pem"
    if not private.exists() or not public.exists():
        private.parent.mkdir(parents=True, exist_ok=True)
        public.parent.mkdir(parents=True, exist_ok=True)
        made = new_pair(b"")
        write_private(private, made[0])
        write_private(public, made[1])
        public.chmod(0o644)
    return public
