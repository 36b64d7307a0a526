"""A patient's whole journey on her phone, in a real browser at 390 × 844."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.on_the_phone import becomes, front, log_in, on_the_phone_of, pay
from tests.browser.screens import a_page
from tests.world import World

pytestmark = pytest.mark.anyio

COMPLAINT = "近一周早上血压 150/95 <b>偏高</b>"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def a_visit(world: World, *, accepted: bool = True) -> tuple[Any, Any, dict[str, Any]]:
    """Patient, doctor, encounter: waiting, or already talking."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    if accepted:
        await doctor.accepts(visit["id"])
    return patient, doctor, visit


async def test_a_newcomer_becomes_known_books_pays_and_waits(world: World, browser: Browser) -> None:
    person = world.person()
    wrong = person["id_number"][:-1] + ("0" if person["id_number"][-1] != "0" else "1")
    async with a_page(browser) as page:
        await page.goto(f"{world.places.wechat}/phone/{person['openid']}/use")
        await page.goto(front(world))
        await page.get_by_role("link", name="我要复诊").click()
        await page.click("[data-wx=login]")
        await page.click("[data-wx=phone]")
        await page.click("#allow, [value=allow]")

        await page.fill("[name=name]", str(person["name"]))
        await page.fill("[name=id_number]", wrong)
        await page.get_by_role("button", name="开始认证").click()
        await expect(page.locator("[id='error-id_number']")).to_contain_text("校验位不正确")
        await expect(page.locator("[name=name]")).to_have_value(str(person["name"]))
        await page.fill("[name=id_number]", str(person["id_number"]))
        await page.get_by_role("button", name="开始认证").click()
        await page.locator(".agree input").check()
        await page.get_by_role("button", name="同意并继续").click()

        await choose_and_book(page)
        await pay(page)
        await page.click("[data-wx=consent]")
        await page.click("#allow")
        await expect(page.get_by_role("status").first).to_contain_text("已开启 3 项微信提醒")
        await page.get_by_role("link", name="查看预约").click()
        await page.get_by_role("button", name="开始候诊").click()

        await expect(page.locator("#ahead")).to_be_visible()
        await expect(page.get_by_text(COMPLAINT)).to_be_visible()
        await page.goto(front(world))
        await expect(page.locator("#today")).to_contain_text("候诊中")


async def choose_and_book(page: Page) -> None:
    """First diagnosis, first doctor with a free place, first time; leaves at the bill."""
    await page.get_by_role("button", name="复诊这种病").first.click()
    await page.locator("a.card-link", has=page.locator(".tag-good")).first.click()
    await page.locator("a.slot").first.click()
    await page.fill("[name=complaint]", COMPLAINT)
    await page.get_by_role("button", name="提交预约").click()
    await expect(page.locator("[data-left]")).to_be_visible()
    await expect(page.get_by_text("价格表 2026.1")).to_be_visible()


async def test_a_payment_that_was_cancelled_can_be_made_later(world: World, browser: Browser) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    booked = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/payments/{booked['payment_id']}"))
        await page.click("[data-wx=selfpay]")
        await page.click("#cancel")
        await expect(page.get_by_role("alert")).to_contain_text("您取消了支付")

        await pay(page)

        await page.goto(front(world, f"/visits/{booked['id']}"))
        await expect(page.get_by_text("已预约").first).to_be_visible()


async def test_what_cannot_be_seen_again_names_the_last_day_and_the_way_to_the_hospital(
    world: World, browser: Browser
) -> None:
    patient = world.patient_named("patient_expired")
    await patient.is_ready()
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/book/{patient.person_id}"))
        await page.get_by_role("button", name="查看原因").first.click()

        await expect(page.get_by_role("heading", name="现在不能线上复诊")).to_be_visible()
        await expect(page.locator(".note-warn .strong")).to_contain_text("年")
        await expect(page.get_by_role("link", name="电话预约")).to_have_attribute("href", "tel:19900000900")


