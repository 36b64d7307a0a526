"""Which fields of a request a line lets in, and when: what it does not name is refused by name, and nothing is forwarded."""

import copy
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import his
from foundation.clock import LOCAL, Clock
from foundation.tls import client_context
from front_gateway.__main__ import main
from front_gateway.explaining import explain
from front_gateway.policy.hours import DAYS, hours
from front_gateway.policy.let_in import kept_out, let_in
from front_gateway.policy.reading import DEFAULT, Policy, parse_policy, read_policy
from front_gateway.refusals import BadTarget
from front_gateway.targets import split_target
from standalone.certificates import Certificates
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running, gateway

Caller = Callable[[str], httpx.Client]
Ask = Callable[..., httpx.Response]
SHIPPED = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
SLOTS = {"purpose": "schedule", "department_code": "03", "first": "2026-11-22", "last": "2026-11-23"}


def changed(name: str, **values: Any) -> dict[str, Any]:
    raw: dict[str, Any] = copy.deepcopy(SHIPPED)
    next(one for one in raw["entry"] if one["name"] == name).update(values)
    return raw


@pytest.fixture
def policy() -> Policy:
    """Schedules without a doctor's code, and a platform that may be asked for a page."""
    raw = changed("slots", body=["department_code", "first", "last"])
    next(one for one in raw["entry"] if one["name"] == "platform-shanghai")["query"] = ["page", "from"]
    return parse_policy(raw)


def test_a_field_that_the_line_does_not_let_in_is_refused_by_name(running: Running, caller: Caller) -> None:
    reply = caller("backend-worker").post("/his/v1/slots", json={**SLOTS, "practitioner_code": "d1"})

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert [issue["field"] for issue in reply.json()["issues"]] == ["practitioner_code"]
    assert running.audit()[-1]["reason"] == "body field not let in: practitioner_code"
    assert running.hospital.seen == []


def test_what_it_lets_in_passes(running: Running, caller: Caller) -> None:
    running.hospital.on("*", fhir.bundle())

    assert caller("backend-worker").post("/his/v1/slots", json=SLOTS).status_code == 200


def test_a_listed_query_passes_as_it_is(running: Running, caller: Caller) -> None:
    running.city.on("*", b"{}")

    reply = caller("adapter").post("/shanghai/api?page=2&from=2026-11-22", content=b"x")

    assert reply.status_code == 200
    assert [one.target for one in running.city.seen] == ["/shanghai/api?page=2&from=2026-11-22"]


@pytest.mark.parametrize("path", ["/shanghai/api?page=2&debug=1", "/openapi/api?page=2"])
def test_a_query_field_that_the_line_does_not_name_is_refused(
    running: Running, caller: Caller, path: str
) -> None:
    reply = caller("adapter").post(path, content=b"x")

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert reply.json()["issues"][0]["field"] in ("debug", "page")
    assert running.city.seen == []


@pytest.mark.parametrize(
    "query", ["", "page", "page=%31", "page=1&page=2", "page=1&&from=2", "page=1#x", "page=a b", "=1", "page=1;from=2",
              "p\u00e4ge=1", "page=" + "1" * 600],
)  # fmt: skip
def test_a_query_that_is_not_plain_is_refused(query: str) -> None:
    with pytest.raises(BadTarget):
        split_target(f"/shanghai/api?{query}")


def test_outside_its_hours_a_line_is_closed(certificates: Certificates, tmp_path: Path) -> None:
    clock = Clock()
    now = clock.now().astimezone(LOCAL)
    ten = now.replace(hour=10, minute=0, second=0)
    clock.shift(ten - now)
    with gateway(
        parse_policy(changed("platform-shanghai", hours="07:00-22:00")), certificates, tmp_path, clock=clock
    ) as up:
        up.city.on("*", b"{}")
        pair = certificates.hospital["adapter"]
        tls = client_context(pair.certificate, pair.key, certificates.hospital.root)
        with httpx.Client(base_url=f"https://127.0.0.1:{up.port}", verify=tls) as adapter:
            by_day = adapter.post("/shanghai/api", content=b"x")
            clock.shift(ten - now + timedelta(hours=13))
            by_night = adapter.post("/shanghai/api", content=b"x")
            always = adapter.post("/openapi/api", content=b"x")

        assert (by_day.status_code, by_night.status_code, always.status_code) == (200, 403, 200)
        assert up.audit()[1]["reason"] == "outside the line's hours"
        assert len(up.city.seen) == 2


