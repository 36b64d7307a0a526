from typing import Any

import httpx
import pytest

from tests.unit.signed_calls import call, faults, move_clock


def open_session(base: str, pin: str = "000001", seconds: int = 60, **signing: Any) -> httpx.Response:
    body = {"holder": "doctor-1", "pin": pin, "seconds": seconds}
    return call(base, "POST", "/v1/sessions", body, **signing)


def sign(base: str, session: str, request_id: str = "r-1", **signing: Any) -> httpx.Response:
    body = {
        "request_id": request_id,
        "session": session,
        "digest_algorithm": "SHA-256",
        "digest": "ab" * 32,
    }
    return call(base, "POST", "/v1/signatures", body, **signing)


def test_the_right_pin_opens_a_session(service: str) -> None:
    answer = open_session(service)

    assert answer.status_code == 201
    assert set(answer.json()) == {"session", "holder", "expires_at"}


def test_a_wrong_pin_says_how_many_tries_are_left(service: str) -> None:
    answers = [open_session(service, "999999").json() for _ in range(5)]

    assert answers == [{"code": "WRONG_PIN", "left": left} for left in (4, 3, 2, 1)] + [
        {"code": "PIN_LOCKED"}
    ]


def test_a_locked_pin_stays_locked_until_somebody_unlocks_it(service: str) -> None:
    for _ in range(5):
        open_session(service, "999999")

    assert (open_session(service).status_code, open_session(service).json()) == (403, {"code": "PIN_LOCKED"})
    httpx.post(f"{service}/_test/holders/doctor-1/unlock", trust_env=False, verify=False)
    assert open_session(service).status_code == 201


def test_the_right_pin_forgives_the_wrong_ones(service: str) -> None:
    for _ in range(4):
        open_session(service, "999999")

    open_session(service)

    assert open_session(service, "999999").json() == {"code": "WRONG_PIN", "left": 4}


def test_a_session_ends_with_its_time(service: str) -> None:
    session = open_session(service, seconds=60).json()["session"]
    assert sign(service, session).status_code == 200

    move_clock(service, 61)

    assert sign(service, session, "r-2", seconds_off=61).json() == {"code": "NO_SESSION"}


def test_a_session_ends_when_it_is_deleted(service: str, session: str) -> None:
    assert call(service, "DELETE", f"/v1/sessions/{session}").status_code == 204

    assert sign(service, session).json() == {"code": "NO_SESSION"}
    assert call(service, "DELETE", "/v1/sessions/unheard-of").status_code == 404


@pytest.mark.parametrize(
    ("verb", "code"), [("revoke", "CERTIFICATE_REVOKED"), ("expire", "CERTIFICATE_EXPIRED")]
)
def test_a_certificate_that_is_not_valid_neither_signs_nor_opens_a_session(
    service: str, session: str, verb: str, code: str
) -> None:
    httpx.post(f"{service}/_test/holders/doctor-1/{verb}", trust_env=False, verify=False)

    assert (sign(service, session).status_code, sign(service, session).json()) == (403, {"code": code})
    assert open_session(service).json() == {"code": code}
    httpx.post(f"{service}/_test/holders/doctor-1/renew", trust_env=False, verify=False)
    assert sign(service, session).status_code == 200


def test_an_unknown_holder_is_not_found(service: str) -> None:
    answer = call(service, "POST", "/v1/sessions", {"holder": "nobody", "pin": "1", "seconds": 1})

    assert (answer.status_code, answer.json()) == (404, {"code": "NOT_FOUND"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"holder": "doctor-1", "pin": "000001"}, "seconds"),
        ({"holder": "doctor-1", "pin": "000001", "seconds": 0}, "seconds"),
        ({"holder": "doctor-1", "pin": "000001", "seconds": 1e99}, "seconds"),
        ({"holder": ["doctor-1"], "pin": "000001", "seconds": 5}, "holder"),
    ],
)
def test_a_malformed_session_request_names_the_field(service: str, body: Any, field: str) -> None:
    answer = call(service, "POST", "/v1/sessions", body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_unsigned_request_is_refused_everywhere_but_on_the_public_routes(service: str) -> None:
    for path in ("/v1/holders/doctor-1", "/v1/sessions/x"):
        method = "DELETE" if "sessions" in path else "GET"
        assert httpx.request(method, service + path, trust_env=False, verify=False).status_code == 401
    for path in ("root.pem", "issuing.pem", "tsa.pem", "crl.der"):
        assert httpx.get(f"{service}/v1/{path}", trust_env=False, verify=False).status_code == 200


def test_a_ca_that_is_down_answers_503(service: str) -> None:
    faults(service, down=True)

    assert open_session(service).status_code == 503
    assert httpx.get(f"{service}/v1/root.pem", trust_env=False, verify=False).status_code == 503
    assert httpx.get(f"{service}/healthz", trust_env=False, verify=False).status_code == 200
