import json

import pytest

from regulator_adapter.replies import INNER, OUTER, Meaning, read


@pytest.mark.parametrize(("code", "meaning"), OUTER.items())
def test_outer_codes_mean_what_the_interface_says(code: int, meaning: Meaning) -> None:
    assert read(200, json.dumps({"code": code, "msg": "x"}).encode()).meaning is meaning


@pytest.mark.parametrize(("code", "meaning"), INNER.items())
def test_inner_codes_mean_what_the_interface_says(code: int, meaning: Meaning) -> None:
    reply = read(200, json.dumps({"code": 200, "body": {"msgCode": code, "msg": "x"}}).encode())

    assert (reply.meaning, reply.code) == (meaning, f"200/{code}")


def test_only_what_may_be_sent_again_is() -> None:
    again = {code for code, meaning in OUTER.items() if meaning is Meaning.LATER}

    assert again == {-1, 40011}
    assert set(INNER.values()) == {Meaning.ACCEPTED, Meaning.REJECTED}


@pytest.mark.parametrize(("status", "meaning"), [
    (503, Meaning.CLOSED), (429, Meaning.CLOSED), (403, Meaning.CLOSED), (500, Meaning.UNKNOWN), (502, Meaning.UNKNOWN),
    (504, Meaning.UNKNOWN), (413, Meaning.PARKED), (400, Meaning.PARKED), (302, Meaning.PARKED),
])  # fmt: skip
def test_a_status_that_is_not_the_platforms_is_judged_by_whether_something_may_be_stored(
    status: int, meaning: Meaning
) -> None:
    assert read(status, b"").meaning is meaning


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"[]", b"7", b"{}", b'{"code":200}', b'{"code":200,"body":[]}', b'{"code":200,"body":{"receipts":7,"msgCode":200}}',
    b"\xff", b'{"code":200,"body":{"msgCode":200,"receipts":[{"eventId":"1"}]}}',
])  # fmt: skip
def test_an_answer_that_is_none_leaves_it_open_whether_something_is_stored(body: bytes) -> None:
    assert read(200, body).meaning is Meaning.UNKNOWN


def test_whatever_is_answered_can_be_stored() -> None:
    long = {
        "code": 200,
        "body": {"msgCode": "9" * 99, "msg": "a\0b", "receipts": [{"eventId": "1", "receipt": "r" * 99}]},
    }

    reply = read(200, json.dumps(long).encode())

    assert (len(reply.code), len(reply.receipts["1"].number)) == (40, 80)
    assert "\0" not in reply.text
    assert reply.meaning is Meaning.REJECTED
