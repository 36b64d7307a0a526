import dataclasses
import json
import ssl
import time
from typing import Any

import httpx
import pytest

from simulators.server import Reader
from simulators.supervision.settings import read
from tests.unit.supervision_platform import sender
from tests.unit.supervision_platform.certificates import Files
from tests.unit.supervision_platform.conftest import running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.tianjin_records import dispute, drug

METHOD = "uploadDrugCatalogue"
SERVICE = "his.provinceDataUploadService"


def body_of(records: Any) -> bytes:
    return sender.encrypt(json.dumps(records).encode())


def code_of(answer: httpx.Response) -> int:
    assert answer.status_code == 200
    return int(answer.json()["code"])


def test_a_good_request_is_answered_as_documented(platform: Platform) -> None:
    assert platform.send(METHOD, [drug()]) == {"code": 200, "body": {"msgCode": 200, "msg": "操作成功"}}


@pytest.mark.parametrize(
    "missing",
    ["x-ca-nonce", "x-ca-timestamp", "x-content-md5", "x-service-id", "x-service-method", "x-ca-signature"],
)
def test_a_missing_header_is_a_bad_parameter_with_its_name(platform: Platform, missing: str) -> None:
    body = body_of([drug()])
    headers = sender.signed(SERVICE, METHOD, body)
    del headers[missing]

    answer = platform.post(body, headers)

    assert code_of(answer) == 40001
    assert missing in answer.json()["msg"]


@pytest.mark.parametrize("stamp", ["yesterday", "-1", "1.5e12", "1732262400", "９９９９９９９９９９９９９"])
def test_a_time_stamp_that_is_no_milliseconds_is_a_bad_parameter(platform: Platform, stamp: str) -> None:
    body = body_of([drug()])
    headers = {**sender.signed(SERVICE, METHOD, body), "x-ca-timestamp": stamp}

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = platform.client.post(f"{platform.base}/openapi/api", content=body, headers=encoded)

    assert code_of(answer) == 40001


def test_an_unknown_key_is_named(platform: Platform) -> None:
    assert platform.send(METHOD, [drug()], x_ca_key="somebody")["code"] == 40002


def test_a_changed_body_breaks_the_digest(platform: Platform) -> None:
    body = body_of([drug()])
    headers = sender.signed(SERVICE, METHOD, body)

    assert code_of(platform.post(body[:-2] + b"00", headers)) == 40010


def test_a_changed_header_breaks_the_signature(platform: Platform) -> None:
    body = body_of([drug()])
    headers = sender.signed(SERVICE, METHOD, body) | {"x-service-method": "pushMedicalDispute"}

    assert code_of(platform.post(body, headers)) == 40010


def test_the_digest_is_upper_case(platform: Platform) -> None:
    body = body_of([drug()])
    headers = sender.signed(SERVICE, METHOD, body, x_content_md5=sender.sm3(body).lower())

    assert code_of(platform.post(body, headers)) == 40010


def test_the_list_of_signed_headers_may_be_sent_and_must_be_right(platform: Platform) -> None:
    body = body_of([drug()])
    names = "x-ca-key,x-ca-nonce,x-ca-timestamp,x-content-md5,x-service-id,x-service-method"

    good = sender.signed(SERVICE, METHOD, body) | {"x-ca-signature-headers": names}
    bad = sender.signed(SERVICE, METHOD, body) | {"x-ca-signature-headers": "x-ca-key"}

    assert code_of(platform.post(body, good)) == 200
    assert code_of(platform.post(body, bad)) == 40010


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_request_has_expired(platform: Platform, minutes: int) -> None:
    stamp = str(int((time.time() + 60 * minutes) * 1000))

    assert platform.send(METHOD, [drug()], x_ca_timestamp=stamp)["code"] == 40011


def test_freshness_follows_the_platforms_clock(platform: Platform) -> None:
    platform.move_clock(3600)

    assert platform.send(METHOD, [drug()])["code"] == 40011


def test_a_nonce_can_be_used_once(platform: Platform) -> None:
    assert platform.send(METHOD, [drug()], x_ca_nonce="n-1")["code"] == 200
    assert platform.send(METHOD, [drug()], x_ca_nonce="n-1")["code"] == 40011


