import hashlib
import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from simulators.supervision.console.figures import Counts
from simulators.supervision.console.masking import mask_certificate, mask_name, mask_phone, mask_record
from simulators.supervision.console.reading import Wanted
from tests.unit.supervision_platform.at_the_console import send_a_visit, signed_in
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital
from tests.unit.supervision_platform.tianjin_records import CHILD, PATIENT, medical_record, revisit

PAGES = [
    "/", "/concerns", "/records", "/visits", "/alerts", "/alerts/explained", "/feed", "/days", "/days/2026-11-22", "/refusals", "/complaints", "/matters", "/staff", "/samples", "/reveals", "/trail",
]  # fmt: skip
PLAIN = hashlib.sha256(PATIENT.encode()).hexdigest()
PROXY = {
    "viewerId": "P-9", "viewerType": "3", "viewerName": "陈大山", "viewerCertID": CHILD, "patientCertHash": PLAIN,
}  # fmt: skip
"""Somebody who looks for the patient; and what a hospital of an older version says of her number."""


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


@pytest.mark.parametrize("path", [*PAGES, "/records/1", "/visits/V-1"])
def test_nobody_sees_a_page_without_signing_in(shanghai: Platform, path: str) -> None:
    answer = shanghai.client.get(f"{shanghai.console}{path}")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/login"


def test_signing_out_ends_the_session(browser: httpx.Client, shanghai: Platform) -> None:
    token = browser.cookies["supervision_session"]
    browser.post("/logout")

    answer = shanghai.client.get(f"{shanghai.console}/", headers={"cookie": f"supervision_session={token}"})

    assert answer.status_code == 303


def test_a_session_ends_after_eight_hours(browser: httpx.Client, shanghai: Platform) -> None:
    assert browser.get("/").url.path == "/"
    shanghai.move_clock(8 * 3600 + 1)

    assert browser.get("/").url.path == "/login"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_while_nothing_has_arrived(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 200
    assert answer.url.path == path


def test_pages_run_only_scripts_of_files_and_carry_no_styles(
    browser: httpx.Client, shanghai: Platform
) -> None:
    send_a_visit(shanghai)
    for path in [*PAGES, "/records/3", "/visits/V-1", "/visits/V-1/replay", "/login", "/records/999"]:
        answer = browser.get(path)
        assert re.findall(r"<script(?![^>]*\ssrc=\"/static/)", answer.text) == []
        assert not re.search(r"\sstyle=|<style|\son\w+=", answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy


def test_no_page_shows_a_person_in_the_clear(
    browser: httpx.Client, shanghai: Platform, strict: Platform
) -> None:
    hospital = send_a_visit(shanghai)
    shanghai.send("uploadRecordView", [hospital.viewed(**PROXY)])
    strict.send(
        "uploadElectMedicalRecord", [medical_record(presentHistory=f"王小丽，电话19900000001，{PATIENT}")]
    )

    last = shanghai.stored()[-1]["id"]
    for path in [*PAGES, "/visits/V-1", *(f"/records/{number}" for number in range(1, last + 1))]:
        text = browser.get(path).text
        assert "王小丽" not in text
        assert "陈大山" not in text
        assert PATIENT not in text
        assert PLAIN not in text
        assert "1980-01-01" not in text
        assert "19900000001" not in text
        if path.startswith("/visits/"):
            assert "王*" in text
            assert "310*************28" in text


def test_the_board_counts_today(browser: httpx.Client, shanghai: Platform) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat()
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked("V-1", now), hospital.booked("V-2", now)])
    shanghai.send("uploadPayment", [hospital.paid(now)])

    text = re.sub(r"\s+", "", browser.get("/").text)

    assert re.search(r"<dt>预约</dt><dd><ahref=[^>]+>2</a></dd>", text)
    assert re.search(r"<dt>收款</dt><dd><ahref=[^>]+>25.80元</a></dd>", text)


def test_what_both_profiles_tell_is_counted_once() -> None:
    told = Counter(
        {
            "appointment.booked@shanghai": 3,
            "appointment.booked@tianjin-1.0": 3,
            "prescription.approved@tianjin-1.0": 2,
        }
    )
    day = Counts(told)

    assert (day.acts("booked"), day.acts("prescribed"), day.acts("started")) == (3, 2, 0)


def test_a_visit_shows_its_steps_in_order_with_what_it_rests_on(
    browser: httpx.Client, shanghai: Platform
) -> None:
    send_a_visit(shanghai)

    text = browser.get("/visits/V-1").text

    steps = re.findall(r"<strong>\d+\. (.+?)</strong>", text)
    assert steps == [
        "实名认证",
        "复诊资格判定",
        "预约挂号",
        "医师接诊",
        "处方开具",
        "处方审核通过",
        "支付",
        "投诉",
    ]


def test_a_visit_is_summed_up_at_its_head(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)

    text = re.sub(r"\s+", "", browser.get("/visits/V-1").text)

    assert "<dt>患者</dt><dd>王*·女·46岁·199****0001</dd>" in text
    assert "<dt>医师</dt><dd>林医生·老年科</dd>" in text
    assert "<dt>诊断</dt><dd>高血压</dd>" in text
    assert "<dt>费用</dt><dd>已收25.80元</dd>" in text
    assert "氨氯地平片5mg*28片·口服·每日一次·每次5mg·共1盒·28天" in text


