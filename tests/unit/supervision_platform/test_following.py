"""Alerts, complaints and findings from new to closed, each step with a person, a note and a line of the trail."""

from collections.abc import Iterator
from itertools import product

import httpx
import pytest

from simulators.supervision.oversight.matters import MOVES, Standing
from tests.unit.supervision_platform.at_the_console import SECOND, lines, send_a_visit, signed_in
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


def test_an_alert_that_a_later_record_explains_is_kept_out_of_sight(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    approved, paid = hospital.approved(), hospital.paid()
    shanghai.send("uploadPayment", [paid])
    shanghai.send("uploadPrescription", [approved])

    assert "另有 1 条预警由后续到达的记录说明" in browser.get("/alerts").text


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
