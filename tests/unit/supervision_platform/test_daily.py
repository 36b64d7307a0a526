"""What the platform's page shows of a day: what a hospital without a day exchange writes down from it."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html import unescape

import httpx
import pytest

from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.a_busy_day import ZONE
from tests.unit.supervision_platform.at_the_console import signed_in, total
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital
from tests.unit.supervision_platform.test_days import Sealer, asked, exchange, told_three
from tests.unit.supervision_platform.tianjin_records import revisit

DAY = "2026-11-22"
MIDNIGHT = "2026-11-23T00:00:00+08:00"


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


def row(text: str, name: str) -> list[tuple[str, str]]:
    """(number, address) of a line: stored, of them twice, accepted, numbers, refused."""
    found = re.search(rf'<tr data-(?:method|profile)="{name}">(.*?)</tr>', text, re.DOTALL)
    assert found is not None
    cells = re.findall(r'<td>(?:<a href="([^"]*)">)?(\d+)', found[1])
    return [(number, unescape(address)) for address, number in cells]


def test_a_day_says_what_is_to_be_written_down_and_each_number_leads_to_its_list(
    strict: Platform, browser: httpx.Client
) -> None:
    strict.send("uploadReferralIndicators", [revisit(), revisit(bussID="B-2"), revisit()])
    strict.send("uploadReferralIndicators", [revisit(bussID="B-3", deptID="")])
    day = occurred(strict)
    today = re.findall(r'href="/days/([\d-]+)"', browser.get("/days").text)[0]

    shown = row(browser.get(f"/days/{day}").text, "uploadReferralIndicators")
    assert [number for number, _ in shown][:4] == ["3", "1", "2", "2"]
    for number, address in shown[:3]:
        assert str(total(browser.get(address).text)) == number

    number, address = row(browser.get(f"/days/{today}").text, "uploadReferralIndicators")[4]
    assert (number, total(browser.get(address).text)) == ("1", 1)


def occurred(platform: Platform) -> str:
    """The Shanghai day of what was sent first."""
    told = platform.stored()[0]["body"]
    return str(told["endDate"])[:10]


def test_the_page_and_the_tests_door_tell_the_same(strict: Platform, browser: httpx.Client) -> None:
    strict.send("uploadReferralIndicators", [revisit(), revisit()])
    day = occurred(strict)

    counted = browser.get(f"/_test/days/{day}").json()

    shown = row(browser.get(f"/days/{day}").text, "uploadReferralIndicators")
    assert str(counted["tianjin-1.0"]["uploadReferralIndicators"]) == shown[0][0]


def test_a_day_is_shanghais(shanghai: Platform, browser: httpx.Client) -> None:
    hospital = Hospital()
    last = "2026-11-22T23:59:59+08:00"
    shanghai.send("uploadBooking", [hospital.booked("V-1", last), hospital.booked("V-2", MIDNIGHT)])

    days = [row(browser.get(f"/days/{day}").text, "uploadBooking")[0][0] for day in (DAY, "2026-11-23")]

    assert days == ["1", "1"]


def test_an_event_told_by_two_interfaces_is_one_event_of_the_profile(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    shanghai.send("uploadPrescription", [hospital.signed()])
    shanghai.send("uploadPayment", [hospital.paid()])

    totals = [number for number, _ in row(browser.get(f"/days/{DAY}").text, "shanghai")]

    assert totals == ["2", "0", "2", "2", "0"]


def test_the_days_are_listed_newest_first_and_to_the_beginning(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital, first = Hospital(), datetime.now(ZONE).date() - timedelta(days=20)
    shanghai.send("uploadBooking", [hospital.booked("V-1", f"{first}T09:00:00+08:00")])

    newest = browser.get("/days").text
    [more] = re.findall(r'href="(/days\?before=[^"]+)"', newest)
    oldest = browser.get(more).text

    shown = [date.fromisoformat(one) for one in re.findall(r'href="/days/([\d-]+)"', newest + oldest)]
    assert shown == [shown[0] - timedelta(days=back) for back in range(len(shown))]
    assert (shown[-1], len(shown) > 20) == (first, True)
    assert "before=" not in oldest
    assert "入库 1 条" in oldest


def test_a_statement_that_both_sides_sealed_is_shown_with_what_each_said(
    shanghai: Platform, browser: httpx.Client, tls: certificates.Files
) -> None:
    day = told_three(shanghai)
    assert "尚未对账" in browser.get(f"/days/{day}").text

    text = asked(day, events=4)
    exchange(shanghai, text, Sealer(tls.client, tls.client_key).seal(text))

    shown = browser.get(f"/days/{day}").text
    assert "双方不一致" in shown
    assert re.search(r"事件</th><td>4</td><td>3</td>", shown)
    assert "双方不一致" in browser.get("/days", params={"before": "2020-01-06"}).text


def test_a_day_without_an_exchange_says_so_and_what_is_not_a_day_is_missing(browser: httpx.Client) -> None:
    text = browser.get(f"/days/{DAY}").text

    assert text.count("没有日对账接口") == 2
    assert "还没有交换过对账单" in text
    assert browser.get("/days/yesterday").status_code == 404


def test_refusals_can_be_read_to_their_end(strict: Platform, browser: httpx.Client) -> None:
    for _ in range(31):
        strict.send("uploadReferralIndicators", [revisit(deptID="")])

    first = browser.get("/refusals").text
    [more] = re.findall(r'class="button" href="(/refusals\?[^"]+)"', first)
    second = browser.get(unescape(more)).text

    assert (total(first), first.count('<li class="card">'), second.count('<li class="card">')) == (31, 30, 1)
