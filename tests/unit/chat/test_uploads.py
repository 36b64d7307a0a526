"""A file that comes in pieces over a network that breaks."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.chat import uploads
from backend.chat.model import Attachment, Upload, UploadPart
from backend.chat.tasks import forget_upload
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import a_person
from tests.database import moves_on
from tests.small_world import OTHER
from tests.unit.chat.conftest import Room
from tests.unit.chat.material import jpeg, noise, note, png

pytestmark = pytest.mark.anyio

PIECE = 8000


async def begins(
    room: Room, data: bytes, media_type: str = "image/png", key: str = "upload-1"
) -> dict[str, Any]:
    body = {"client_id": key, "media_type": media_type, "size": len(data)}
    answer = await room.api.post(f"{room.path}/uploads", json=body, headers=room.as_patient)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sends(room: Room, upload: str, offset: int, data: bytes) -> httpx.Response:
    headers = {
        **room.as_patient,
        "upload-offset": str(offset),
        "content-type": "application/offset+octet-stream",
    }
    return await room.api.patch(f"/uploads/{upload}", content=data, headers=headers)


async def offset_of(room: Room, upload: str) -> int:
    answer = await room.api.head(f"/uploads/{upload}", headers=room.as_patient)
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def sends_all(room: Room, upload: str, data: bytes) -> dict[str, Any]:
    answer = {}
    for offset in range(0, len(data), PIECE):
        answer = (await sends(room, upload, offset, data[offset : offset + PIECE])).json()
    return answer


async def test_pieces_become_a_picture_that_can_be_sent(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)

    done = await sends_all(room, upload["id"], data)

    file = done["attachment"]
    assert (file["media_type"], file["width"], file["height"], file["small"]) == ("image/jpeg", 100, 60, True)
    body = {"type": "say", "client_id": "client-1", "kind": "image", "attachment_id": file["id"]}
    said = (await room.api.post(f"{room.path}/messages", json=body, headers=room.as_patient)).json()
    assert said["file"] == file
    shown = await room.api.get(f"/attachments/{file['id']}", headers=room.as_doctor)
    assert shown.content[:2] == b"\xff\xd8"
    assert len(shown.content) == file["size"]


async def test_the_pieces_are_encrypted_where_they_lie(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)

    await sends(room, upload["id"], 0, data[:PIECE])

    folder = room.context.settings.object_folder
    (file,) = [path for path in (folder / "uploads").rglob("*") if path.is_file()]
    assert data[:20] not in file.read_bytes()


async def test_after_a_break_the_sender_goes_on_where_the_last_safe_byte_is(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)
    await sends(room, upload["id"], 0, data[:PIECE])

    assert (await begins(room, data))["offset"] == await offset_of(room, upload["id"]) == PIECE
    repeated = await sends(room, upload["id"], 0, data[:PIECE])
    skipped = await sends(room, upload["id"], PIECE + 1, data[PIECE + 1 :])

    assert [(one.status_code, one.json()["code"]) for one in (repeated, skipped)] == [
        (409, "wrong_offset")
    ] * 2
    done = (await sends(room, upload["id"], PIECE, data[PIECE:])).json()
    assert done["attachment"]["width"] == 100


async def test_what_came_before_the_connection_broke_counts(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)
    host, port = str(room.api.base_url.host), int(room.api.base_url.port or 0)
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"PATCH /api/v1/uploads/{upload['id']} HTTP/1.1\r\nhost: x\r\nauthorization: {room.as_patient['authorization']}\r\n"
        f"content-type: application/offset+octet-stream\r\nupload-offset: 0\r\ncontent-length: {len(data)}\r\n\r\n"
    )

    writer.write(head.encode() + data[:700])
    await writer.drain()
    await asyncio.sleep(0.1)  # on its way; what matters is that it is cut inside the body
    writer.transport.abort()

    async with asyncio.timeout(10):
        while await offset_of(room, upload["id"]) == 0:
            await asyncio.sleep(0.02)
    assert await offset_of(room, upload["id"]) == 700
    assert (await sends(room, upload["id"], 700, data[700:])).json()["attachment"] is not None
    reader.feed_eof()


async def test_the_last_piece_sent_again_finds_the_same_file(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)
    done = await sends_all(room, upload["id"], data)

    again = (await sends(room, upload["id"], len(data), b"")).json()

    assert again["attachment"] == done["attachment"] == (await begins(room, data))["attachment"]
    async with unit_of_work(room.context.db) as session:
        assert len((await session.scalars(select(Attachment))).all()) == 1


async def test_a_sender_that_died_before_the_end_can_ask_for_it(room: Room) -> None:
    """All bytes are there, the answer to the last piece was never made: an empty piece makes the file."""
    data = noise()
    upload = await begins(room, data)
    await sends(room, upload["id"], 0, data[:-1])
    async with unit_of_work(room.context.db) as session:
        row = await session.scalar(select(Upload))
        assert row is not None
        part = UploadPart(
            upload_id=row.id, start=len(data) - 1, size=1, object_key=f"uploads/{row.id.hex}/last"
        )
        session.add(part)
        row.received = row.size

    async def last() -> Any:
        yield data[-1:]

    await room.context.objects.put(f"uploads/{row.id.hex}/last", last())

    assert (await sends(room, upload["id"], len(data), b"")).json()["attachment"] is not None


async def test_a_file_that_is_not_what_it_says_ends_its_upload(room: Room) -> None:
    data = jpeg()
    upload = await begins(room, data, "image/png")

    answer = await sends(room, upload["id"], 0, data)

    assert answer.status_code == 422
    assert answer.json()["issues"][0]["code"] == "wrong_content"
    await forget_upload(Work(room.context, (await rows(room))[0].id))
    assert await rows(room) == []


async def rows(room: Room) -> list[Upload]:
    async with unit_of_work(room.context.db) as session:
        return list(await session.scalars(select(Upload)))


async def test_pieces_are_removed_when_the_file_is_there(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)
    await sends_all(room, upload["id"], data)

    await forget_upload(Work(room.context, (await rows(room))[0].id))

    folder = room.context.settings.object_folder / "uploads"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert (await begins(room, data))["attachment"] is not None


async def test_an_upload_is_over_after_a_day(room: Room) -> None:
    data = noise()
    upload = await begins(room, data)
    moves_on(room.context.clock, hours=25)
    _, headers = await a_person(room.context)

    answer = await room.api.patch(
        f"/uploads/{upload['id']}", content=b"x",
        headers={**headers, "upload-offset": "0", "content-type": "application/offset+octet-stream"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (410, "upload_expired")


@pytest.mark.parametrize(
    ("media_type", "size", "field"),
    [
        ("application/pdf", 10, "media_type"),
        ("image/png", 6_000_000, "size"),
        ("image/svg+xml", 10, "media_type"),
    ],
)
async def test_only_pictures_and_voice_notes_of_a_size_are_begun(
    room: Room, media_type: str, size: int, field: str
) -> None:
    body = {"client_id": "upload-1", "media_type": media_type, "size": size}

    answer = await room.api.post(f"{room.path}/uploads", json=body, headers=room.as_patient)

    assert answer.status_code == 422
    assert answer.json()["issues"][0]["field"] == field


async def test_an_upload_belongs_to_who_began_it(room: Room) -> None:
    upload = await begins(room, png())
    _, stranger = await a_person(room.context, OTHER)

    for headers in (stranger, room.as_doctor):
        assert (await room.api.get(f"/uploads/{upload['id']}", headers=headers)).status_code == 404


async def test_a_piece_says_where_it_belongs_and_has_a_limit(room: Room) -> None:
    upload = await begins(room, b"x" * 400_000)
    path, kind = f"/uploads/{upload['id']}", {"content-type": "application/offset+octet-stream"}

    plain = await room.api.patch(path, content=b"x", headers={**room.as_patient, "upload-offset": "0"})
    nowhere = await room.api.patch(
        path, content=b"x", headers={**room.as_patient, **kind, "upload-offset": "-1"}
    )
    large = await sends(room, upload["id"], 0, b"x" * (uploads.PIECE_LIMIT + 1))

    assert [plain.status_code, nowhere.status_code, large.status_code] == [422, 422, 413]


async def test_a_voice_note_is_heard_by_ranges(room: Room) -> None:
    """Phones ask for the first two bytes before they play."""
    headers = {**room.as_patient, "content-type": "audio/webm;codecs=opus"}
    file = (await room.api.post(f"{room.path}/attachments", content=note(), headers=headers)).json()
    path = f"/attachments/{file['id']}"

    whole = await room.api.get(path, headers=room.as_doctor)
    first = await room.api.get(path, headers={**room.as_doctor, "range": "bytes=0-1"})
    last = await room.api.get(path, headers={**room.as_doctor, "range": "bytes=-5"})
    beyond = await room.api.get(path, headers={**room.as_doctor, "range": f"bytes={file['size']}-"})

    assert abs(file["duration_ms"] - 2000) < 60
    assert (first.status_code, first.content) == (206, whole.content[:2])
    assert first.headers["content-range"] == f"bytes 0-1/{file['size']}"
    assert last.content == whole.content[-5:]
    assert beyond.status_code == 416
    assert whole.headers["cache-control"] == "private, no-store"


async def test_a_file_is_sent_only_by_who_uploaded_it_and_as_what_it_is(room: Room) -> None:
    headers = {**room.as_patient, "content-type": "image/png"}
    file = (await room.api.post(f"{room.path}/attachments", content=png(), headers=headers)).json()

    async def says(kind: str, headers: dict[str, str]) -> tuple[int, str]:
        body = {"type": "say", "client_id": f"client-{kind}", "kind": kind, "attachment_id": file["id"]}
        answer = await room.api.post(f"{room.path}/messages", json=body, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert await says("voice", room.as_patient) == (422, "invalid")
    assert await says("image", room.as_doctor) == (404, "attachment_not_found")
    assert (await says("image", room.as_patient))[0] == 201
    small = await room.api.get(f"/attachments/{file['id']}?size=small", headers=room.as_doctor)
    assert small.headers["cache-control"] == "private, max-age=3600"
