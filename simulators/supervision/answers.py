"""What the platform answers: outer refusals, inner results, with the numbers of the interface.

outer  {"code": 40010, "msg": "…"}                                    nothing was looked at
inner  {"code": 200, "body": {"msgCode": -99, "msg": "age|sex"}}      the envelope was good, the content was judged
"""

from enum import IntEnum
from typing import Any

from starlette.responses import JSONResponse, Response


class Outer(IntEnum):
    BUSY = -1
    BAD_PARAMETER = 40001
    NO_APP_KEY = 40002
    FROZEN = 40003
    KEY_MISMATCH = 40004
    NO_RIGHT = 40006
    ADDRESS = 40007
    BAD_SIGNATURE = 40010
    EXPIRED = 40011
    OTHER = 40012


class Inner(IntEnum):
    ACCEPTED = 200
    FAILED = -1
    NO_DATA = -98
    MISSING = -99


TEXTS = {
    Outer.BUSY: "系统繁忙，请稍后再试",
    Outer.BAD_PARAMETER: "参数错误",
    Outer.NO_APP_KEY: "appKey不存在",
    Outer.FROZEN: "appKey已冻结",
    Outer.KEY_MISMATCH: "appKey与appSecret不匹配",
    Outer.NO_RIGHT: "没有该服务的权限",
    Outer.ADDRESS: "IP地址不在白名单",
    Outer.BAD_SIGNATURE: "签名不正确",
    Outer.EXPIRED: "请求已过期或重复",
    Outer.OTHER: "其他错误",
}
ACCEPTED_TEXT = "操作成功"
EMPTY_TEXT = "数据为空"


class OuterRefusalError(Exception):
    """The request is refused before its content is looked at."""

    def __init__(self, code: Outer, detail: str = "") -> None:
        self.code = code
        self.text = f"{TEXTS[code]}：{detail}" if detail else TEXTS[code]
        super().__init__(self.text)


class RecordRefusalError(Exception):
    """One record is refused, and with it the rest of its list."""

    def __init__(self, code: Inner, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(text)


def outer_answer(refusal: OuterRefusalError) -> Response:
    return JSONResponse({"code": int(refusal.code), "msg": refusal.text})


def inner_answer(code: Inner, text: str, **more: Any) -> Response:
    """`more` are the additions of the shanghai profile."""
    return JSONResponse({"code": 200, "body": {"msgCode": int(code), "msg": text, **more}})
