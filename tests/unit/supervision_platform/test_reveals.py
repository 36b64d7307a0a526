"""A person in the clear: one asks, another decides, minutes pass; and the trail in which every look stands."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from simulators.supervision.console.masking import is_personal, mask_record
from simulators.supervision.oversight import trail
from simulators.supervision.settings import Supervisor
from tests.unit.supervision_platform.at_the_console import ORDER, SECOND, lines, send_a_visit, signed_in
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital
from tests.unit.supervision_platform.tianjin_records import CHILD, PATIENT


@pytest.fixture
def first(shanghai: Platform) -> Iterator[httpx.Client]:
    send_a_visit(shanghai)
    with signed_in(shanghai) as client:
        yield client


@pytest.fixture
def second(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai, SECOND) as client:
        yield client


def asked(client: httpx.Client) -> str:
    return client.post("/visits/V-1/reveals", data=ORDER).url.path


def test_another_supervisor_grants_and_then_the_first_may_look(
    first: httpx.Client, second: httpx.Client
) -> None:
    path = asked(first)
    assert first.post(f"{path}/look").status_code == 403

    second.post(f"{path}/decision", data={"decision": "grant", "note": "同意"})
    shown = first.post(f"{path}/look")

    assert shown.status_code == 200
    for text in ("王小丽", PATIENT, "19900000001", "1980-01-01"):
        assert text in shown.text
    actions = [line["action"] for line in lines(first)]
    assert actions == ["reveal.ask", "reveal.look_refused", "reveal.grant", "reveal.look"]


def test_who_looked_for_the_patient_is_a_person_and_revealed_like_one(
    first: httpx.Client, second: httpx.Client, shanghai: Platform
) -> None:
    hospital = Hospital(number=8, streams={"V-1": 5})
    looked = hospital.viewed(viewerId="P-9", viewerType="3", viewerName="陈大山", viewerCertID=CHILD)
    assert shanghai.send("uploadRecordView", [looked])["body"]["msgCode"] == 200
    assert "陈大山" not in first.get("/visits/V-1").text
    path = asked(first)
    second.post(f"{path}/decision", data={"decision": "grant"})

    shown = first.post(f"{path}/look").text

    assert "浏览人姓名" in shown
    assert "陈大山" in shown
    assert CHILD in shown


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("1", "林医生"), ("2", "林医生"), ("3", "林*"), ("4", "林医生"), ("5", "林医生"), (None, "林*")],
)
def test_only_a_member_of_the_staff_keeps_her_name_as_a_viewer(kind: str | None, shown: str) -> None:
    masked = mask_record("uploadRecordView", {"viewerType": kind, "viewerName": "林医生"})

    assert masked["viewerName"] == shown


def test_nobody_grants_her_own_request(first: httpx.Client) -> None:
    path = asked(first)

    refused = first.post(f"{path}/decision", data={"decision": "grant"})

    assert refused.status_code == 403
    assert first.post(f"{path}/look").status_code == 403
    assert "reveal.refused" in [line["action"] for line in lines(first)]


def test_the_table_itself_refuses_one_pair_of_eyes(first: httpx.Client, strict_platform: Running) -> None:
    asked(first)

    with pytest.raises(sqlite3.IntegrityError), strict_platform.database.transaction() as connection:
        connection.execute("UPDATE reveals SET decided_login = login, granted = 1")


def test_she_who_granted_may_not_look(first: httpx.Client, second: httpx.Client) -> None:
    path = asked(first)
    second.post(f"{path}/decision", data={"decision": "grant"})

    refused = second.post(f"{path}/look")

    assert refused.status_code == 403
    assert "王小丽" not in refused.text


def test_a_permission_is_over_after_a_quarter_of_an_hour(
    first: httpx.Client, second: httpx.Client, shanghai: Platform
) -> None:
    path = asked(first)
    second.post(f"{path}/decision", data={"decision": "grant"})

    shanghai.move_clock(15 * 60 + 1)

    assert first.post(f"{path}/look").status_code == 403
    assert "已到期" in first.get(path).text


def test_a_request_nobody_decided_is_over_after_a_day(first: httpx.Client, shanghai: Platform) -> None:
    path = asked(first)
    shanghai.move_clock(24 * 3600 + 1)

    with signed_in(shanghai, SECOND) as second:
        assert second.post(f"{path}/decision", data={"decision": "grant"}).status_code == 403


def test_a_refusal_is_final(first: httpx.Client, second: httpx.Client) -> None:
    path = asked(first)
    second.post(f"{path}/decision", data={"decision": "refuse", "note": "文书号不对"})

    assert second.post(f"{path}/decision", data={"decision": "grant"}).status_code == 403
    assert first.post(f"{path}/look").status_code == 403
    assert "文书号不对" in first.get(path).text


def test_asking_twice_is_one_request(first: httpx.Client) -> None:
    assert asked(first) == asked(first)


@pytest.mark.parametrize("missing", ["authority", "reason"])
def test_without_order_or_reason_nothing_is_asked(first: httpx.Client, missing: str) -> None:
    assert first.post("/visits/V-1/reveals", data=ORDER | {missing: ""}).status_code == 422
    assert "还没有申请" in first.get("/reveals").text


def test_a_look_is_no_link(first: httpx.Client, second: httpx.Client) -> None:
    path = asked(first)
    second.post(f"{path}/decision", data={"decision": "grant"})

    assert first.get(f"{path}/look").status_code == 405


def test_the_trail_takes_no_change_and_loses_no_line(first: httpx.Client, strict_platform: Running) -> None:
    first.get("/visits/V-1")

    for statement in ("UPDATE trail SET name = 'x'", "DELETE FROM trail"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="append only"),
            strict_platform.database.transaction() as one,
        ):
            one.execute(statement)


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE trail SET name = 'x' WHERE number = 2",
        "DELETE FROM trail WHERE number = 2",
        "UPDATE trail SET detail = '{}' WHERE number = 2",
        "UPDATE trail SET at = '2020-01-01T00:00:00.000Z' WHERE number = 2",
    ],
)
def test_a_forged_line_is_found(first: httpx.Client, strict_platform: Running, forged: str) -> None:
    for path in ("/visits/V-1", "/records/1", "/records/2"):
        first.get(path)
    assert "全部相接" in first.get("/trail").text

    with strict_platform.database.transaction() as connection:
        connection.execute("DROP TRIGGER trail_never_changes")
        connection.execute("DROP TRIGGER trail_never_shrinks")
        connection.execute(forged)
    strict_platform.database.make_tables()

    assert "留痕被改动过" in first.get("/trail").text
    assert first.get("/trail.json").json()["checked"]["broken"] in (2, 3)


def test_a_long_trail_is_checked_at_its_end_and_from_its_beginning_on_demand(
    first: httpx.Client, strict_platform: Running
) -> None:
    who = Supervisor("supervisor", "监管员", "")
    with strict_platform.database.transaction() as connection:
        for number in range(1, 1101):
            trail.write(
                connection, datetime(2026, 11, 23, tzinfo=UTC), who, "visit.view", f"visit V-{number}"
            )
    with strict_platform.database.transaction() as connection:
        connection.execute("DROP TRIGGER trail_never_changes")
        connection.execute("UPDATE trail SET name = 'x' WHERE number = 7")
    strict_platform.database.make_tables()

    near, whole = (first.get("/trail.json", params=query).json()["checked"] for query in ({}, {"whole": "1"}))

    assert (near["first"], near["lines"], near["broken"]) == (102, 1101, None)
    assert (whole["first"], whole["broken"]) == (1, 7)


@pytest.mark.parametrize(
    "key", ["patientName", "patientCertID", "mobile", "guardianMobile", "birthDate", "certNo"]
)
def test_what_the_stars_hide_is_a_persons(key: str) -> None:
    assert is_personal("uploadBooking", key, {})


@pytest.mark.parametrize(
    "key", ["doctorName", "doctorCertID", "auditDoctorCertID", "icdName", "description", "deptName"]
)
def test_staff_and_what_was_said_are_not_revealed(key: str) -> None:
    assert not is_personal("uploadPrescription", key, {})
