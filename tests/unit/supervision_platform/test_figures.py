"""Every number is the length of the list behind it, whatever the page is narrowed to."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.supervision_platform.at_the_console import figures, send_a_visit, signed_in, total
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital
from tests.unit.supervision_platform.tianjin_records import revisit

SCOPES = [
    {"from": "2026-11-21", "to": "2026-11-22"},
    {"from": "2026-11-22", "to": "2026-11-22"},
    {"from": "2026-11-21", "to": "2026-11-22", "dept": "D-1"},
    {"from": "2026-11-21", "to": "2026-11-22", "dept": "nobody"},
    {"from": "2026-11-21", "to": "2026-11-22", "doctor": "DOC-2"},
    {"from": "2026-11-21", "to": "2026-11-22", "hospital": "12310114MB0000001X"},
]


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


def send_two_doctors(shanghai: Platform) -> None:
    hospital = send_a_visit(shanghai)
    other = {"doctorId": "DOC-2", "doctorName": "黄医生", "deptID": "D-9", "deptName": "皮肤科"}
    shanghai.send("uploadBooking", [hospital.booked("V-2", **other), hospital.booked("V-3")])
    shanghai.send(
        "uploadFollowUp",
        [hospital.started("V-2", **other) | {"bookingNo": "V-2"}],
    )
    shanghai.send("uploadPractitioner", [hospital.filed()])


@pytest.mark.parametrize("page", ["/", "/concerns"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_number_is_as_long_as_its_list(
    browser: httpx.Client, shanghai: Platform, scope: dict[str, str], page: str
) -> None:
    send_two_doctors(shanghai)

    shown = figures(browser.get(page, params=scope).text)
    behind = {
        label: one
        for label, one in shown.items()
        if one[1].startswith(("/records", "/staff", "/complaints", "/visits")) and "元" not in one[0]
    }

    assert len(behind) > 4
    for label, (value, address) in behind.items():
        digits = re.match(r"\d+", value)
        assert digits is not None
        assert total(browser.get(address).text) == int(digits[0]), label


def test_a_refusal_told_under_tianjin_alone_leads_to_its_record(
    browser: httpx.Client, strict: Platform
) -> None:
    declined = {
        "answerFlag": "0",
        "refuseTime": "2026-11-22 09:10:00",
        "refuseReason": "超时",
        "refuseType": "2",
    }
    strict.send("uploadReferralIndicators", [revisit(**declined), revisit(bussID="B-other")])
    day = strict.stored()[0]["occurred_at"][:10]

    value, address = figures(browser.get("/", params={"from": day, "to": day}).text)["未接诊"]

    assert (value, total(browser.get(address).text)) == ("1", 1)


def test_a_payment_counts_with_the_department_of_its_visit(browser: httpx.Client, shanghai: Platform) -> None:
    send_two_doctors(shanghai)
    dept = shanghai.stored(method="uploadBooking")[0]["body"]["deptID"]
    days = {"from": "2026-11-21", "to": "2026-11-22"}

    assert figures(browser.get("/", params=days | {"dept": dept}).text)["收款"][0] == "25.80元"
    assert figures(browser.get("/", params=days | {"dept": "D-9"}).text)["收款"][0] == "0.00元"


def test_the_filter_offers_what_the_feed_named(browser: httpx.Client, shanghai: Platform) -> None:
    send_two_doctors(shanghai)

    text = browser.get("/records").text

    assert re.search(r'<option value="DOC-1">林医生 · 老年科</option>', text)
    assert re.search(r'<option value="DOC-2">黄医生 · 皮肤科</option>', text)
    assert re.search(r'<option value="D-9">皮肤科</option>', text)


def test_the_board_asks_for_what_it_shows(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked()])
    scope = {"from": "2026-11-21", "to": "2026-11-21"}

    live = browser.get("/live.json", params=scope).json()
    page = figures(browser.get("/", params=scope).text)

    assert live["figures"]["booked"]["value"] == page["预约"][0] == "1"
    assert sum(live["minutes"]["arrived"]) == 1
    assert len(live["hours"]["at"]) == 24
    assert len(live["minutes"]["at"]) == len(live["minutes"]["slow"]) == 60


def test_only_visits_that_began_and_are_not_over_are_live(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked("V-1"), hospital.booked("V-2"), hospital.booked("V-3")])
    shanghai.send("uploadFollowUp", [hospital.started("V-1"), hospital.started("V-2")])
    ended = hospital.seal("encounter.discontinued", "V-2", "2026-11-22T09:30:00+08:00")
    over = {"phase": "4", "startDate": "2026-11-22T09:02:00+08:00", "endDate": "2026-11-22T09:30:00+08:00",
            "discontinueReason": "需线下就诊", "referredOffline": "1"}  # fmt: skip
    shanghai.send("uploadFollowUp", [hospital.started("V-2") | ended | over])

    text = browser.get("/visits", params={"live": "1"}).text

    assert "/visits/V-1" in text
    assert "/visits/V-2" not in text
    assert "/visits/V-3" not in text


def test_a_visit_that_only_the_other_profile_ends_is_over(
    browser: httpx.Client, shanghai: Platform, strict: Platform
) -> None:
    hospital = Hospital()
    shanghai.send("uploadFollowUp", [hospital.started("V-1")])
    assert browser.get("/live.json").json()["figures"]["live"]["value"] == "1"

    strict.send("uploadReferralIndicators", [revisit(bussID="V-1", endDate="2026-11-22 09:30:00")])

    assert browser.get("/live.json").json()["figures"]["live"]["value"] == "0"
    assert "/visits/V-1" not in browser.get("/visits", params={"live": "1"}).text