async def test_the_queue_moves_by_itself_and_leads_into_the_conversation(
    world: World, browser: Browser
) -> None:
    first, doctor, visit = await a_visit(world, accepted=False)
    slot = await first.free_slot(doctor=doctor.id)
    second = await world.a_patient()
    later = await second.sees_doctor(slot)
    async with on_the_phone_of(browser, world, second) as page:
        await page.goto(front(world, f"/visits/{later['appointment_id']}"))
        ahead = page.locator("#ahead")
        await expect(ahead).to_have_text(re.compile("^[1-9]"))
        others = int(await ahead.inner_text()) - 1  # patients of other tests may be waiting for her too
        await expect(page.locator("#wait")).to_contain_text("分钟")

        await doctor.accepts(visit["id"])
        await expect(ahead).to_have_text(str(others) if others else "下一位就是您")
        await doctor.accepts(later["id"])

        await page.wait_for_url("**/chat")
        await expect(page.locator("#say-text")).to_be_visible()


async def test_what_a_finger_is_on_is_not_replaced_under_it(world: World, browser: Browser) -> None:
    """A press that ends on another element than it began on is no click."""
    patient, _, visit = await a_visit(world, accepted=False)
    path = f"/visits/{visit['appointment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, path))
        await page.get_by_role("link", name="影像资料").hover()
        await page.mouse.down()
        async with page.expect_response(lambda answer: path in answer.url) as looked:
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await (await looked.value).finished()
        async with page.expect_response(lambda answer: path in answer.url):
            await page.mouse.up()

        await expect(page).to_have_url(front(world, f"{path}/images"))


