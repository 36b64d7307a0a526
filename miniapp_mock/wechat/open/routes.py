"""WeChat's own paths on api.weixin.qq.com."""

from starlette.routing import Route

from miniapp_mock.wechat.open import links, login, messages, tokens
from miniapp_mock.wechat.open.errors import Call, endpoint, unknown

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
CALLS: list[tuple[str, str, Call]] = [
    ("GET", "/sns/jscode2session", login.jscode2session),
    ("GET", "/sns/oauth2/access_token", login.web_access_token),
    ("POST", "/wxa/business/getuserphonenumber", login.phone_number),
    ("GET", "/cgi-bin/ticket/getticket", login.jsapi_ticket),
    ("POST", "/cgi-bin/stable_token", tokens.stable_token),
    ("GET", "/cgi-bin/token", tokens.plain_token),
    ("POST", "/cgi-bin/message/subscribe/send", messages.send_subscribe),
    ("POST", "/cgi-bin/message/template/send", messages.send_template),
    ("POST", "/wxa/generate_urllink", links.generate_urllink),
    ("POST", "/wxa/generatescheme", links.generate_scheme),
]


def routes() -> list[Route]:
    """A wrong method and an unknown path are answered with an errcode, as WeChat does."""
    known = [Route(path, endpoint(call, method=method), methods=METHODS) for method, path, call in CALLS]
    rest = [
        Route(f"/{prefix}/{{rest:path}}", endpoint(unknown, method=None), methods=METHODS)
        for prefix in ("sns", "cgi-bin", "wxa")
    ]
    return known + rest
