"""The content of a signed record: from its row, or from the hospital's copy when it was dropped here."""

import msgspec

from backend.context import Context
from backend.record.model import MedicalRecord, RecordContent
from foundation.canonical import sha256
from foundation.errors import Unavailable
from foundation.object_store import Damaged, NotThere


async def content_of(context: Context, row: MedicalRecord) -> RecordContent:
    """What was signed, compared with its digest. `Unavailable` while the hospital's store cannot be reached."""
    if row.content is not None:
        return row.content
    try:
        data = b"".join([piece async for piece in context.objects.read(row.kept_key)])
    except (NotThere, Damaged):
        data = b""
    if sha256(data) != row.digest:
        raise Unavailable("病历已移交医院保存，目前无法取得，请联系医院", code="kept_copy_unusable")
    return msgspec.json.decode(data, type=RecordContent)
