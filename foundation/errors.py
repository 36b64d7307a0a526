"""One error tree for all processes; `foundation.web.problems` turns it into the one problem body.

```
AppError                     what went wrong, as a fact, in the user's words
├── BadRequest           400 not JSON, not decodable
├── Unauthenticated      401 no session, or an ended one
├── Forbidden            403 known, but not allowed
├── NotFound             404 no such thing for you
├── Conflict             409 the present state does not allow it
│   └── IllegalMove      409 a state machine refuses the verb
├── Gone                 410 it was there, and its time is over
├── TooLarge             413 the body is over its limit
├── Invalid              422 fields are wrong; `issues` has every one of them
├── TooMany              429 too often; `retry_after` seconds
│   └── TooOften         429 over a rate: counted, not written down one by one
├── Busy                 503 somebody else holds the row; try again
├── Unavailable          503 another system does not answer
└── Internal             500 our fault
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Issue:
    """One thing wrong with one field: `field` is a path such as `items.0.days`, `message` is for the user."""

    field: str
    code: str
    message: str


class AppError(Exception):
    """Base of every refusal. `code` is the closed list that clients switch on, `detail` a Chinese sentence."""

    status: ClassVar[int] = 500
    code: str = "internal"
    title: ClassVar[str] = "系统出错"
    written_down: bool = True
    """Whether each refusal becomes a line of the audit trail."""

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        issues: Sequence[Issue] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or type(self).code
        self.issues = tuple(issues)
        self.retry_after = retry_after


class BadRequest(AppError):
    """Not JSON, not decodable."""

    status, code, title = 400, "bad_request", "请求格式不正确"


class Unauthenticated(AppError):
    """No session, or an ended one."""

    status, code, title = 401, "unauthenticated", "请先登录"


class Forbidden(AppError):
    """Known, but not allowed."""

    status, code, title = 403, "forbidden", "您没有权限进行此操作"


class NotFound(AppError):
    """No such thing for you: another person's object looks the same as none."""

    status, code, title = 404, "not_found", "没有找到"


class Conflict(AppError):
    """The present state does not allow it."""

    status, code, title = 409, "conflict", "当前状态不能进行此操作"


class IllegalMove(Conflict):
    """A state machine refuses the verb."""

    code = "illegal_move"


class Gone(AppError):
    """It was there, and its time is over."""

    status, code, title = 410, "gone", "已经过期"


class TooLarge(AppError):
    """The body is over its limit."""

    status, code, title = 413, "too_large", "内容过大"


class Invalid(AppError):
    """Fields are wrong; `issues` has every one of them."""

    status, code, title = 422, "invalid", "填写有误，请检查"


class TooMany(AppError):
    """Too often."""

    status, code, title = 429, "too_many", "操作太频繁，请稍后再试"


class TooOften(TooMany):
    """Over a rate. A flood is counted in a metric: a line of the audit trail for each would be a flood of ours."""

    code = "too_often"
    written_down = False


class Busy(AppError):
    """Somebody else holds the row."""

    status, code, title = 503, "busy", "系统繁忙，请稍后再试"


class Unavailable(AppError):
    """Another system does not answer."""

    status, code, title = 503, "unavailable", "相关系统暂时不可用，请稍后再试"


class Internal(AppError):
    """Our fault."""


def invalid(field: str, code: str, message: str) -> Invalid:
    """`Invalid` about a single field."""
    return Invalid(message, issues=[Issue(field, code, message)])
