"""The one body of every refusal: RFC 9457 `application/problem+json` with `code`, `issues` and the request's id."""

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from foundation import errors
from foundation.errors import AppError
from foundation.logs import log, request_id

MEDIA_TYPE = "application/problem+json"
_BY_STATUS = {
    kind.status: kind
    for kind in (
        errors.BadRequest,
        errors.Unauthenticated,
        errors.Forbidden,
        errors.NotFound,
        errors.TooLarge,
    )
}


class ProblemIssue(msgspec.Struct, frozen=True):
    """`field` is a path into the request (`items.0.days`); `message` is for the user."""

    field: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is what programs switch on; `detail` is a Chinese sentence for the user."""

    title: str
    status: int
    code: str
    detail: str
    request_id: str
    issues: tuple[ProblemIssue, ...] = ()
    type: str = "about:blank"


def as_problem(error: AppError) -> Problem:
    """The body for `error`."""
    return Problem(
        title=error.title,
        status=error.status,
        code=error.code,
        detail=error.detail,
        request_id=request_id.get(),
        issues=tuple(ProblemIssue(issue.field, issue.code, issue.message) for issue in error.issues),
    )


def problem_response(error: AppError) -> Response:
    """The whole response for `error`."""
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    return Response(msgspec.json.encode(as_problem(error)), error.status, headers, MEDIA_TYPE)


async def handle(_: Request, error: Exception) -> Response:
    """Starlette's exception handler for everything."""
    if isinstance(error, AppError):
        return problem_response(error)
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code)
        if kind is not None:
            return problem_response(kind())
        refused = AppError(error.detail, code=f"http_{error.status_code}")
        problem = msgspec.structs.replace(as_problem(refused), status=error.status_code, title=error.detail)
        return Response(msgspec.json.encode(problem), error.status_code, error.headers, MEDIA_TYPE)
    log.error("unhandled", exc_info=error)
    return problem_response(errors.Internal())


PROBLEM_HANDLERS: dict[Any, Any] = {AppError: handle, HTTPException: handle, Exception: handle}
"""For Starlette's `exception_handlers`."""
