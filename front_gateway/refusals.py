"""Why the gateway says no, on top of `foundation.errors`.

```
Forbidden
└── NotListed              403 not_listed               no line of the whitelist fits
BadRequest
├── BadTarget              400 bad_target               path tricks, headers that contradict each other
└── DigestMismatch         400 digest_mismatch          what came is not what was announced: nothing was stored
KeptOtherwise              409 kept_otherwise           the hospital's store has other bytes under this key: nothing is overwritten
LengthRequired             411 length_required          a body without a length
NotFound
├── NotKept                404 not_kept                 the hospital's store has no such object
├── PatientNotFound        404 patient_not_found
└── ImageNotFound          404 image_not_found          she has no such study, series, instance or frame
HospitalRefused            422 hospital_refused         the hospital understood a write and will not have it
├── PlaceTaken             422 place_taken              somebody there has the slot; nothing was written
├── FeeTaken               422 fee_taken                the hospital's window has charged it or holds it; nothing was locked
└── NotConnected           422 images_not_connected     the hospital has no image archive behind this gateway
Unusable                   502 hospital_…, platform_…, backend_, store_answer_unusable
└── WrongSubject           502 wrong_subject            an entry about another patient: nothing is passed on
Unavailable
└── Unreachable            503 hospital_…, platform_…, backend_, store_unreachable
TooSlow                    504 hospital_…, platform_…, backend_, store_timeout
```
"""

from collections.abc import Sequence
from enum import StrEnum

from foundation.errors import AppError, BadRequest, Conflict, Forbidden, Issue, NotFound, Unavailable


class Target(StrEnum):
    """Who stands behind the gateway."""

    HIS = "his"
    CITY = "city"
    BACKEND = "backend"
    PACS = "pacs"
    STORE = "store"


_PREFIX = {
    Target.HIS: "hospital",
    Target.CITY: "platform",
    Target.BACKEND: "backend",
    Target.PACS: "hospital",
    Target.STORE: "store",
}
_WORD = {
    Target.HIS: "医院系统", Target.CITY: "监管平台", Target.BACKEND: "互联网医院", Target.PACS: "医院影像系统",
    Target.STORE: "医院存储",
}  # fmt: skip


class NotListed(Forbidden):
    """`reason` is for the audit line only: the caller hears the same words whatever was missing. `fields` are told by name:
    who meets a line may know what it lets in."""

    code = "not_listed"

    def __init__(self, reason: str, fields: Sequence[str] = ()) -> None:
        issues = [Issue(one, "not_listed", "此字段未列入白名单") for one in fields]
        super().__init__("此调用未列入白名单，已拒绝并记录", issues=issues)
        self.reason = reason


class BadTarget(BadRequest):
    """The request line or its headers are not what an honest client sends."""

    code = "bad_target"

    def __init__(self, reason: str) -> None:
        super().__init__("请求路径或请求头不被接受")
        self.reason = reason


class DigestMismatch(BadRequest):
    """The bytes of a copy are not those that were announced."""

    code = "digest_mismatch"

    def __init__(self) -> None:
        super().__init__("内容与所注明的摘要不符，没有保存")


class KeptOtherwise(Conflict):
    """An object of this key is there, and it is another one."""

    code = "kept_otherwise"

    def __init__(self) -> None:
        super().__init__("医院存储中已有同名而内容不同的文件，不能覆盖")


class NotKept(NotFound):
    """The hospital's store does not have it."""

    code = "not_kept"

    def __init__(self) -> None:
        super().__init__("医院存储中没有这个文件")


class LengthRequired(AppError):
    """Chunked bodies are not taken: one way to say where a body ends leaves nothing to smuggle."""

    status, code, title = 411, "length_required", "请求须注明长度"


class PatientNotFound(NotFound):
    """The hospital has no such patient."""

    code = "patient_not_found"

    def __init__(self) -> None:
        super().__init__("医院没有找到这位患者")


class ImageNotFound(NotFound):
    """The patient has no such picture."""

    code = "image_not_found"

    def __init__(self) -> None:
        super().__init__("没有找到这幅影像")


class HospitalRefused(AppError):
    """The hospital took the call and refuses what it asks; `reason` is the hospital's own, shortened, `answered` its status."""

    status, code, title = 422, "hospital_refused", "医院系统没有接受"

    def __init__(self, reason: str, answered: int = 0) -> None:
        super().__init__(f"医院系统没有接受：{reason}" if reason else "")
        self.reason = reason
        self.answered = answered


class PlaceTaken(HospitalRefused):
    """The slot that is asked for belongs to somebody else at the hospital."""

    code, title = "place_taken", "院内该时段已被占用"


class FeeTaken(HospitalRefused):
    """The hospital's own window has charged this fee, or is about to."""

    code, title = "fee_taken", "该费用已在院内窗口收取或锁定"


class NotConnected(HospitalRefused):
    """`PACS_URL` is not set: there is nothing to ask."""

    code, title = "images_not_connected", "医院影像系统没有接入"

    def __init__(self) -> None:
        super().__init__("医院影像系统没有接入")


class Unusable(AppError):
    """An answer that must not be passed on; `reason` is for log and audit."""

    status, title = 502, "对方系统的答复无法使用"

    def __init__(self, target: Target, reason: str, *, code: str = "") -> None:
        super().__init__(f"{_WORD[target]}的答复无法使用", code=code or f"{_PREFIX[target]}_answer_unusable")
        self.reason = reason


class WrongSubject(Unusable):
    """The hospital answered with an entry about somebody else; `resource_hash` names the entry."""

    def __init__(self, resource_hash: str) -> None:
        super().__init__(Target.HIS, "entry about another patient", code="wrong_subject")
        self.resource_hash = resource_hash


class Unreachable(Unavailable):
    """Nobody answers, or the breaker is open."""

    def __init__(self, target: Target, reason: str, *, retry_after: int | None = None) -> None:
        super().__init__(
            f"{_WORD[target]}暂时无法连接，请稍后再试",
            code=f"{_PREFIX[target]}_unreachable",
            retry_after=retry_after,
        )
        self.reason = reason


class TooSlow(AppError):
    """The call's time is over."""

    status, title = 504, "对方系统答复超时"

    def __init__(self, target: Target) -> None:
        super().__init__(f"{_WORD[target]}没有及时答复，请稍后再试", code=f"{_PREFIX[target]}_timeout")
