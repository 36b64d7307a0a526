"""A gateway that speaks FHIR to the HIS and HL7 v2 to LIS and RIS, as processes: results, orders, what is pushed, and every mishap."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from contracts import his
from front_gateway.audit_check import verify_day
from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.backends import Backend, backend
from tests.contract.hospitals import WORLD, Gateway, new_request
from tests.contract.laboratories import Laboratory, laboratory
from tests.contract.started import free_port, wait_until

PEOPLE = {one["id"]: one for one in json.loads((WORLD / "residents.json").read_text(encoding="utf-8"))}
ZHOU = "P0000001"
FILM = {
    "id": "L9000001", "date": "2026-11-20", "panel": "chest_ct", "name": "胸部CT平扫", "category": "imaging",
    "conclusion": "右肺上叶结节", "findings": "边界清。\n未见肿大淋巴结。",
}  # fmt: skip


@dataclass(frozen=True)
class House:
    """The whole hospital behind one gateway, and the backend before it."""

    gateway: Gateway
    laboratory: Laboratory
    backend: Backend
    push_port: int

    def history(self, resident: str = ZHOU) -> httpx.Response:
        person = PEOPLE[resident]
        patient_id = self.gateway.patient_id(person["id_number"], person["name"])
        return self.gateway.ask("history", purpose="treatment", patient_id=patient_id, since="2026-01-01")

    def reports(self, category: str = "laboratory") -> tuple[set[tuple[str, int]], list[str]]:
        """(title, number of values) of the category, and what is missing."""
        reply = self.history()
        assert reply.status_code == 200, reply.text
        found = msgspec.json.decode(reply.content, type=his.HistoryReply)
        return {
            (one.title, len(one.results)) for one in found.reports if one.category == category
        }, found.missing

    def push(self, **wish: Any) -> dict[str, str]:
        return self.laboratory.push(**({"to": f"127.0.0.1:{self.push_port}", "number": ZHOU} | wish))

    def pushed(self) -> list[dict[str, Any]]:
        """Audit lines about pushes."""
        lines = [
            json.loads(line)
            for file in self.gateway.audit.glob("*.jsonl")
            for line in file.read_bytes().splitlines()
        ]
        return [line for line in lines if line.get("method") == "MLLP"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[House]:
    folders = [tmp_path_factory.mktemp(name) for name in ("his", "lis_ris", "gateway")]
    push_port = free_port()
    with ExitStack() as stack:
        hospital = stack.enter_context(hospitals.simulator(folders[0], certificates))
        double = stack.enter_context(laboratory(folders[1]))
        listening = stack.enter_context(backend())
        settings = {
            "LIS_URL": double.url, "RIS_URL": double.url, "HL7_PORT": str(push_port), "BACKEND_URL": listening.url,
        }  # fmt: skip
        gateway = stack.enter_context(
            hospitals.gateway_before(hospital, folders[2], certificates, **settings)
        )
        double.plant(ZHOU, **FILM)
        yield House(gateway, double, listening, push_port)


@pytest.fixture
def house(started: House) -> Iterator[House]:
    started.laboratory.faults()
    started.backend.hints.clear()
    started.backend.away = False
    yield started
    started.laboratory.faults()


EXPECTED = {
    (report["name"], len(report["items"]))
    for visit in PEOPLE[ZHOU]["visits"]
    for report in visit.get("reports", [])
    if report["category"] == "lab"
}


def test_laboratory_and_imaging_come_from_their_own_systems_and_nothing_is_there_twice(house: House) -> None:
    assert house.reports() == (EXPECTED, [])
    assert house.reports("imaging") == ({("胸部CT平扫", 1)}, [])


def test_both_ways_to_a_report_say_the_same_of_it(
    house: House, certificates: Certificates, tmp_path: Path
) -> None:
    with hospitals.gateway_before(house.gateway.hospital, tmp_path, certificates) as plain:
        alone = House(plain, house.laboratory, house.backend, 0)
        by_fhir = msgspec.json.decode(alone.history().content, type=his.HistoryReply)
    by_hl7 = msgspec.json.decode(house.history().content, type=his.HistoryReply)

    def said(reply: his.HistoryReply) -> set[Any]:
        return {
            (one.title, one.issued_on, one.conclusion, tuple((each.name, each.flag) for each in one.results))
            for one in reply.reports
            if one.category == "laboratory"
        }

    assert said(by_hl7) == said(by_fhir)


@pytest.mark.parametrize("fault", ["gb18030", "no_charset", "closes", "split", "twice"])
def test_odd_manners_of_a_system_change_no_report(house: House, fault: str) -> None:
    house.laboratory.faults(**{fault: True})

    assert [house.reports(), house.reports()] == [(EXPECTED, []), (EXPECTED, [])]


@pytest.mark.parametrize("fault", ["down", "hangs_up", "garbage", "wrong_control_id"])
def test_a_system_that_gives_no_answer_is_named_and_the_others_answer_stands(
    house: House, fault: str
) -> None:
    house.laboratory.faults(**{fault: True, "only": "LIS"})

    found, missing = house.reports()

    assert (found, missing) == (EXPECTED, ["laboratory"]), "the HIS's own copies stand in"
    house.laboratory.faults()
    assert house.reports("imaging") == ({("胸部CT平扫", 1)}, [])


def test_a_silent_system_does_not_keep_the_doctor_waiting(house: House) -> None:
    house.laboratory.faults(slow_seconds=6, only="RIS")

    reply = house.history()

    assert reply.json()["missing"] == ["imaging"]
    assert reply.elapsed.total_seconds() < 5.5


def test_somebody_elses_result_lets_nothing_pass(house: House) -> None:
    house.laboratory.faults(wrong_patient=True)

    refused = house.history()

    assert (refused.status_code, refused.json()["code"]) == (502, "wrong_subject")
    assert "reports" not in refused.json()


def test_health_names_each_system(house: House, certificates: Certificates, tmp_path: Path) -> None:
    assert httpx.get(f"{house.gateway.health}/readyz").json()["failed"] == ["city"]
    nobody = f"mllp://127.0.0.1:{free_port()}"
    with hospitals.gateway_before(
        house.gateway.hospital, tmp_path, certificates, LIS_URL=nobody, RIS_URL=house.laboratory.url
    ) as gateway:
        assert httpx.get(f"{gateway.health}/readyz").json()["failed"] == ["city", "lis"]


def test_metrics_say_which_system_nobody_waits_for_any_more(
    house: House, certificates: Certificates, tmp_path: Path
) -> None:
    nobody = f"mllp://127.0.0.1:{free_port()}"

    def open_breakers(gateway: Gateway) -> set[str]:
        text = httpx.get(f"{gateway.health}/metrics").text
        return set(re.findall(r'gateway_breaker_open\{target="(\w+)"\} 1', text))

    with hospitals.gateway_before(
        house.gateway.hospital, tmp_path, certificates, LIS_URL=nobody, RIS_URL=house.laboratory.url
    ) as gateway:
        patient_id = gateway.patient_id(PEOPLE[ZHOU]["id_number"], PEOPLE[ZHOU]["name"])
        for _ in range(5):
            gateway.ask("history", purpose="treatment", patient_id=patient_id, since="2020-01-01")
        wait_until(lambda: open_breakers(gateway) == {"lis"}, "the breaker of LIS in the metrics")
        assert 'target="ris"} 0' in httpx.get(f"{gateway.health}/metrics").text


def order(house: House, **more: Any) -> dict[str, Any]:
    item = {"code": "CXR", "name": "胸部正位片", "category": "imaging", "site": "胸部"}
    patient_id = house.gateway.patient_id(PEOPLE[ZHOU]["id_number"], PEOPLE[ZHOU]["name"])
    body = {
        "purpose": "write_back", "request_id": new_request(), "patient_id": patient_id, "appointment_id": new_request(),
        "number": f"JC-{new_request()[:8]}", "practitioner_code": "D0001", "items": [item],
        "ordered_at": "2026-11-22T10:20:00+08:00",
    }  # fmt: skip
    return body | more


def test_an_order_repeated_is_one_order_and_can_be_cancelled_once(house: House) -> None:
    body = order(house)
    before = len(house.laboratory.orders())

    first, again = (house.gateway.ask("write-order", **body) for _ in range(2))

    assert (first.status_code, first.json()["reference"]) == (200, again.json()["reference"])
    assert len(house.laboratory.orders()) == before + 1
    cancelled = {key: value for key, value in body.items() if key != "ordered_at"} | {
        "request_id": new_request(), "cancelled_at": "2026-11-22T10:30:00+08:00", "reason": "患者改期",
    }  # fmt: skip
    assert house.gateway.ask("write-order-cancellation", **cancelled).status_code == 200
    refused = house.gateway.ask("write-order-cancellation", **cancelled | {"request_id": new_request()})
    assert (refused.status_code, refused.json()["code"]) == (422, "hospital_refused")
    assert "已执行或已取消" in refused.json()["detail"]


def test_a_refused_order_brings_the_systems_words(house: House) -> None:
    house.laboratory.faults(refuse="该项目已停用")

    refused = house.gateway.ask("write-order", **order(house))

    assert (refused.status_code, refused.json()["code"]) == (422, "hospital_refused")
    assert "该项目已停用" in refused.json()["detail"]


def test_a_lost_answer_to_an_order_is_no_refusal_and_the_order_is_there_once(house: House) -> None:
    body = order(house)
    house.laboratory.faults(wrong_control_id=True)
    lost = house.gateway.ask("write-order", **body)
    house.laboratory.faults()

    assert (lost.status_code, lost.json()["code"]) == (502, "hospital_answer_unusable")
    placer = f"{body['number']}-1"
    assert [one["placer"] for one in house.laboratory.orders()].count(placer) == 1


def test_an_order_of_two_kinds_goes_nowhere(house: House) -> None:
    items = [{"code": "A", "name": "甲", "category": one} for one in ("imaging", "laboratory")]
    before = house.laboratory.orders()

    refused = house.gateway.ask("write-order", **order(house, items=items))

    assert (refused.status_code, refused.json()["issues"][0]["field"]) == (422, "items")
    assert house.laboratory.orders() == before


def test_without_such_a_system_an_order_is_refused(
    house: House, certificates: Certificates, tmp_path: Path
) -> None:
    with hospitals.gateway_before(house.gateway.hospital, tmp_path, certificates) as gateway:
        refused = gateway.ask("write-order", **order(house))

    assert (refused.status_code, refused.json()["code"]) == (422, "hospital_refused")


@pytest.mark.parametrize(
    ("wish", "kind", "subjects"),
    [
        ({"kind": "ORU^R01"}, "report_ready", 1), ({"kind": "ORU^R01", "letters": "gb18030"}, "report_ready", 1),
        ({"kind": "ORU^R01", "sender": "RIS"}, "report_ready", 1), ({"kind": "ORM^O01"}, "order_changed", 1),
        ({"kind": "ADT^A08"}, "patient_changed", 1), ({"kind": "ADT^A40", "old": "P0000070"}, "patient_merged", 2),
    ],
)  # fmt: skip
def test_what_is_pushed_becomes_a_hint_with_nothing_in_it(
    house: House, wish: dict[str, str], kind: str, subjects: int
) -> None:
    assert house.push(**wish)["code"] == "AA"

    [hint] = house.backend.hints
    assert (hint["kind"], len(hint["subjects"])) == (kind, subjects)
    assert set(hint) == {"key", "source", "kind", "subjects", "at"}
    line = house.pushed()[-1]
    assert (line["path"], line["code"], line["subject"]) == (wish["kind"], "ok", hint["subjects"][0])


def test_a_message_sent_again_is_accepted_again_under_the_same_key(house: House) -> None:
    said = [house.push(kind="ORU^R01", control="AGAIN01")["code"] for _ in range(2)]

    assert said == ["AA", "AA"]
    assert len({one["key"] for one in house.backend.hints}) == 1
    assert house.pushed()[-1]["reason"] == "again"


def test_a_preliminary_result_is_accepted_and_told_to_nobody(house: House) -> None:
    assert house.push(kind="ORU^R01", status="P")["code"] == "AA"
    assert house.backend.hints == []


@pytest.mark.parametrize(
    "wish", [{"kind": "ADT^A40", "sender": "LIS"}, {"kind": "ORU^R01", "sender": "STRANGER"}]
)
def test_who_is_not_listed_for_a_message_is_rejected_and_written_down(
    house: House, wish: dict[str, str]
) -> None:
    assert house.push(**wish)["code"] == "AR"

    assert house.backend.hints == []
    assert (house.pushed()[-1]["code"], house.pushed()[-1]["status"]) == ("not_listed", 403)


def test_while_the_backend_is_away_the_sender_is_asked_to_send_again(house: House) -> None:
    house.backend.away = True
    assert house.push(kind="ORU^R01", control="LATER01")["code"] == "AE"
    house.backend.away = False

    assert house.push(kind="ORU^R01", control="LATER01")["code"] == "AA"
    assert len(house.backend.hints) == 1


def test_a_line_that_is_kept_carries_several_messages_and_garbage_ends_it(house: House) -> None:
    message = (
        r"MSH|^~\&|LIS||X||20261122||ORU^R01|KEEP{}|P|2.4" "\rPID|1||{}\rOBR|1||S1|||||||||||||||||||||||F\r"
    )
    with socket.create_connection(("127.0.0.1", house.push_port), timeout=5) as line:
        for place in (1, 2):
            line.sendall(b"\x0b" + message.format(place, ZHOU).encode() + b"\x1c\r")
            assert f"MSA|AA|KEEP{place}".encode() in line.recv(4_096)
        line.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert line.recv(4_096) == b""

    wait_until(lambda: house.pushed()[-1]["code"] == "bad_frame", "the audit line")


@pytest.mark.parametrize("body", [b"PID|1||P1\r", b"MSH|^~\\&|LIS||X||1||ORU^R01|X1|P|2.4\rOBR|1||S1\r"])
def test_what_cannot_be_read_is_rejected_with_words_of_ours(house: House, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", house.push_port), timeout=5) as line:
        line.sendall(b"\x0b" + body + b"\x1c\r")
        assert b"MSA|AR|" in line.recv(4_096)
    assert house.backend.hints == []


def test_the_audit_holds_together_and_neither_it_nor_the_log_names_anybody(house: House) -> None:
    house.push(kind="ORU^R01")
    house.history()

    [file] = house.gateway.audit.glob("*.jsonl")
    verdict = verify_day(house.gateway.audit, "a", date.fromisoformat(file.stem.removeprefix("audit-a-")))
    assert not verdict.problem
    written = file.read_text(encoding="utf-8") + (house.gateway.audit.parent / "gateway.log").read_text(
        "utf-8"
    )
    assert not [word for word in (PEOPLE[ZHOU]["name"], ZHOU, "血脂", "结节") if word in written]
