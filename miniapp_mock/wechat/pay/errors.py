"""Refusals of Pay v3: `{"code", "message", "detail"?}` with the HTTP status that belongs to the code.

`errno` is WeChat Pay's internal number; it ends the `Request-Id` and is what its support asks for.
"""

from typing import Any

STATUS = {
    "PARAM_ERROR": 400,
    "INVALID_REQUEST": 400,
    "APPID_MCHID_NOT_MATCH": 400,
    "MCH_NOT_EXISTS": 400,
    "ORDER_CLOSED": 400,
    "ORDERPAID": 400,
    "NO_STATEMENT_EXIST": 400,
    "STATEMENT_CREATING": 400,
    "SIGN_ERROR": 401,
    "NO_AUTH": 403,
    "NOT_ENOUGH": 403,
    "ORDER_NOT_EXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429,
    "SYSTEM_ERROR": 500,
}
ERRNO = {
    "PARAM_ERROR": 268435456,
    "SIGN_ERROR": 268443699,
    "ORDER_NOT_EXIST": 268512771,
    "ORDERPAID": 268498689,
    "APPID_MCHID_NOT_MATCH": 268445527,
    "FREQUENCY_LIMITED": 268447840,
}
OTHER_PARAMETERS = 268498688
EXTRA_FIELD = 270924358


class PayError(Exception):
    def __init__(
        self, code: str, message: str, *, detail: dict[str, Any] | None = None, errno: int | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = STATUS[code]
        self.errno = errno or ERRNO.get(code, 268435455)
        self.body: dict[str, Any] = {"code": code, "message": message}
        if detail is not None:
            self.body["detail"] = detail


def wrong_field(
    field: str,
    issue: str,
    *,
    message: str = "参数错误",
    value: Any = None,
    location: str = "body",
    errno: int | None = None,
) -> PayError:
    """PARAM_ERROR that points at `field` (`/amount/total`)."""
    detail = {"field": field, "value": value, "issue": issue, "location": location}
    return PayError(
        "PARAM_ERROR",
        message,
        detail={key: part for key, part in detail.items() if part is not None},
        errno=errno,
    )


def closed() -> PayError:
    return PayError("ORDER_CLOSED", "该订单已关闭，请重新下单")


def paid() -> PayError:
    return PayError("ORDERPAID", "该订单已支付")


def invalid(message: str, *, errno: int | None = None) -> PayError:
    return PayError("INVALID_REQUEST", message, errno=errno)
