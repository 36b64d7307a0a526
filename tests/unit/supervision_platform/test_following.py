"""Alerts, complaints and findings from new to closed, each step with a person, a note and a line of the trail."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import product
from typing import Any

import httpx
import pytest

from simulators.supervision.oversight.matters import MOVES, Standing
from tests.unit.supervision_platform.at_the_console import (
    SECOND,
    figures,
    lines,
    send_a_visit,
    signed_in,
    total,
)
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


def an_alert(shanghai: Platform, browser: httpx.Client) -> str:
    """Taken up; the address of its matter."""
    shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])
    return browser.post("/alerts/1").url.path


def test_an_alert_nobody_touched_is_new(shanghai: Platform, browser: httpx.Client) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])

    assert "六岁以下处方" in browser.get("/alerts", params={"standing": "new"}).text
    assert "六岁以下处方" not in browser.get("/alerts", params={"standing": "closed"}).text


def test_a_step_has_a_person_a_note_and_a_line(shanghai: Platform, browser: httpx.Client) -> None:
    matter = an_alert(shanghai, browser)

    page = browser.post(f"{matter}/look", data={"note": "先看处方笺"}).text

    assert "先看处方笺" in page
    assert "监管员" in page
    assert [line["action"] for line in lines(browser)][-1] == "matter.look"
    assert "六岁以下处方" in browser.get("/alerts", params={"standing": "looked"}).text


def test_a_matter_is_closed_only_after_a_look_and_with_a_note(
    shanghai: Platform, browser: httpx.Client
) -> None:
    matter = an_alert(shanghai, browser)

    assert browser.post(f"{matter}/close", data={"note": "没有问题"}).status_code == 409
    browser.post(f"{matter}/look")
    assert browser.post(f"{matter}/close", data={"note": " "}).status_code == 409
    assert "没有问题" in browser.post(f"{matter}/close", data={"note": "没有问题"}).text

    assert "六岁以下处方" not in browser.get("/alerts", params={"standing": "open"}).text
    assert "六岁以下处方" in browser.get("/alerts", params={"standing": "closed"}).text


def test_taking_up_twice_is_one_matter(shanghai: Platform, browser: httpx.Client) -> None:
    matter = an_alert(shanghai, browser)

    with signed_in(shanghai, SECOND) as other:
        assert other.post("/alerts/1").url.path == matter


def test_nothing_leads_out_of_the_table() -> None:
    verbs = {verb for _, verb in MOVES}
    allowed = {(standing, verb) for standing, verb in product(Standing, verbs) if (standing, verb) in MOVES}

    assert ("new", "close") not in allowed
    assert {verb for standing, verb in allowed if standing == "closed"} == {"reopen"}
    reached = {Standing.NEW}
    while more := {MOVES[one] for one in allowed if one[0] in reached} - reached:
        reached |= more
    assert reached == set(Standing)


@pytest.mark.parametrize("verb", ["answer", "ask-hospital", "nonsense"])
def test_no_supervisor_takes_the_hospitals_step(shanghai: Platform, browser: httpx.Client, verb: str) -> None:
    matter = an_alert(shanghai, browser)

    assert browser.post(f"{matter}/{verb}", data={"note": "替医院答复"}).status_code == 404


def test_without_a_way_to_the_hospital_nothing_is_asked(shanghai: Platform, browser: httpx.Client) -> None:
    matter = an_alert(shanghai, browser)

    answer = browser.post(f"{matter}/ask", data={"authority": "沪卫监12号", "words": "为何没有监护人在场？"})

    assert answer.status_code == 409
    assert "六岁以下处方" in browser.get("/alerts", params={"standing": "new"}).text


def test_a_complaint_is_followed_like_an_alert(shanghai: Platform, browser: httpx.Client) -> None:
    send_a_visit(shanghai)
    row = shanghai.stored(method="uploadComplaint")[0]

    assert "王*反映等待太久，电话199****0001" in browser.get("/complaints").text
    matter = browser.post(f"/complaints/{row['id']}").url.path
    browser.post(f"{matter}/look", data={"note": "已电话了解"})

    text = browser.get("/complaints", params={"standing": "looked"}).text
    assert f"{matter}" in text
    assert "王小丽" not in browser.get(matter).text


def test_a_complaint_past_the_hospitals_own_deadline_stands_out(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    shanghai.send("uploadComplaint", [hospital.complained(deadline="2026-11-22T18:00:00+08:00")])

    assert "已过医院答复期限" in browser.get("/complaints").text


def complaints(hospital: Hospital, first: int, last: int) -> list[dict[str, Any]]:
    return [hospital.complained(recordNo=f"C-{number}") for number in range(first, last)]


def pages_of(browser: httpx.Client, path: str) -> Iterator[str]:
    """The list and what follows it."""
    while path:
        text = browser.get(path).text
        yield text
        found = re.search(r'class="button" href="([^"]+before=[^"]+)"', text)
        path = unescape(found[1]) if found else ""


def test_an_open_complaint_stays_on_the_list_however_many_closed_ones_came_later(
    shanghai: Platform, browser: httpx.Client, strict_platform: Running
) -> None:
    hospital = Hospital()
    for first in range(1, 202, 50):
        shanghai.send("uploadComplaint", complaints(hospital, first, first + 50))
    with strict_platform.database.writing() as connection:
        connection.execute(
            "INSERT INTO matters (kind, key, title, detail, at, standing) "
            "SELECT 'complaint', business_no, '', '', occurred_at, 'closed' FROM records WHERE business_no <> 'C-1'"
        )

    text = browser.get("/complaints", params={"standing": "open"}).text

    assert "C-1<" in text
    assert total(text) == 1
    assert "未办结 1<" in text
    assert "已办结 249<" in text


@pytest.mark.parametrize(
    "path",
    ["/complaints", "/complaints?standing=new", "/visits", "/visits?live=1", "/matters", "/alerts/explained"],
)
def test_every_list_can_be_read_to_its_end(shanghai: Platform, browser: httpx.Client, path: str) -> None:
    hospital = Hospital()
    shanghai.send("uploadComplaint", complaints(hospital, 1, 36))
    shanghai.send("uploadFollowUp", [hospital.started(f"V-{number}") for number in range(1, 36)])
    if path == "/alerts/explained":
        paid = [hospital.paid(paymentNo=f"P-{n}", subjectNo=f"RX-{n}") for n in range(1, 36)]
        shanghai.send("uploadPayment", paid)
        for number in range(1, 36):
            rx = {"recipeUniqueID": f"R-{number}", "recipeID": f"RX-{number}"}
            shanghai.send("uploadPrescription", [hospital.approved(**rx)])
    if path == "/matters":
        for row in shanghai.stored(method="uploadComplaint"):
            browser.post(f"/complaints/{row['id']}", follow_redirects=False)

    texts = list(pages_of(browser, path))

    one = {"/complaints": "编号", "/visits": "回放", "/matters": "/matters/", "/alerts/explained": "已说明"}[
        path.partition("?")[0]
    ]
    cards = [re.findall(r'<li class="card.*?</li>', text, re.DOTALL) for text in texts]
    assert [len(found) for found in cards] == [30, 5]
    assert all(one in card for found in cards for card in found)
    assert len({card for found in cards for card in found}) == 35


def test_a_visit_stands_where_its_last_record_does(shanghai: Platform, browser: httpx.Client) -> None:
    hospital = Hospital()
    shanghai.send("uploadFollowUp", [hospital.started(f"V-{number}") for number in range(1, 36)])
    shanghai.send("uploadBooking", [hospital.booked("V-1")])

    first, second = pages_of(browser, "/visits")

    assert "/visits/V-1/" in first
    assert "/visits/V-1/" not in second


def test_a_complaint_told_again_counts_once_and_on_the_day_it_was_told_last(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    for day in ("2026-11-20", "2026-11-21"):
        at = f"{day}T18:00:00+08:00"
        shanghai.send("uploadComplaint", [hospital.complained(filedAt=at, occurredAt=at)])

    for day, number in (("2026-11-20", 0), ("2026-11-21", 1)):
        value, address = figures(browser.get("/concerns", params={"from": day, "to": day}).text)[
            "投诉与不良事件"
        ]
        assert (value, total(browser.get(address).text)) == (f"{number}件", number)


def test_a_complaint_and_an_event_of_one_number_are_two_matters(
    shanghai: Platform, browser: httpx.Client, strict_platform: Running
) -> None:
    shanghai.send("uploadComplaint", [Hospital().complained()])
    with strict_platform.database.writing() as connection:
        connection.execute(
            "INSERT INTO matters (kind, key, title, detail, at, standing) "
            "SELECT other.kind, business_no, '', '', occurred_at, 'closed' FROM records, "
            "(SELECT 'event' AS kind UNION SELECT 'complaint') AS other"
        )

    assert total(browser.get("/complaints").text) == 1


def test_an_alert_that_a_later_record_explains_is_kept_out_of_sight(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    approved, paid = hospital.approved(), hospital.paid()
    shanghai.send("uploadPayment", [paid])
    shanghai.send("uploadPrescription", [approved])

    alerts, kept = browser.get("/alerts").text, browser.get("/alerts/explained").text

    assert 'href="/alerts/explained">1 条预警</a>由后续到达的记录说明' in alerts
    assert "收费时未见处方审核通过" in kept
    assert '到达的<a href="/records/2">处方审核通过</a>已说明' in kept
    assert ("办理</button>" in kept, total(kept)) == (False, 1)
    assert total(browser.get("/alerts/explained", params={"to": "2026-11-20"}).text) == 0


def test_what_does_not_exist_is_said_in_words(shanghai: Platform, browser: httpx.Client) -> None:
    huge = 10**30
    for path in ("/alerts/9", "/complaints/9", f"/alerts/{huge}", f"/complaints/{huge}"):
        assert browser.post(path).status_code == 404
    for path in ("/matters/9", f"/matters/{huge}", f"/samples/{huge}", f"/reveals/{huge}"):
        assert browser.get(path).status_code == 404


def test_alerts_are_there_for_programs_too(shanghai: Platform, browser: httpx.Client) -> None:
    matter = an_alert(shanghai, browser)

    [alert] = browser.get("/alerts.json", params={"concern": "prescription"}).json()["alerts"]

    assert (alert["rule"], alert["standing"], alert["visit_no"]) == ("under_six", "new", "V-1")
    assert f"/matters/{alert['matter']}" == matter
    assert browser.get("/alerts.json", params={"standing": "closed"}).json() == {"alerts": []}
    assert browser.get("/alerts.json", params={"before": str(alert["id"])}).json() == {"alerts": []}
