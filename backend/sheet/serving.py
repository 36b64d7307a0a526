"""Sheets and files of evidence as HTTP answers: to be kept by whoever downloads them, by no cache."""

from pathlib import Path

from starlette.responses import Response, StreamingResponse

from backend.sheet.model import Sheet
from foundation.object_store import ObjectStore
from foundation.web.bodies import begun

HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}


async def as_file(objects: ObjectStore, sheet: Sheet, name: str) -> Response:
    """The stored PDF; `name` is ASCII."""
    headers = HEADERS | {
        "content-disposition": f'inline; filename="{name}"',
        "content-length": str(sheet.size),
    }
    content = await begun(objects.read(sheet.object_key))
    return StreamingResponse(content, media_type="application/pdf", headers=headers)


def as_download(content: bytes, name: str) -> Response:
    """A file of evidence; `name` is ASCII."""
    headers = HEADERS | {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/json", headers=headers)


VERIFIER = Path(__file__).with_name("verify_sheet.py")


def verifier() -> Response:
    """The stand-alone verifier, byte for byte as it lies here."""
    headers = {
        "content-disposition": f'attachment; filename="{VERIFIER.name}"',
        "x-content-type-options": "nosniff",
    }
    return Response(VERIFIER.read_bytes(), media_type="text/x-python", headers=headers)
