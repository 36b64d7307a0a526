"""Every number is the length of the list behind it, whatever the page is narrowed to."""

import re
from collections.abc import Iterator
from html import unescape

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


def counted(text: str) -> list[tuple[str, str, str]]:
    """(name, number, address) of every number on a page that is neither money nor a time."""
    found = re.findall(
        r'data-figure="([^"]+)"[^>]*><dt>([^<]+)</dt><dd><a href="([^"]+)">(\d+)[条人张次件处个]?(?:人次)?</a>',
        text,
    )
    return [(f"{key} {label}", value, unescape(href)) for key, label, href, value in found]


def behind(browser: httpx.Client, address: str, name: str) -> int:
    """How many lines the list at an address has; the channel's numbers stand on its own page."""
    path, _, query = address.partition("?")
    if path in ("/alerts", "/trail"):
        [lines] = [
            value for value in browser.get(f"{path}.json?{query}").json().values() if isinstance(value, list)
        ]
        return len(lines)
    text = browser.get(address).text
    if path.startswith("/feed"):
        said = re.search(rf"<dt>{name.partition(' ')[2]}</dt><dd>(\d+)</dd>", text)
        assert said is not None, name
        return int(said[1])
    return total(text)


def send_two_doctors(shanghai: Platform) -> None:
    hospital = send_a_visit(shanghai)
    other = {"doctorId": "DOC-2", "doctorName": "黄医生", "deptID": "D-9", "deptName": "皮肤科"}
    shanghai.send("uploadBooking", [hospital.booked("V-2", **other), hospital.booked("V-3")])
    shanghai.send(
        "uploadFollowUp",
        [hospital.started("V-2", **other) | {"bookingNo": "V-2"}],
    )
    shanghai.send("uploadPractitioner", [hospital.filed()])
    again = hospital.complained()
    shanghai.send("uploadComplaint", [again, again])
    shanghai.send("uploadComplaint", [again | {"eventId": "nobody's", "kind": "9"}])
    hospital.booked("lost")
    shanghai.send("uploadBooking", [hospital.booked("V-4", patientName="")])
    broken = hospital.viewed(browseId="B-9", visitNo=None) | {"chainHash": "ab" * 32}
    shanghai.send("uploadRecordView", [broken])


@pytest.mark.parametrize("page", ["/", "/concerns"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_number_is_as_long_as_its_list(
    browser: httpx.Client, shanghai: Platform, scope: dict[str, str], page: str
) -> None:
    send_two_doctors(shanghai)

    shown = counted(browser.get(page, params=scope).text)

    assert len(shown) > 10
    assert {label: int(value) for label, value, _ in shown} == {
        label: behind(browser, address, label) for label, _, address in shown
    }


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
