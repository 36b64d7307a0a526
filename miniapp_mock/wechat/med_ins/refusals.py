"""What WeChat says no to, with the message and the internal number of its own table (排障手册, 2026)."""

from miniapp_mock.wechat.pay.errors import PayError

RULE = "RULE_LIMIT"


class Refusal(PayError):
    """A code that plain payments do not have."""

    def __init__(self, status: int, code: str, message: str, errno: int) -> None:
        Exception.__init__(self, f"{code}: {message}")
        self.status = status
        self.errno = errno
        self.body = {"code": code, "message": message}


def rule(message: str, errno: int) -> Refusal:
    """403 RULE_LIMIT."""
    return Refusal(403, RULE, message, errno)


def not_found() -> Refusal:
    return Refusal(404, "NOT_FOUND", "未找到订单，请确认订单号是否正确", 268529515)


def exists() -> Refusal:
    return Refusal(400, "ALREADY_EXISTS", "订单已存在", 268512536)


TOTAL = ("订单总金额校验不通过", 268529477)
CASH = ("自费金额校验不通过", 268529476)
MIXED = ("混合单金额不正确", 268529481)
CASH_FIELDS = ("纯自费单字段校验失败", 268529474)
JOINT_FIELDS = ("合支付单字段校验失败", 268529475)
OTHER_DIGEST = ("入参个人身份ID摘要和医保电子凭证绑卡身份ID摘要不匹配", 268545961)
OTHER_NAME = ("入参用户姓名和医保电子凭证绑卡姓名不匹配", 268545962)
NOT_BOUND = ("微信号未绑定医保电子凭证", 268545963)
NO_RELATIVE = ("亲属关系不存在，请传入有效亲属关系后重试", 268545964)
WRONG_AUTH = ("PAY_AUTH_NO 校验失败，请确认无误后重试", 268547120)
BUREAU = ("医保局结算校验失败，请确认医保相关的字段是否正确", 268510610)
