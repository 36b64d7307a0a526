"""Calls of api.weixin.qq.com and of a tester, in one line each."""

from typing import Any

import httpx

from tests.unit.wechat_mock.merchant import APPID, SECRET

ACCEPTED = {
    "thing1": {"value": "周明远 主任医师"},
    "thing2": {"value": "视频复诊"},
    "thing3": {"value": "医生已接诊，请进入诊室"},
}
WAITING = {
    "thing1": {"value": "视频复诊"},
    "time2": {"value": "2026年11月22日 09:00"},
    "thing3": {"value": "患者已候诊"},
}


def login_code(wechat: httpx.Client, openid: str = "o-patient") -> str:
    code: str = wechat.post(f"/phone/{openid}/login").json()["code"]
    return code


def phone_code(wechat: httpx.Client, openid: str = "o-patient") -> str:
    code: str = wechat.post(f"/phone/{openid}/phone-code").json()["code"]
    return code


def session(wechat: httpx.Client, code: str, **changes: str) -> dict[str, Any]:
    query = {"appid": APPID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"} | changes
    return answer(wechat.get("/sns/jscode2session", params=query))


def token(wechat: httpx.Client, **changes: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET} | changes
    return answer(wechat.post("/cgi-bin/stable_token", json=body))


def post(wechat: httpx.Client, path: str, body: Any, *, access_token: str | None = None) -> dict[str, Any]:
    used = token(wechat)["access_token"] if access_token is None else access_token
    return answer(wechat.post(path, params={"access_token": used}, json=body))


def answer(response: httpx.Response) -> dict[str, Any]:
    """WeChat's open platform answers 200 whatever happened."""
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def subscribe(wechat: httpx.Client, **changes: Any) -> dict[str, Any]:
    body = {
        "touser": "o-patient",
        "template_id": "TPL_VISIT_ACCEPTED",
        "page": "visits/018f?from=notice",
        "data": ACCEPTED,
        "miniprogram_state": "formal",
        "lang": "zh_CN",
    } | changes
    return post(wechat, "/cgi-bin/message/subscribe/send", body)


def send_template(wechat: httpx.Client, **changes: Any) -> dict[str, Any]:
    body = {"touser": "o-doctor", "template_id": "TPL_VISIT_WAITING", "data": WAITING} | changes
    return post(wechat, "/cgi-bin/message/template/send", body)


def consent(wechat: httpx.Client, *template_ids: str, openid: str = "o-patient") -> dict[str, Any]:
    ids = list(template_ids) or ["TPL_VISIT_ACCEPTED"]
    return answer(wechat.post(f"/phone/{openid}/consent", json={"template_ids": ids}))


def inbox(wechat: httpx.Client, openid: str = "o-patient") -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = wechat.get(f"/phone/{openid}/messages").json()["messages"]
    return messages


def move_clock(wechat: httpx.Client, seconds: float) -> None:
    """To the machine's clock plus so many seconds."""
    assert wechat.post("/_test/clock", json={"offset_seconds": seconds}).status_code == 200


def faults(wechat: httpx.Client, **values: Any) -> None:
    """Exactly these."""
    response = wechat.put("/_test/faults", json=values)
    assert response.status_code == 200, response.text


def attempts(wechat: httpx.Client, subject: str = "") -> list[list[str]]:
    """Results of each attempt, per notification, newest notification first."""
    listed = wechat.get("/_test/notifications").json()["notifications"]
    return [
        [attempt["result"] for attempt in one["attempts"]]
        for one in listed
        if subject in {"", one["subject"]}
    ]