def test_an_unsigned_request_does_not_use_up_a_nonce(platform: Platform) -> None:
    body = body_of([drug()])
    forged = sender.signed(SERVICE, METHOD, body, x_ca_nonce="n-2") | {"x-ca-signature": "0" * 64}

    assert code_of(platform.post(body, forged)) == 40010
    assert platform.send(METHOD, [drug()], x_ca_nonce="n-2")["code"] == 200


@pytest.mark.parametrize("method", ["uploadNursingRecords", "nonsense", "uploadBooking"])
def test_there_is_no_right_to_other_methods(platform: Platform, method: str) -> None:
    assert platform.send(method, [drug()])["code"] == 40006


def test_there_is_no_right_to_another_service(platform: Platform) -> None:
    assert platform.send(METHOD, [drug()], x_service_id="his.other")["code"] == 40006


@pytest.mark.parametrize("parts", [{"secret": "f" * 32}, {"iv": "f" * 32}])
def test_a_body_under_another_key_is_a_mismatch(platform: Platform, parts: dict[str, str]) -> None:
    body = sender.encrypt(json.dumps([drug()]).encode(), **parts)

    assert code_of(platform.post(body, sender.signed(SERVICE, METHOD, body))) in (40004, 40001)


@pytest.mark.parametrize("plain", [b"{}", b"nonsense", b'"text"', b"[" * 5000, b""])
def test_a_plain_text_that_is_no_array_is_a_bad_parameter(platform: Platform, plain: bytes) -> None:
    body = sender.encrypt(plain)

    assert code_of(platform.post(body, sender.signed(SERVICE, METHOD, body))) == 40001


def test_a_plain_body_is_a_bad_parameter(platform: Platform) -> None:
    body = json.dumps([drug()]).encode()

    assert code_of(platform.post(body, sender.signed(SERVICE, METHOD, body))) == 40001


def test_a_body_over_a_megabyte_is_too_large(platform: Platform) -> None:
    answer = platform.post(b"a" * 1_000_001, {"content-type": "application/json"})

    assert answer.status_code == 413


def test_only_posts_to_the_two_paths_are_served(platform: Platform) -> None:
    assert platform.client.get(f"{platform.base}/openapi/api").status_code == 405
    assert platform.client.post(f"{platform.base}/elsewhere").status_code == 404


def test_an_address_that_is_not_on_the_list_is_refused(environment: dict[str, str]) -> None:
    settings = read(Reader(environment | {"SUPERVISION_ADDRESSES": "10.1.2.3"}))

    for platform in running(settings):
        assert platform.send(METHOD, [drug()])["code"] == 40007


def test_the_quota_of_the_test_environment_can_be_enforced(environment: dict[str, str]) -> None:
    settings = read(Reader(environment | {"SUPERVISION_QUOTA": "enforce"}))

    for platform in running(settings):
        assert platform.result(METHOD, [drug()] * 10) == (200, "操作成功")
        assert platform.send(METHOD, [drug()])["code"] == 40012
        assert platform.result("pushMedicalDispute", [dispute()]) == (200, "操作成功")


def test_outer_refusals_are_counted_under_their_method(platform: Platform) -> None:
    platform.send(METHOD, [drug()], x_service_id="his.other")
    platform.send("nonsense", [drug()])

    counts = platform.summary()["profiles"]["tianjin-1.0"]

    assert counts[METHOD]["rejected"] == 1
    assert counts["-"]["rejected"] == 1


def test_the_listener_asks_for_a_certificate_of_its_authority(
    environment: dict[str, str], tls: Files
) -> None:
    settings = read(Reader(environment))

    for platform in running(settings, plain=False):
        with (
            httpx.Client(verify=_context(tls, with_certificate=False), trust_env=False) as stranger,
            pytest.raises(httpx.TransportError),
        ):
            stranger.post(f"{platform.base}/openapi/api")
        with httpx.Client(verify=_context(tls, with_certificate=True), trust_env=False) as known:
            assert dataclasses.replace(platform, client=known).result(METHOD, [drug()])[0] == 200


def _context(tls: Files, *, with_certificate: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.authority))
    if with_certificate:
        context.load_cert_chain(tls.client, tls.client_key)
    return context
