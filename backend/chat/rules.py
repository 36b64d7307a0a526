"""What may be sent. Pure."""

import re

from foundation.errors import Issue

TEXT_LIMIT = 2000
FILE_LIMIT = 5_000_000
FILES_PER_VISIT = 60
"""Files one side may send in a visit."""
PICTURES = ("image/jpeg", "image/png", "image/webp")
VOICES = ("audio/webm", "audio/ogg", "audio/mp4")
KINDS = {"image": PICTURES, "voice": VOICES}
"""What a message of a kind may carry."""


def text_issues(body: str) -> list[Issue]:
    """Why a text cannot be sent."""
    if not body.strip():
        return [Issue("body", "empty", "请输入内容")]
    if len(body) > TEXT_LIMIT:
        return [Issue("body", "too_long", f"最多 {TEXT_LIMIT} 个字")]
    return []


def file_issues(media_type: str, size: int) -> list[Issue]:
    """Why a file of this type and size cannot be sent; what is in it is found out when it is remade."""
    if media_type not in (*PICTURES, *VOICES):
        return [Issue("media_type", "not_allowed", "只能发送图片或语音")]
    if size <= 0:
        return [Issue("size", "empty", "文件是空的")]
    if size > FILE_LIMIT:
        return [Issue("size", "too_large", f"文件不能超过 {FILE_LIMIT // 1_000_000} MB")]
    return []


_COURTESY = re.compile(
    r"您好|你好|[早中晚]上好|[上下]午好|我是.{0,8}医生|请?稍[等候]|请讲|请说|在吗|好的|收到|谢谢|不客气|没关系|不用谢|请问|嗯+|\W|_"
)
_SUBSTANCE = 5
"""Characters that a text must have beside courtesies."""


def of_substance(kind: str, body: str) -> bool:
    """Whether what a doctor sends looks like advice: more than a courtesy, and no mere question. Only a first guess; she is asked."""
    if kind != "text":
        return True
    told = [
        one
        for one in re.split(r"[。！!；;\n]|(?<=[？?])", body)
        if one.strip() and one.strip()[-1] not in "？?吗呢"
    ]
    return len(_COURTESY.sub("", "".join(told))) >= _SUBSTANCE


CONTENT = {
    "wrong_content": "文件内容与类型不符，或已损坏",
    "too_large": "图片尺寸过大，请截取需要的部分再发送",
    "too_long": "语音最长 60 秒",
    "too_short": "说话时间太短",
}
"""What a file can turn out to be when it is remade, in the sender's words."""
