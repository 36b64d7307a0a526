import httpx

from tests.unit.wechat_mock.calls import answer, faults, move_clock, phone_code, post, token
from tests.unit.wechat_mock.merchant import APPID, SECRET

PATH = "/wxa/business/getuserphonenumber"


def test_the_stable_token_is_the_same_until_it_nears_its_end(wechat: httpx.Client) -> None:
    first = token(wechat)
    move_clock(wechat, 6800)
    again = token(wechat)
    move_clock(wechat, 6950)
    renewed = token(wechat)

    assert first["expires_in"] == 7200
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] <= 400
    assert renewed["access_token"] != first["access_token"]


def test_old_and_new_are_both_good_during_the_last_five_minutes(wechat: httpx.Client) -> None:
    old = token(wechat)["access_token"]
    move_clock(wechat, 7000)
    new = token(wechat)["access_token"]

    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=old)["errcode"] == 0
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=new)["errcode"] == 0
    move_clock(wechat, 7201)
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=old)["errcode"] == 42001


def test_a_forced_token_ends_the_old_one_and_cannot_be_forced_again_at_once(wechat: httpx.Client) -> None:
    old = token(wechat)["access_token"]
    new = token(wechat, force_refresh=True)["access_token"]

    assert new != old
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=old)["errcode"] == 40001
    assert token(wechat, force_refresh=True)["errcode"] == 45011


def test_twenty_forced_tokens_a_day_are_the_most(wechat: httpx.Client) -> None:
    for n in range(20):
        move_clock(wechat, 31 * n)
        assert "access_token" in token(wechat, force_refresh=True)

    move_clock(wechat, 31 * 20)
    assert token(wechat, force_refresh=True)["errcode"] == 45009
    move_clock(wechat, 86_500)
    assert "access_token" in token(wechat, force_refresh=True)


def test_a_plain_token_is_new_every_time(wechat: httpx.Client) -> None:
    query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    first = answer(wechat.get("/cgi-bin/token", params=query))["access_token"]
    second = answer(wechat.get("/cgi-bin/token", params=query))["access_token"]

    assert first != second
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=first)["errcode"] == 0
    move_clock(wechat, 301)
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=first)["errcode"] == 42001
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=second)["errcode"] == 0


def test_a_token_revoked_early_is_refused_until_a_new_one_is_asked_for(wechat: httpx.Client) -> None:
    old = token(wechat)["access_token"]
    faults(wechat, revoke_token=True)

    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=old)["errcode"] == 40001
    new = token(wechat)["access_token"]
    assert post(wechat, PATH, {"code": phone_code(wechat)}, access_token=new)["errcode"] == 0


def test_a_call_without_a_good_token_is_named_by_its_errcode(wechat: httpx.Client) -> None:
    assert post(wechat, PATH, {"code": "x"}, access_token="")["errcode"] == 41001
    assert post(wechat, PATH, {"code": "x"}, access_token="invented")["errcode"] == 40001


def test_a_body_or_method_or_path_that_is_wrong_is_an_errcode_too(wechat: httpx.Client) -> None:
    used = {"access_token": token(wechat)["access_token"]}

    assert answer(wechat.get(PATH, params=used))["errcode"] == 43002
    assert answer(wechat.post(PATH, params=used))["errcode"] == 44002
    assert answer(wechat.post(PATH, params=used, content=b"{"))["errcode"] == 47001
    assert answer(wechat.post(PATH, params=used, content=b'{"code": 7}'))["errcode"] == 47001
    assert answer(wechat.post("/sns/jscode2session"))["errcode"] == 43001
    assert answer(wechat.get("/wxa/nothing"))["errcode"] == 40066
    assert answer(wechat.post("/cgi-bin/nothing"))["errcode"] == 40066


def test_the_jsapi_ticket_belongs_to_a_token(wechat: httpx.Client) -> None:
    used = token(wechat)["access_token"]
    query = {"access_token": used, "type": "jsapi"}

    assert answer(wechat.get("/cgi-bin/ticket/getticket", params=query))["ticket"]
    assert answer(wechat.get("/cgi-bin/ticket/getticket", params={"type": "jsapi"}))["errcode"] == 41001