async def test_a_conversation_goes_both_ways_with_text_picture_and_voice(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    patient, doctor, visit = await a_visit(world)
    picture = tmp_path / "blood.png"
    picture.write_bytes(PICTURE)
    async with on_the_phone_of(browser, world, patient, permissions=["microphone"]) as page:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
        await doctor.says(visit["id"], "您好，<i>最近</i>血压怎么样？")
        await expect(page.locator(".bubble", has_text="<i>最近</i>")).to_be_visible()

        await page.fill("#say-text", COMPLAINT)
        await page.get_by_role("button", name="发送").click()
        await page.set_input_files("#say-image", picture)
        await expect(page.locator(".bubble img")).to_be_visible()
        await page.click("#say-voice")
        await page.wait_for_timeout(1500)
        await page.click("#say-voice")
        await expect(page.get_by_role("button", name=re.compile(r"语音 \d+ 秒，点击播放"))).to_be_visible()

        await expect(page.locator("[data-pending]")).to_have_count(0)
        seen = await doctor.api.call("GET", f"/encounters/{visit['id']}/messages")
        assert [(one["sender"], one["kind"]) for one in seen] == [
            ("doctor", "text"), ("patient", "text"), ("patient", "image"), ("patient", "voice"),
        ]  # fmt: skip
        assert seen[1]["body"] == COMPLAINT


async def test_nothing_typed_is_lost_by_a_reload_or_a_broken_line(world: World, browser: Browser) -> None:
    patient, doctor, visit = await a_visit(world)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
        await page.fill("#say-text", "写了一半")
        await page.reload()
        await expect(page.locator("#say-text")).to_have_value("写了一半")

        await page.route("**/tickets", lambda route: route.abort())
        await page.route("**/messages*", lambda route: route.abort())
        await page.reload()
        await expect(page.locator("#say-text")).to_have_value("写了一半")
        await page.get_by_role("button", name="发送").click()
        await expect(page.locator("[data-pending]")).to_have_count(1)
        await expect(page.locator("#link-state")).to_contain_text("网络")
        await doctor.says(visit["id"], "在您断线的时候说的话")
        await page.unroute_all()
        await page.reload()

        await expect(page.locator("[data-sequence]", has_text="写了一半")).to_have_count(1)
        await expect(page.get_by_text("在您断线的时候说的话")).to_have_count(1)
        await expect(page.locator("[data-pending]")).to_have_count(0)
    said = await doctor.api.call("GET", f"/encounters/{visit['id']}/messages")
    assert [one["body"] for one in said] == ["在您断线的时候说的话", "写了一半"]


async def test_a_dropped_socket_comes_back_and_catches_up(world: World, browser: Browser) -> None:
    patient, doctor, visit = await a_visit(world)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.add_init_script("""{ const Real = window.WebSocket; window.sockets = [];
            window.WebSocket = class extends Real { constructor(...a) { super(...a); window.sockets.push(this); } }; }""")
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
        await becomes(page, world, "window.sockets[0]?.readyState === 1")

        await page.evaluate("window.sockets[0].close()")
        await doctor.says(visit["id"], "断线之后")

        await expect(page.get_by_text("断线之后")).to_have_count(1)
        await becomes(page, world, "window.sockets.length > 1 && window.sockets.at(-1).readyState === 1")
        await doctor.says(visit["id"], "重新连上以后")
        await expect(page.get_by_text("重新连上以后")).to_have_count(1)


async def test_the_end_of_the_visit_takes_the_field_away_and_shows_the_way_on(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await a_visit(world)
    place = f"/visits/{visit['appointment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"{place}/chat"))
        await doctor.writes_record(visit["id"])
        await doctor.finishes(visit["id"])
        await page.get_by_role("link", name="查看病历和处方").click()

        await page.get_by_role("link", name="病历").click()
        await expect(page.get_by_text("血压控制欠佳")).to_be_visible()
        await expect(page.get_by_text("已由医生电子签名")).to_be_visible()

        await page.goto(front(world, f"{place}/evaluation"))
        await page.locator("label.chip", has_text="很满意").click()
        await page.locator("label.chip", has_text="10").click()
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_text("很满意 · 10 分")).to_be_visible()


async def test_a_call_asks_for_the_recording_first_and_shows_the_doctor(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await a_visit(world)
    place = f"/visits/{visit['appointment_id']}"
    async with on_the_phone_of(browser, world, patient, permissions=["camera", "microphone"]) as page:
        await page.goto(front(world, f"{place}/video"))
        await expect(page.get_by_role("heading", name="视频问诊会录像")).to_be_visible()
        await page.get_by_role("button", name="同意录像").click()
        await page.click("#call-start")
        await expect(page.locator("#call")).to_have_attribute("data-state", "connected")
        await expect(page.locator("#call-state")).to_contain_text("等待")

        other = await browser.new_context(permissions=["camera", "microphone"])
        await a_doctor_calls(await other.new_page(), world, doctor, visit["id"])
        await becomes(page, world, "document.getElementById('remote').videoWidth > 0")
        await expect(page.locator("#call-state")).to_be_hidden()
        await page.click("#key-mic")
        await expect(page.locator("#key-mic")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("#key-mic")).to_contain_text("取消静音")
        await other.close()

        await page.click("#key-end")
        await page.wait_for_url("**/chat")
        await expect(page.locator(".say-system")).to_contain_text(
            "系统消息 · 自动发送患者（本人）已同意视频问诊并录像"
        )


async def a_doctor_calls(page: Page, world: World, doctor: Any, encounter_id: str) -> None:
    """The doctor's side with the same client, without her pages."""
    ticket = await doctor.api.call("POST", f"/encounters/{encounter_id}/room")
    await page.goto(front(world, "/documents"))
    await page.evaluate(
        """async ({ url, ticket }) => {
          const script = document.querySelector("script[type=module]").src.replace("js/app.js", "video.js");
          const { MediaClient } = await import(script);
          const [localVideo, remoteVideo] = [1, 2].map(() => document.body.appendChild(document.createElement("video")));
          const getEntry = async () => { throw Object.assign(new Error(""), { final: true }); };
          await new MediaClient({ entry: { url, ticket }, getEntry, localVideo, remoteVideo }).connect();
        }""",
        {"url": ticket["url"], "ticket": ticket["ticket"]},
    )


async def test_without_a_camera_api_the_call_says_so_and_offers_writing(
    world: World, browser: Browser
) -> None:
    patient, _, visit = await a_visit(world)
    await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
    async with on_the_phone_of(browser, world, patient) as page:
        await page.add_init_script("delete window.RTCPeerConnection")
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/video"))

        await expect(page.locator("#call-words")).to_contain_text("继续用文字交流")
        await expect(page.locator("#call-start")).to_be_hidden()
        await page.get_by_role("link", name="继续文字问诊").click()
        await expect(page.locator("#say-text")).to_be_visible()


async def test_recording_is_asked_for_refused_agreed_to_and_taken_back(
    world: World, browser: Browser
) -> None:
    patient, _, visit = await a_visit(world)
    path = f"/visits/{visit['appointment_id']}"
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"{path}/video"))
        await page.get_by_role("button", name="不同意，继续文字问诊").click()
        await expect(page).to_have_url(front(world, f"{path}/chat"))
        await expect(page.get_by_text("不同意录像，本次问诊用文字和图片进行")).to_be_visible()

        await page.goto(front(world, f"{path}/video"))
        await page.get_by_role("button", name="同意录像，进入视频").click()
        await page.get_by_role("button", name="不再同意录像").click()
        await expect(page).to_have_url(front(world, f"{path}/chat"))
        await expect(page.get_by_text("已撤回录像同意")).to_be_visible()
    shown = await patient.api.call("GET", f"/encounters/{visit['id']}/recording-consent")
    assert shown["decision"] == "withdrawn"


