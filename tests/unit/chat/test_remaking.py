"""Strangers' files are made anew: upright, small, of one kind, and with nothing in them that is not seen or heard."""

import io

import av
import pytest

from backend.chat import remaking
from backend.chat.remaking import remade
from foundation.errors import Invalid
from tests.unit.chat.material import film, jpeg, note, pixel, png

pytestmark = pytest.mark.anyio


def is_red(colour: tuple[int, int, int]) -> bool:
    return colour[0] > 200 and colour[2] < 60


@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [(1, (64, 32), (2, 2)), (3, (64, 32), (61, 29)), (6, (32, 64), (29, 2)), (8, (32, 64), (2, 61))],
)
async def test_a_photograph_is_upright_and_its_camera_is_not_in_it(
    orientation: int, size: tuple[int, int], corner: tuple[int, int]
) -> None:
    data = jpeg(orientation=orientation)

    large, small = await remade("image/jpeg", data)

    assert b"SecretCamera" in data
    assert b"SecretCamera" not in large.content + small.content
    assert b"Exif" not in large.content
    assert (large.about.media_type, large.about.width, large.about.height) == ("image/jpeg", *size)
    assert is_red(pixel(large.content, *corner))
    assert not is_red(pixel(large.content, size[0] - 1 - corner[0], size[1] - 1 - corner[1]))


async def test_large_pictures_are_made_smaller_and_have_a_small_twin() -> None:
    large, small = await remade("image/png", png(2000, 100))

    assert (large.about.width, large.about.height) == (1600, 80)
    assert (small.about.width, small.about.height) == (320, 16)
    assert small.about.size == len(small.content) < 5000


@pytest.mark.parametrize(
    ("media_type", "container", "codec"),
    [("audio/webm", "webm", "libopus"), ("audio/ogg", "ogg", "libopus"), ("audio/mp4", "mp4", "aac")],
)
async def test_a_voice_note_plays_on_every_phone_and_says_how_long_it_is(
    media_type: str, container: str, codec: str
) -> None:
    (made,) = await remade(media_type, note(container, codec, 2.0))

    assert made.about.media_type == "audio/mp4"
    assert abs(made.about.duration_ms - 2000) < 60
    assert b"SecretTitle" not in made.content
    assert made.content.index(b"moov") < made.content.index(b"mdat")
    with av.open(io.BytesIO(made.content), "r") as played:
        (stream,) = played.streams.audio
        heard = sum(frame.samples for frame in played.decode(stream))
    assert stream.codec_context.name == "aac"
    assert abs(heard / 24_000 - 2.0) < 0.1


@pytest.mark.parametrize(
    ("media_type", "data", "code"),
    [
        ("image/png", jpeg(), "wrong_content"),
        ("image/jpeg", b"\xff\xd8\xff" + b"x" * 400, "wrong_content"),
        ("image/jpeg", b"<svg onload=alert(1)>", "wrong_content"),
        ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 ", "wrong_content"),
        ("audio/webm", film(), "wrong_content"),
        ("audio/ogg", note(), "wrong_content"),
        ("audio/webm", b"\x1a\x45\xdf\xa3" + b"\0" * 200, "wrong_content"),
        ("audio/webm", note(seconds=0.2), "too_short"),
        ("audio/webm", note(seconds=64), "too_long"),
    ],
)
async def test_what_is_not_what_it_says_is_refused(media_type: str, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await remade(media_type, data)

    assert refused.value.issues[0].code == code


async def test_a_decoder_that_crashes_is_a_refused_file_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remaking, "CHILD", ("-c", "import os; os.abort()"))

    with pytest.raises(Invalid):
        await remade("image/png", png())


async def test_the_child_knows_no_setting_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder's process has no password to lose."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://secret")
    monkeypatch.setattr(
        remaking, "CHILD", ("-c", "import os, sys; sys.stdout.write(repr(sorted(os.environ))); sys.exit(3)")
    )

    with pytest.raises(Invalid) as refused:
        await remade("image/png", png())

    assert "DATABASE_URL" not in refused.value.issues[0].code
    assert "PYTHONPATH" in refused.value.issues[0].code
