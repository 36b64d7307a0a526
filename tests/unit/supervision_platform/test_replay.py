"""A visit step by step, by what happened and by what the platform knew."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.supervision_platform.at_the_console import lines, send_a_visit, signed_in
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


def panels(client: httpx.Client, step: int, **more: str) -> dict[str, str]:
    text = client.get("/visits/V-1/replay", params={"step": str(step), **more}).text
    shown = text.split('class="facts states"')[1].split("</dl>")[0]
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+?)\s*<", shown))


def test_each_step_shows_how_the_visit_stood_then(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)

    at = [panels(browser, step) for step in range(1, 9)]

    assert [one["预约"] for one in at] == ["未见", "未见", *["已预约"] * 6]
    assert [one["问诊"] for one in at] == [*["未开始"] * 3, *["问诊中"] * 5]
    assert [one["处方"] for one in at] == [*["未开"] * 4, "待药师审核", *["审核通过"] * 3]
    assert [one["费用"] for one in at] == [*["未收"] * 6, *["已收25.80元"] * 2]
    assert at[-1]["评价与投诉"] == "有投诉"


def test_by_arrival_the_platform_knows_only_what_had_come(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    booked, started = hospital.booked(), hospital.started()
    shanghai.send("uploadFollowUp", [started])
    shanghai.send("uploadBooking", [booked])

    assert panels(browser, 1)["预约"] == "已预约"
    late = panels(browser, 1, by="arrival")
    assert (late["预约"], late["问诊"]) == ("未见", "问诊中")


@pytest.mark.parametrize(("asked", "place"), [("0", 1), ("99", 8), ("x", 1), ("-1", 1), ("3", 3)])
def test_a_step_that_does_not_exist_is_the_nearest(
    browser: httpx.Client, shanghai: Platform, asked: str, place: int
) -> None:
    send_a_visit(shanghai)

    text = browser.get("/visits/V-1/replay", params={"step": asked}).text

    assert f"第 {place} 步，共 8 步" in text


def test_a_replay_is_a_look_and_shows_no_person(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)

    text = browser.get("/visits/V-1/replay", params={"step": "3"}).text

    assert "王小丽" not in text
    assert "王*" in text
    assert [line["action"] for line in lines(browser)] == ["visit.replay"]


def test_alerts_appear_with_the_step_that_raised_them(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked()])
    shanghai.send("uploadFollowUp", [hospital.started()])

    assert "接诊未见复诊依据" not in browser.get("/visits/V-1/replay?step=1").text
    assert "接诊未见复诊依据" in browser.get("/visits/V-1/replay?step=2").text


def test_by_arrival_an_alert_stands_until_the_record_that_explains_it(
    browser: httpx.Client, shanghai: Platform
) -> None:
    hospital = Hospital()
    eligible, booked, started = hospital.eligible(), hospital.booked(), hospital.started()
    for record, method in (
        (started, "uploadFollowUp"),
        (booked, "uploadBooking"),
        (eligible, "uploadFollowUp"),
    ):
        shanghai.send(method, [record])

    stood = [
        "接诊未见复诊依据" in browser.get(f"/visits/V-1/replay?by=arrival&step={step}").text
        for step in (1, 2, 3)
    ]
    as_it_happened = [
        "接诊未见复诊依据" in browser.get(f"/visits/V-1/replay?step={step}").text for step in (1, 2, 3)
    ]

    assert stood == [True, True, False]
    assert as_it_happened == [False, False, False]