async def test_a_prescription_is_followed_from_the_review_to_the_door(world: World, browser: Browser) -> None:
    patient, doctor, visit = await a_visit(world)
    await doctor.writes_record(visit["id"])
    prescription = await doctor.prescribes(visit["id"], reason="患者行动不便")
    pharmacist = await world.pharmacist()
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/prescriptions/{prescription}"))
        await expect(page.get_by_text("药师正在审核")).to_be_visible()
        await expect(page.locator("form[action$='/order']")).to_have_count(0)

        await world.passes(prescription)
        await expect(page.get_by_text("药师已审核通过")).to_be_visible()
        await page.fill("[name='receiver.phone']", "123")
        await page.get_by_role("button", name="确认，去支付").click()
        await expect(page.locator("[id='error-receiver.phone']")).to_contain_text("11 位")
        await expect(page.locator("[name='receiver.phone']")).to_have_value("123")
        await page.fill("[name='receiver.phone']", "19900000001")
        await page.fill("[name='receiver.address']", "嘉定区示范路 1 号 101 室")
        await page.get_by_role("button", name="确认，去支付").click()
        await expect(page.get_by_text("药品配送费")).to_be_visible()
        await pay(page)
        await page.get_by_role("link", name="查看配药进度").click()
        await expect(page.get_by_text("药房正在配药")).to_be_visible()

        await pharmacist.hands_over(prescription)
        parcel = await world.until(lambda: with_waybill(patient, prescription), "a waybill")
        await world.courier().delivers(parcel["waybill"])

        await expect(page.get_by_text("已取到药")).to_be_visible()
        await expect(page.locator(".way li").first).to_contain_text("已签收")
        await page.goto(front(world, "/messages"))
        await expect(page.locator("main")).to_contain_text("药品已签收")
        await expect(page.locator("main")).not_to_contain_text("氨氯地平")


async def with_waybill(patient: Any, prescription: str) -> Any:
    found = await patient.dispense(prescription)
    return found if found["waybill"] else None


async def test_pick_up_needs_no_address(world: World, browser: Browser) -> None:
    patient, doctor, visit = await a_visit(world)
    prescription = await doctor.prescribes(visit["id"], reason="患者行动不便")
    await world.passes(prescription)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/prescriptions/{prescription}"))
        await page.locator("label.choice", has_text="到院自取").click()
        await expect(page.locator("#address")).to_be_hidden()
        await page.fill("[name='receiver.phone']", "199 0000 0001")
        await page.get_by_role("button", name="确认，去支付").click()

        await expect(page.locator(".table")).not_to_contain_text("配送费")


async def test_news_of_the_order_does_not_hold_up_the_press_that_made_it(
    world: World, browser: Browser
) -> None:
    patient, doctor, visit = await a_visit(world)
    prescription = await doctor.prescribes(visit["id"], reason="患者行动不便")
    await world.passes(prescription)
    async with on_the_phone_of(browser, world, patient) as page:

        async def answers_after_the_news(route: Route) -> None:
            async with page.expect_response(lambda answer: "hx-refresh" in answer.headers):
                answer = await route.fetch(max_redirects=0)
            await page.context.request.get(front(world))  # time enough for a reload to begin
            await route.fulfill(response=answer)

        await page.goto(front(world, f"/prescriptions/{prescription}"))
        await page.locator("label.choice", has_text="到院自取").click()
        await page.fill("[name='receiver.phone']", "19900000001")
        await page.route("**/order", answers_after_the_news)
        await page.get_by_role("button", name="确认，去支付").click()

        await expect(page).to_have_url(re.compile("/payments/"))


