"""Static files under one address that changes with their content, so that browsers may keep them for ever.

The hash covers the whole tree: modules import one another by relative paths and stay in step.
"""

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from foundation.errors import NotFound

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


class Assets:
    """The files of one folder, known by name since the start: nothing else can be asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        whole = hashlib.sha256()
        for name, path in self._files.items():
            whole.update(f"{name}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
        self.version = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """Address of a file; KeyError when there is none, so that a wrong name does not survive a test."""
        if name not in self._files:
            raise KeyError(f"no static file {name}")
        return f"/static/{self.version}/{name}"

    async def answer(self, request: Request) -> Response:
        """The file. A page from before an update gets the present one, but does not keep it."""
        path = self._files.get(request.path_params["name"])
        if path is None:
            raise NotFound
        current = request.path_params["version"] == self.version
        media_type = (
            TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
        return FileResponse(
            path, headers={"cache-control": FOR_EVER if current else "no-cache"}, media_type=media_type
        )

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route("/static/{version}/{name:path}", self.answer)]
