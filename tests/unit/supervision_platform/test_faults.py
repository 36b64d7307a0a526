from typing import Any

import httpx
import pytest

from tests.unit.supervision_platform import sender
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.tianjin_records import drug

METHOD = "uploadDrugCatalogue"


def raw(platform: Platform, records: Any) -> httpx.Response:
    body = sender.encrypt(sender.to_json(records))
    return platform.post(body, sender.signed("his.provinceDataUploadService", METHOD, body))


def test_an_outage_is_503_until_it_is_over(platform: Platform) -> None:
    platform.faults(outage=True)
    assert raw(platform, [drug()]).status_code == 503

    platform.faults()
    assert raw(platform, [drug()]).json()["code"] == 200


def test_a_hang_up_cuts_the_connection_and_stores_nothing(platform: Platform) -> None:
    platform.faults(hang_up=True)

    with pytest.raises(httpx.TransportError):
        raw(platform, [drug()])
    assert platform.stored() == []


def test_a_lost_reply_leaves_the_record_stored(platform: Platform) -> None:
    platform.faults(lose_reply=True)

    with pytest.raises(httpx.TransportError):
        raw(platform, [drug()])
    assert len(platform.stored()) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"busy": True}, -1),
        ({"frozen": True}, 40003),
        ({"expired": True}, 40011),
        ({"no_right": METHOD}, 40006),
        *(
            ({"outer": code}, code)
            for code in (40001, 40002, 40003, 40004, 40006, 40007, 40010, 40011, 40012)
        ),
    ],
)
def test_outer_refusals_can_be_called_up(platform: Platform, fault: dict[str, Any], code: int) -> None:
    platform.faults(**fault)

    assert platform.send(METHOD, [drug()])["code"] == code
    assert platform.stored() == []


def test_every_nth_request_can_be_busy(platform: Platform) -> None:
    platform.faults(busy_every=3)

    assert [platform.send(METHOD, [drug()])["code"] for _ in range(6)] == [200, 200, -1, 200, 200, -1]


def test_every_nth_record_can_be_refused(platform: Platform) -> None:
    platform.faults(reject_every=2)

    assert platform.result(METHOD, [drug(hospDrcode="A"), drug(hospDrcode="B")]) == (
        -1,
        "平台演练：本条按要求退回",
    )
    assert [row["business_no"] for row in platform.stored()] == ["A"]


def test_an_answer_can_be_slow(platform: Platform) -> None:
    platform.faults(slow_seconds=0.3)

    answer = raw(platform, [drug()])

    assert answer.elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize("kind", ["html", "empty", "not_json", "no_body", "text_code"])
def test_an_answer_can_be_wrong_while_the_record_is_stored(platform: Platform, kind: str) -> None:
    platform.faults(wrong_reply=kind)

    answer = raw(platform, [drug()])

    assert answer.status_code == 200
    assert (
        answer.content
        != b'{"code":200,"body":{"msgCode":200,"msg":"\xe6\x93\x8d\xe4\xbd\x9c\xe6\x88\x90\xe5\x8a\x9f"}}'
    )
    assert len(platform.stored()) == 1


def test_an_unknown_fault_is_named(platform: Platform) -> None:
    answer = platform.client.put(f"{platform.console}/_test/faults", json={"earthquake": True})

    assert answer.status_code == 400
    assert answer.json()["field"] == "earthquake"
