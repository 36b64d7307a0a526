from backend.video.aiortc_engine import names


def test_every_private_name_that_we_lean_on_is_still_there() -> None:
    gone = names.missing()

    assert not gone, (
        "aiortc or aioice changed under us; see backend/video/aiortc_engine/names.py:\n" + "\n".join(gone)
    )
