"""What may be sent. Pure."""

from foundation.errors import Issue

TEXT_LIMIT = 2000
FILE_LIMIT = 5_000_000
_MAGIC = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "audio/webm": (b"\x1a\x45\xdf\xa3",),
    "audio/ogg": (b"OggS",),
    "audio/mp4": (b"\x00\x00\x00",),
}


def text_issues(body: str) -> list[Issue]:
    """Why a text cannot be sent."""
    if not body.strip():
        return [Issue("body", "empty", "请输入内容")]
    if len(body) > TEXT_LIMIT:
        return [Issue("body", "too_long", f"最多 {TEXT_LIMIT} 个字")]
    return []


def file_issues(media_type: str, data: bytes) -> list[Issue]:
    """Why a file cannot be sent: its kind, its size, or content that is not what it says."""
    if media_type not in _MAGIC:
        return [Issue("content-type", "not_allowed", "只能发送图片或语音")]
    if not data:
        return [Issue("body", "empty", "文件是空的")]
    if not data.startswith(_MAGIC[media_type]):
        return [Issue("body", "wrong_content", "文件内容与类型不符")]
    return []
