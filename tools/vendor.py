"""`python -m tools.vendor`: fetch the browser libraries of the pages with `npm pack` and write their files, licences and hashes.

`VENDOR.json` says what lies there: name, version, licence and the SHA-256 of every file; a test holds the files to it.
Nothing here runs when the software is installed or started: the files are committed.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "miniapp_mock" / "front" / "static" / "vendor"
INDEX = "VENDOR.json"


@dataclass(frozen=True)
class Library:
    """One package of the npm registry; `files` maps a path in it to the name it gets here."""

    name: str
    version: str
    licence: str
    files: Mapping[str, str]

    @property
    def folder(self) -> str:
        """Where its files lie."""
        return f"{self.name.removesuffix('.org')}-{self.version}"


LIBRARIES = (
    Library(
        "weui", "2.6.26", "MIT", {"dist/style/weui.min.css": "weui.min.css", "LICENSE.txt": "LICENSE.txt"}
    ),
    Library("htmx.org", "2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE.txt"}),
    Library("htmx-ext-sse", "2.2.4", "0BSD", {"dist/sse.min.js": "sse.min.js", "LICENSE": "LICENSE.txt"}),
    Library(
        "uplot",
        "1.6.32",
        "MIT",
        {
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
            "LICENSE": "LICENSE.txt",
        },
    ),
)


def digest(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def fetch(library: Library, work: Path) -> dict[str, bytes]:
    """The wanted files of the package as npm packs it."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{library.name}@{library.version}"],
        cwd=work, capture_output=True, text=True, check=True,
    )  # fmt: skip
    with tarfile.open(work / packed.stdout.strip().splitlines()[-1]) as archive:
        found: dict[str, bytes] = {}
        for path, name in library.files.items():
            member = archive.extractfile(f"package/{path}")
            assert member is not None, f"{library.name} has no {path}"
            found[name] = member.read()
    return found


def entry(library: Library, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What `VENDOR.json` says of one library."""
    hashes = {f"{library.folder}/{name}": digest(data) for name, data in sorted(files.items())}
    return {"name": library.name, "version": library.version, "licence": library.licence, "files": hashes}


def main() -> None:
    """Write every file anew; what belongs to no library any more is named, not deleted."""
    index = []
    with tempfile.TemporaryDirectory() as work:
        for library in LIBRARIES:
            files = fetch(library, Path(work))
            (FOLDER / library.folder).mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                (FOLDER / library.folder / name).write_bytes(data)
            index.append(entry(library, files))
            print(f"{library.folder}: {', '.join(files)}")
    (FOLDER / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    known = {library.folder for library in LIBRARIES}
    for stale in sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and path.name not in known):
        print(f"no longer used: {stale}")


if __name__ == "__main__":
    main()
