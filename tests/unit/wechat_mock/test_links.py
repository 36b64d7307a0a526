import httpx

from tests.unit.wechat_mock.calls import move_clock, post
from tests.unit.wechat_mock.settings_of_a_mock import FRONT

LINK = {"path": "visits/1", "query": "from=sms", "expire_type": 1, "expire_interval": 1}


def test_a_link_opens_the_page_until_it_is_over(wechat: httpx.Client) -> None:
    made = post(wechat, "/wxa/generate_urllink", LINK)["url_link"]

    assert wechat.get(made).headers["location"] == f"{FRONT}/visits/1?from=sms"
    move_clock(wechat, 86_401)
    assert wechat.get(made).status_code == 404


def test_a_scheme_is_a_link_of_its_own_kind(wechat: httpx.Client) -> None:
    made = post(wechat, "/wxa/generatescheme", {"jump_wxa": {"path": "visits/1", "query": ""}})["openlink"]

    assert made.startswith("weixin://dl/business/?t=")
    assert wechat.get(f"/u/{made.partition('=')[2]}").headers["location"] == f"{FRONT}/visits/1"


def test_a_wrong_link_is_named_by_its_errcode(wechat: httpx.Client) -> None:
    def refused(**changes: object) -> int:
        code: int = post(wechat, "/wxa/generate_urllink", LINK | changes)["errcode"]
        return code

    assert refused(path="//example.org") == 40165
    assert refused(path="visits/1?x=1") == 40165
    assert refused(query="名=值") == 40212
    assert refused(query="x" * 1025) == 40212
    assert refused(expire_interval=31) == 85401
    assert refused(expire_interval=0) == 85401
    assert refused(expire_type=0, expire_time=1) == 85401
    assert refused(expire_type=2) == 40097
    assert refused(env_version="x") == 40097