moments = st.integers(1_767_225_600, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
minutes = st.integers(0, 24 * 60 - 1)


@given(moments, minutes, minutes, st.lists(st.sampled_from(DAYS), unique=True))
def test_a_span_and_its_opposite_are_never_open_together(
    moment: datetime, begin: int, end: int, days: list[str]
) -> None:
    if begin == end:
        return
    span, opposite = (
        f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in ((begin, end), (end, begin))
    )
    one, other, whole = hours(span, []), hours(opposite, []), hours(span, days)
    assert one is not None
    assert other is not None
    assert whole is not None
    assert one.open_at(moment) != other.open_at(moment)
    assert one.open_at(moment) or not whole.open_at(moment)


@pytest.mark.parametrize(
    ("at", "open_"),
    [("2026-11-23T22:30", True), ("2026-11-24T05:59", True), ("2026-11-24T06:00", False), ("2026-11-24T22:30", False),
     ("2026-11-23T05:00", False)],
)  # fmt: skip
def test_a_span_over_midnight_belongs_to_the_day_it_began_on(at: str, open_: bool) -> None:
    monday_night = hours("22:00-06:00", ["mon"])

    assert monday_night is not None
    assert monday_night.open_at(datetime.fromisoformat(at).replace(tzinfo=LOCAL)) is open_


def test_parts_of_a_part_are_named_with_their_path() -> None:
    names = [name for name in his.WriteRecord.__struct_fields__ if name not in ("purpose", "diagnoses")]
    plan = let_in(his.WriteRecord, [*names, "diagnoses.code"])

    assert kept_out(
        plan, b'{"purpose":"write_back","diagnoses":[{"code":"I10","name":"x"},{"name":"y"}]}'
    ) == ["diagnoses.name"]
    assert kept_out(plan, b"no json") == []


def test_explain_judges_the_time_and_the_body(policy: Policy) -> None:
    asked: dict[str, Any] = {
        "caller": "backend-worker",
        "address": "127.0.0.1",
        "method": "POST",
        "path": "/his/v1/slots",
    }
    night = parse_policy(changed("slots", hours="07:00-22:00", days=["mon", "tue", "wed", "thu", "fri"]))
    late = datetime(2026, 11, 23, 23, 0, tzinfo=LOCAL)

    outside = b'{"purpose":"schedule","department_code":"03","first":"2026-11-22","last":"2026-11-23","practitioner_code":"d1"}'
    assert (
        explain(policy, **asked, body=outside)[1]
        == "403 not_listed: body field not let in: practitioner_code"
    )
    closed, why = explain(night, **asked, at=late)
    assert not closed
    assert why.startswith("403 not_listed: outside the hours of entry 'slots'")
    passes, words = explain(night, **asked, at=late - timedelta(hours=2))
    assert passes
    assert "hours      07:00-22:00, mon, tue, wed, thu, fri (Asia/Shanghai)" in words


def test_the_command_takes_a_body_and_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"purpose":"schedule"}', encoding="utf-8")
    command = ["explain", "--caller", "backend-worker", "--method", "post", "--path", "/his/v1/slots"]

    assert main([*command, "--at", "2026-11-23T23:00"]) == 0
    assert main([*command, "--body", f"@{body}"]) == 1
    assert "422 invalid" in capsys.readouterr().out


def test_the_shipped_lines_name_what_they_let_in() -> None:
    for entry in read_policy(DEFAULT).entries:
        assert entry.text.target.value in ("city", "store") or entry.let_in is not None, entry.name
