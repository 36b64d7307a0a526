import httpx

from tests.unit.wechat_mock.calls import (
    answer,
    faults,
    login_code,
    move_clock,
    phone_code,
    post,
    session,
)
from tests.unit.wechat_mock.merchant import APPID, SECRET


def test_a_login_code_becomes_an_openid_and_a_session_key(wechat: httpx.Client) -> None:
    found = session(wechat, login_code(wechat))

    assert found["openid"] == "o-patient"
    assert found["unionid"] == "u-patient"
    assert found["session_key"]


def test_somebody_without_a_unionid_has_none(wechat: httpx.Client) -> None:
    assert "unionid" not in session(wechat, login_code(wechat, "o-other"))


def test_a_code_can_be_used_once(wechat: httpx.Client) -> None:
    code = login_code(wechat)
    session(wechat, code)

    refused = session(wechat, code)

    assert refused["errcode"] == 40163
    assert " rid: " in refused["errmsg"]


def test_a_code_lapses_after_five_minutes(wechat: httpx.Client) -> None:
    code, second = login_code(wechat), login_code(wechat)
    move_clock(wechat, 290)
    assert "openid" in session(wechat, code)

    move_clock(wechat, 301)

    assert session(wechat, second)["errcode"] == 40029


def test_a_wrong_login_is_named_by_its_errcode(wechat: httpx.Client) -> None:
    code = login_code(wechat)

    assert session(wechat, "invented")["errcode"] == 40029
    assert session(wechat, "")["errcode"] == 41008
    assert session(wechat, code, appid="wx-other")["errcode"] == 40013
    assert session(wechat, code, appid="")["errcode"] == 41002
    assert session(wechat, code, secret="wrong")["errcode"] == 40125
    assert session(wechat, code, secret="")["errcode"] == 41004
    assert session(wechat, code, grant_type="password")["errcode"] == 40002
    assert "openid" in session(wechat, code)


def test_a_phone_code_is_not_a_login_code(wechat: httpx.Client) -> None:
    assert session(wechat, phone_code(wechat))["errcode"] == 40029
    path = "/wxa/business/getuserphonenumber"
    assert post(wechat, path, {"code": login_code(wechat)})["errcode"] == 40029


def test_a_phone_code_becomes_the_number_once(wechat: httpx.Client) -> None:
    code = phone_code(wechat)

    found = post(wechat, "/wxa/business/getuserphonenumber", {"code": code})

    assert found["errcode"] == 0
    assert found["phone_info"]["purePhoneNumber"] == "19900000001"
    assert found["phone_info"]["countryCode"] == "86"
    assert found["phone_info"]["watermark"]["appid"] == APPID
    assert post(wechat, "/wxa/business/getuserphonenumber", {"code": code})["errcode"] == 40163


def test_a_web_code_is_exchanged_on_its_own_path(wechat: httpx.Client) -> None:
    wechat.get("/phone/o-doctor/use")
    query = {
        "appid": APPID,
        "redirect_uri": "http://127.0.0.1:8000/login",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
    }
    back = wechat.get("/connect/oauth2/authorize", params=query)
    code = httpx.URL(back.headers["location"]).params["code"]

    assert session(wechat, code)["errcode"] == 40029
    asked = {"appid": APPID, "secret": SECRET, "code": code, "grant_type": "authorization_code"}
    found = answer(wechat.get("/sns/oauth2/access_token", params=asked))
    assert (found["openid"], found["scope"]) == ("o-doctor", "snsapi_base")
    assert answer(wechat.get("/sns/oauth2/access_token", params=asked))["errcode"] == 40163


def test_a_busy_platform_says_minus_one(wechat: httpx.Client) -> None:
    faults(wechat, busy=True)

    assert session(wechat, login_code(wechat))["errcode"] == -1


def test_there_is_no_phone_of_a_stranger(wechat: httpx.Client) -> None:
    assert wechat.post("/phone/o-nobody/login").status_code == 404