def test_an_alert_finds_the_visit_when_its_number_arrives(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    paid, approved = hospital.paid(), hospital.approved("2026-11-22T09:50:00+08:00")
    shanghai.send("uploadPayment", [paid])
    assert "/visits/V-1" not in browser.get("/alerts").text

    shanghai.send("uploadPrescription", [approved])

    assert 'href="/visits/V-1"' in browser.get("/alerts").text


def test_a_record_shows_receipt_digest_and_raw_text(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)
    row = shanghai.stored(method="uploadBooking")[0]

    text = browser.get(f"/records/{row['id']}").text

    assert row["receipt"] in text
    assert row["request_digest"] in text
    assert "&#34;patientName&#34;: &#34;王*&#34;" in text


def test_looking_at_a_person_leaves_a_trace(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)
    browser.get("/visits/V-1")
    browser.get("/records/1")

    text = re.sub(r"\s+", "", browser.get("/concerns").text)

    assert re.search(r"<dt>监管端留痕</dt><dd><ahref=[^>]+>3条</a></dd>", text)  # her coming in is one


def test_records_are_found_by_kind_day_and_number(browser: httpx.Client, shanghai: Platform) -> None:
    send_a_visit(shanghai)
    receipt = shanghai.stored(method="uploadPayment")[0]["receipt"]

    assert browser.get("/records", params={"method": "uploadPayment"}).text.count('class="title"') == 1
    assert browser.get("/records", params={"number": receipt}).text.count('class="title"') == 1
    assert (
        browser.get("/records", params={"from": "2026-11-21", "to": "2026-11-21"}).text.count('class="title"')
        == 3
    )
    assert (
        browser.get("/records", params={"from": "nonsense", "before": "x"}).text.count('class="title"') == 8
    )
    assert "没有符合条件" in browser.get("/records", params={"number": "nothing"}).text


@pytest.mark.parametrize("column", ["visit_no", "business_no", "event_id", "receipt"])
def test_a_number_is_looked_up_by_its_index(
    browser: httpx.Client, shanghai: Platform, strict_platform: Running, column: str
) -> None:
    send_a_visit(shanghai)
    row = shanghai.stored(method="uploadBooking")[0]
    where, values = Wanted(number=row[column]).where()

    with strict_platform.database.reading() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM records WHERE {where}", values)
        assert [one["detail"] for one in plan if one["detail"].startswith("SCAN records")] == []

    assert f'href="/records/{row["id"]}"' in browser.get("/records", params={"number": row[column]}).text


def test_older_records_are_on_the_next_page(browser: httpx.Client, shanghai: Platform) -> None:
    hospital = Hospital()
    shanghai.send("uploadBooking", [hospital.booked(f"V-{number}") for number in range(31)])

    first = browser.get("/records").text
    link = re.search(r'href="(/records\?[^"]*before[^"]+)"', first)

    assert link is not None
    assert browser.get(link[1].replace("&amp;", "&")).text.count('class="title"') == 1


def test_alerts_are_shown_by_concern(browser: httpx.Client, shanghai: Platform) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])

    assert "六岁以下处方" in browser.get("/alerts").text
    assert "六岁以下处方" in browser.get("/alerts", params={"concern": "prescription"}).text
    assert "六岁以下处方" not in browser.get("/alerts", params={"concern": "staff"}).text


def test_the_feed_shows_gaps_counts_and_refusals(
    browser: httpx.Client, shanghai: Platform, strict: Platform
) -> None:
    hospital = Hospital()
    hospital.booked()
    shanghai.send("uploadBooking", [hospital.booked("V-2")])
    strict.send("uploadReferralIndicators", [revisit(sex="x")])

    text = browser.get("/feed").text

    assert "缺少的全院序号：1" in text
    assert "sex不在代码表中：x" in text


@pytest.mark.parametrize("path", ["/records/99", f"/records/{10**30}", "/visits/unknown", "/visits/a%2Fb"])
def test_what_does_not_exist_is_said_in_words(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert "没有" in answer.text


def test_texts_of_a_record_cannot_become_markup(browser: httpx.Client, shanghai: Platform) -> None:
    shanghai.send("uploadComplaint", [Hospital().complained(description="<b>x</b>", visitNo="<i>")])

    for path in ("/records", "/records/1", "/visits", "/visits/%3Ci%3E"):
        text = browser.get(path).text
        assert "<b>x" not in text
        assert "<i>" not in text


def test_production_has_no_test_controls(environment: dict[str, str]) -> None:
    from simulators.server import Reader
    from simulators.supervision.settings import read
    from tests.unit.supervision_platform.conftest import running

    for platform in running(read(Reader(environment | {"ENV": "production"}))):
        assert platform.client.get(f"{platform.console}/_test/records").status_code == 404
        assert platform.client.put(f"{platform.console}/_test/faults", json={}).status_code == 404
        assert platform.client.get(f"{platform.console}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        (mask_name("王小丽"), "王*"),
        (mask_certificate("310114198001011234"), "310*************34"),
        (mask_certificate("E12345678"), "E*******8"),
        (mask_phone("19900000001"), "199****0001"),
        (mask_phone("123"), "****"),
        (mask_name(""), ""),
    ],
)
def test_persons_are_masked_in_the_usual_way(shown: str, hidden: str) -> None:
    assert shown == hidden


def test_staff_keep_their_names_but_not_their_numbers() -> None:
    shown = mask_record("uploadPractitioner", {"name": "林医生", "certID": PATIENT})

    assert shown == {"name": "林医生", "certID": "310*************28"}
