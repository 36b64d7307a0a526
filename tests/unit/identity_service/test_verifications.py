import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.identity.app import create_app, declared_faults
from simulators.identity.register import load
from simulators.identity.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import call, faults, move_clock


def ask(base: str, name: str, id_number: str, request_id: str = "r-1") -> httpx.Response:
    return call(
        base, "POST", "/v1/verifications", {"request_id": request_id, "name": name, "id_number": id_number}
    )


@pytest.mark.parametrize(
    ("name", "id_number", "result"),
    [
        ("张小明", "310114198001010018", "match"),
        ("李小明", "310114198001010018", "mismatch"),
        ("张小明", "310114198001010026", "not_found"),
        ("阿依古丽•买买提", "31011419900202002x", "match"),
    ],
)
def test_a_name_is_compared_with_the_register(service: str, name: str, id_number: str, result: str) -> None:
    answer = ask(service, name, id_number)

    assert answer.status_code == 200
    assert set(answer.json()) == {"request_id", "serial", "result", "checked_at"}
    assert answer.json()["result"] == result
    assert datetime.fromisoformat(answer.json()["checked_at"]).utcoffset() == timedelta(hours=8)


def test_the_same_request_id_gets_the_same_answer(service: str) -> None:
    first = ask(service, "张小明", "310114198001010018")

    assert ask(service, "张小明", "310114198001010018").json() == first.json()
    assert ask(service, "张小明", "310114198001010018", "r-2").json()["serial"] != first.json()["serial"]


def test_an_answer_survives_a_restart(environment: dict[str, str]) -> None:
    serials = []
    for _ in range(2):
        settings = read(Reader(environment))
        app = create_app(settings, load(settings.world), Clock(), declared_faults())
        with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
            serials.append(ask(base, "张小明", "310114198001010018").json()["serial"])

    assert serials[0] == serials[1]


def test_a_request_id_cannot_ask_about_somebody_else(service: str) -> None:
    ask(service, "张小明", "310114198001010018")

    again = ask(service, "李小明", "310114198001010018")

    assert (again.status_code, again.json()["code"]) == (409, "REQUEST_ID_USED")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b"\xff\xfe", ""),
        ({"request_id": "r", "name": "张"}, "id_number"),
        ({"request_id": "r", "name": 7, "id_number": "310114198001010018"}, "name"),
        ({"request_id": "r", "name": "", "id_number": "310114198001010018"}, "name"),
        ({"request_id": "r", "name": "张", "id_number": "31011419800101001"}, "id_number"),
        ({"request_id": "r", "name": "张", "id_number": "310114198001010018\n"}, "id_number"),
        ({"request_id": "r", "name": "张", "id_number": "310114198001010018", "age": 1}, "age"),
    ],
)
def test_a_malformed_body_is_refused_and_the_field_named(service: str, body: Any, field: str) -> None:
    answer = call(service, "POST", "/v1/verifications", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert answer.json().get("field", "") == field


def test_a_wrong_signature_is_refused(service: str) -> None:
    body = {"request_id": "r", "name": "张小明", "id_number": "310114198001010018"}

    for wrong in ({"secret": "other"}, {"key": "other"}, {"key": "钥匙"}):
        answer = call(service, "POST", "/v1/verifications", body, **wrong)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()) == (401, {"code": "BAD_SIGNATURE"})


def test_a_signature_covers_the_query(service: str) -> None:
    signed = call(service, "POST", "/v1/verifications?a=1", b"{}")
    elsewhere = httpx.post(
        f"{service}/v1/verifications?a=2",
        content=b"{}",
        headers=dict(signed.request.headers),
        trust_env=False,
    )

    assert signed.status_code == 400
    assert elsewhere.json() == {"code": "BAD_SIGNATURE"}


@pytest.mark.parametrize("seconds", [-310, 310])
def test_an_old_or_future_request_is_stale(service: str, seconds: int) -> None:
    answer = call(service, "POST", "/v1/verifications", b"{}", seconds_off=seconds)

    assert (answer.status_code, answer.json()) == (401, {"code": "STALE"})


def test_the_clock_of_the_service_decides_what_is_stale(service: str) -> None:
    move_clock(service, 3600)

    assert call(service, "POST", "/v1/verifications", b"{}").json() == {"code": "STALE"}
    assert call(service, "POST", "/v1/verifications", b"{}", seconds_off=3600).status_code == 400


def test_a_request_without_headers_is_refused(service: str) -> None:
    assert httpx.post(f"{service}/v1/verifications", trust_env=False, verify=False).status_code == 401


def test_faults_make_it_fail_as_a_real_one_does(service: str) -> None:
    faults(service, down=True)
    assert ask(service, "张小明", "310114198001010018").status_code == 503

    faults(service, garbage=True)
    garbage = ask(service, "张小明", "310114198001010018")
    assert garbage.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        garbage.json()

    faults(service)
    assert ask(service, "张小明", "310114198001010018").json()["result"] == "match"


def test_a_body_over_the_limit_is_refused(service: str) -> None:
    assert call(service, "POST", "/v1/verifications", b"x" * 1_000_001).status_code == 413


@pytest.mark.parametrize(
    ("name", "value"),
    [("IDENTITY_SECRET", ""), ("IDENTITY_WORLD", "missing.json"), ("PORT", "many")],
)
def test_a_wrong_setting_is_named_in_one_line(
    environment: dict[str, str],
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from simulators.identity.__main__ import main

    for key, text in {**environment, name: value}.items():
        monkeypatch.setenv(key, text)

    with pytest.raises(SystemExit) as ended:
        main()

    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert len(lines) == 1
    assert name in lines[0]


def test_a_world_that_cannot_be_read_is_named_in_one_line(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from simulators.identity.__main__ import main

    Path(environment["IDENTITY_WORLD"]).write_text('[{"name": "张"}]', encoding="utf-8")
    for key, text in environment.items():
        monkeypatch.setenv(key, text)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("IDENTITY_WORLD ")
