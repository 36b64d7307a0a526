import httpx

from tests.unit.wechat_mock.calls import ACCEPTED, consent, faults, inbox, send_template, subscribe
from tests.unit.wechat_mock.merchant import APPID
from tests.unit.wechat_mock.settings_of_a_mock import FRONT


def test_one_consent_is_one_message(wechat: httpx.Client) -> None:
    assert subscribe(wechat)["errcode"] == 43101

    assert consent(wechat)["TPL_VISIT_ACCEPTED"] == "accept"

    assert subscribe(wechat)["errcode"] == 0
    assert subscribe(wechat)["errcode"] == 43101
    assert len(inbox(wechat)) == 1


def test_consents_add_up_and_belong_to_one_person_and_one_template(wechat: httpx.Client) -> None:
    consent(wechat)
    consent(wechat)
    consent(wechat, "TPL_SHIPPED", openid="o-other")

    assert subscribe(wechat, touser="o-other")["errcode"] == 43101
    assert [subscribe(wechat)["errcode"] for _ in range(3)] == [0, 0, 43101]


def test_the_inbox_shows_the_message_and_where_it_leads(wechat: httpx.Client) -> None:
    consent(wechat)
    subscribe(wechat)

    (message,) = inbox(wechat)

    assert message["title"] == "医生已接诊"
    assert message["template"] == "TPL_VISIT_ACCEPTED"
    assert message["data"]["thing2"] == "视频复诊"
    assert message["page"] == "visits/018f?from=notice"
    assert message["url"] == f"{FRONT}/visits/018f?from=notice"
    assert message["read"] is False
    assert wechat.post(f"/phone/o-patient/messages/{message['id']}/read").json() == {"url": message["url"]}
    assert inbox(wechat)[0]["read"] is True
    assert wechat.post(f"/phone/o-other/messages/{message['id']}/read").status_code == 404


def test_a_wrong_field_is_named_and_costs_no_consent(wechat: httpx.Client) -> None:
    consent(wechat)
    too_long = ACCEPTED | {"thing2": {"value": "长" * 21}}
    missing = {key: value for key, value in ACCEPTED.items() if key != "thing3"}

    assert subscribe(wechat, data=too_long)["errmsg"].startswith(
        "argument invalid! data.thing2.value invalid"
    )
    assert subscribe(wechat, data=missing)["errmsg"].startswith(
        "argument invalid! data.thing3.value is empty"
    )
    assert subscribe(wechat, data=ACCEPTED | {"thing9": {"value": "x"}})["errcode"] == 47003
    assert subscribe(wechat, data=ACCEPTED | {"thing1": "no object"})["errcode"] == 47003
    assert subscribe(wechat)["errcode"] == 0


def test_a_wrong_receiver_template_or_page_is_named_by_its_errcode(wechat: httpx.Client) -> None:
    consent(wechat)

    assert subscribe(wechat, touser="o-nobody")["errcode"] == 40003
    assert subscribe(wechat, template_id="TPL_NONE")["errcode"] == 40037
    assert subscribe(wechat, template_id="TPL_VISIT_WAITING")["errcode"] == 40037
    for page in ("https://example.org/x", "//example.org/x", "a/../../b", "a b", "visits#1"):
        assert subscribe(wechat, page=page)["errcode"] == 41030, page
    assert subscribe(wechat, miniprogram_state="beta")["errcode"] == 47003
    assert subscribe(wechat, lang="xx")["errcode"] == 47003


def test_the_owner_may_refuse_some_of_what_is_asked(wechat: httpx.Client) -> None:
    asked = {"template_ids": ["TPL_VISIT_ACCEPTED", "TPL_SHIPPED"], "reject": ["TPL_VISIT_ACCEPTED"]}

    answers = wechat.post("/phone/o-patient/consent", json=asked).json()

    assert answers["errMsg"] == "requestSubscribeMessage:ok"
    assert (answers["TPL_VISIT_ACCEPTED"], answers["TPL_SHIPPED"]) == ("reject", "accept")
    assert subscribe(wechat)["errcode"] == 43101


def test_at_most_three_one_shot_templates_are_asked_at_once(wechat: httpx.Client) -> None:
    four = ["TPL_VISIT_ACCEPTED", "TPL_SHIPPED", "TPL_REFUNDED", "TPL_CANCELLED"]

    assert consent(wechat, *four)["errCode"] == 20003
    assert consent(wechat, "TPL_NONE")["errCode"] == 20001
    assert consent(wechat, "TPL_VISIT_WAITING")["errCode"] == 20001


def test_a_blocked_message_says_that_the_user_refused(wechat: httpx.Client) -> None:
    consent(wechat)
    faults(wechat, block_messages=True)

    assert subscribe(wechat)["errcode"] == 43101


def test_a_doctor_who_follows_gets_template_messages_without_consent(wechat: httpx.Client) -> None:
    sent = send_template(wechat, url=f"{FRONT}/doctor/visits/1")

    assert sent["errcode"] == 0
    assert sent["msgid"]
    assert inbox(wechat, "o-doctor")[0]["url"] == f"{FRONT}/doctor/visits/1"
    assert send_template(wechat)["errcode"] == 0


def test_somebody_who_does_not_follow_gets_none(wechat: httpx.Client) -> None:
    assert send_template(wechat, touser="o-patient")["errcode"] == 43004

    assert wechat.post("/phone/o-doctor/follow", json={"follow": False}).json() == {"following": False}
    assert send_template(wechat)["errcode"] == 43004
    wechat.post("/phone/o-doctor/follow", json={"follow": True})
    assert send_template(wechat)["errcode"] == 0


def test_a_template_message_leads_to_the_front_or_the_mini_program_only(wechat: httpx.Client) -> None:
    assert send_template(wechat, url="https://example.org/")["errcode"] == 40048
    assert send_template(wechat, miniprogram={"appid": "wx-other", "pagepath": "x"})["errcode"] == 40013
    assert send_template(wechat, miniprogram={"appid": APPID, "pagepath": "//x"})["errcode"] == 40165
    assert send_template(wechat, miniprogram={"appid": APPID, "pagepath": "doctor/1"})["errcode"] == 0
    assert inbox(wechat, "o-doctor")[0]["url"] == f"{FRONT}/doctor/1"