async def test_a_cancelled_appointment_shows_the_refund(world: World, browser: Browser) -> None:
    patient, _, visit = await a_visit(world, accepted=False)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}"))
        await page.get_by_role("button", name="取消预约").click()
        await page.locator("dialog").get_by_role("button", name="取消预约").click()

        await expect(page.get_by_role("heading", name="预约已取消")).to_be_visible()
        await expect(page.get_by_text("已原路退回")).to_be_visible()


async def test_an_adult_lets_her_daughter_act_for_her(world: World, browser: Browser) -> None:
    mother, daughter = await world.a_patient(), await world.a_patient()
    async with on_the_phone_of(browser, world, mother) as page:
        await page.goto(front(world, f"/persons/{mother.person_id}"))
        await page.get_by_role("button", name="生成授权码").click()
        code = await page.locator("[data-code]").inner_text()
    async with on_the_phone_of(browser, world, daughter) as page:
        await page.goto(front(world, "/grants/new"))
        await page.fill("[name=code]", code)
        await page.locator("label.chip", has_text="母亲").click()
        await page.get_by_role("button", name="添加").click()
        await page.get_by_role("link", name=str(mother.person["name"])).click()
        await expect(page.get_by_text("母亲")).to_be_visible()

        await page.get_by_role("button", name="不再替").click()
        await page.locator("dialog").get_by_role("button", name="再想想").click()
        await page.get_by_role("button", name="不再替").click()
        await page.locator("dialog").get_by_role("button", name="不再替").click()
        await expect(page.locator("a.row", has_text=str(mother.person["name"]))).to_have_count(0)


async def test_a_complaint_keeps_what_was_typed_and_is_answered_in_sight(
    world: World, browser: Browser
) -> None:
    patient = await world.a_patient()
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, "/complaints/new"))
        await page.fill("[name=text]", "慢")
        await page.get_by_role("button", name="提交").click()
        await expect(page.locator("#error-text")).to_be_visible()
        await expect(page.locator("[name=text]")).to_have_value("慢")
        await page.fill("[name=text]", "等候时间太长，希望改进。")
        await page.reload()
        await expect(page.locator("[name=text]")).to_have_value("等候时间太长，希望改进。")
        await page.get_by_role("button", name="提交").click()
        await expect(page.locator(".card", has_text="等候时间太长")).to_be_visible()

        clerk = await world.staff("clerk")
        found = await patient.api.call("GET", "/complaints")
        await clerk.api.call("POST", f"/complaints/{found[0]['id']}/answer", {"text": "已安排增加号源。"})
        await page.reload()

        await expect(page.get_by_text("已安排增加号源。")).to_be_visible()
        await expect(page.get_by_role("button", name="不满意，升级")).to_be_visible()


async def test_logging_out_leaves_nothing_behind(world: World, browser: Browser) -> None:
    patient, _, visit = await a_visit(world)
    async with on_the_phone_of(browser, world, patient) as page:
        await page.goto(front(world, f"/visits/{visit['appointment_id']}/chat"))
        await page.fill("#say-text", "没有发送的话")
        assert await page.evaluate("localStorage.length") == 1
        await page.goto(front(world, "/mine"))
        await page.get_by_role("button", name="退出登录").click()
        await page.locator("dialog").get_by_role("button", name="退出登录").click()

        await expect(page.get_by_role("link", name="我要复诊")).to_be_visible()
        assert await page.evaluate("localStorage.length") == 0
        await page.goto(front(world, f"/visits/{visit['appointment_id']}"))
        await expect(page.get_by_role("heading", name="请先登录")).to_be_visible()
        await log_in(page, world, str(patient.person["openid"]))
