"""Static files of the desks, each under the hash of its content, so that browsers may keep them for ever."""

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from foundation.errors import NotFound

FOLDER = Path(__file__).parent / "static"
PREFIX = "/desk/static"
FOR_EVER = "public, max-age=31536000, immutable"


class Assets:
    """All files of a folder, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
        self._marks = {name: hashlib.sha256(data).hexdigest()[:16] for name, data in self._files.items()}

    def url(self, name: str) -> str:
        """Address of a file; `KeyError` for a file that does not exist."""
        return f"{PREFIX}/{self._marks[name]}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer with a file; an old address is gone."""
        name = request.path_params["name"]
        if self._marks.get(name) != request.path_params["mark"]:
            raise NotFound
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(self._files[name], media_type=kind, headers={"cache-control": FOR_EVER})
