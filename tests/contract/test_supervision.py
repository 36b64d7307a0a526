"""The adapter's records before a city platform that shares no code with it, through a real gateway, all by mutual TLS."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from contracts.envelope import Envelope
from regulator_adapter import profiles
from standalone.certificates import Certificates
from tests.builders import events as b
from tests.contract import platforms
from tests.contract.platforms import SAMPLES, Adapter, Platform
from tests.contract.started import wait_until
from tests.unit.regulator_adapter.mapped import all_records

FEED = SAMPLES / "feed.json"
REQUESTS = sorted(SAMPLES.glob("*/*-request.json"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supervision")


@pytest.fixture(scope="module")
def city(folder: Path, certificates: Certificates) -> Iterator[Platform]:
    with platforms.platform(folder, certificates) as running:
        yield running


@pytest.fixture(scope="module")
def adapter(city: Platform, folder: Path, certificates: Certificates) -> Iterator[Adapter]:
    with (
        platforms.gateway(city, folder, certificates) as url,
        platforms.adapter(url, folder, certificates) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def feed(adapter: Adapter) -> b.Feed:
    """The hospital's numbering, which goes on from test to test; the samples are its first events."""
    envelopes = msgspec.json.decode(FEED.read_bytes(), type=list[Envelope])
    assert adapter.deliver(envelopes).status_code == 202
    adapter.settle()
    last = envelopes[-1]
    sequences: dict[str, int] = {}
    for envelope in envelopes:
        sequences[envelope.stream] = envelope.sequence
    return b.Feed(number=last.number, head=bytes.fromhex(last.head), sequences=sequences)


@pytest.mark.parametrize("request_file", REQUESTS, ids=lambda path: f"{path.parent.name}/{path.name[:-13]}")
def test_samples_are_what_the_mappings_make(request_file: Path) -> None:
    envelopes = msgspec.json.decode(FEED.read_bytes(), type=list[Envelope])
    made = {
        (stop.method, str(envelope.event_id), stop.number): record
        for envelope, stop, record, issues in all_records(envelopes)
        if not issues
    }
    sample = json.loads(request_file.read_text(encoding="utf-8"))

    assert made[request_file.parent.name, sample["event_id"], sample["number"]] == sample["record"]


def test_there_is_a_sample_of_every_record_that_an_event_leads_to() -> None:
    unused = {
        "uploadConsultIndicators"
    }  # health consultations are not in the sample feed; the unit tests have them
    names = ("tianjin-1.0", "shanghai")
    methods = {method for name in names for method in profiles.profile(name).methods}

    assert {path.parent.name for path in REQUESTS} == methods - unused


@pytest.mark.usefixtures("feed")
def test_every_record_is_accepted_and_no_number_is_missing(adapter: Adapter, city: Platform) -> None:
    figures, summary = adapter.figures(), city.summary()

    assert (figures["missing"], figures["parked"], figures["rejected"], figures["gaps"]) == (0, 0, 0, 0)
    counted = {
        method: line["accepted"] for lines in summary["profiles"].values() for method, line in lines.items()
    }
    assert counted == {line["method"]: line["accepted"] for line in figures["by_method"]}
    assert all(line["duplicates"] == 0 for lines in summary["profiles"].values() for line in lines.values())
    chain = summary["chain"]
    assert (chain["good"], chain["missing"], chain["broken"]) == (figures["last_number"], 0, 0)


@pytest.mark.usefixtures("feed")
def test_both_sides_stand_at_the_same_link_of_the_chain(adapter: Adapter, city: Platform) -> None:
    proof = command(adapter, "verify")

    assert proof.returncode == 0, proof.stderr
    assert json.loads(proof.stdout)["head"] == city.summary()["chain"]["head"]


def test_the_same_delivery_again_changes_nothing(adapter: Adapter, city: Platform, feed: b.Feed) -> None:
    envelopes = feed.envelopes([(f"person:{b.PATIENT.person_id}", b.identity_verified())])
    adapter.deliver(envelopes)
    before = adapter.settle()

    again = adapter.deliver(envelopes)

    assert again.status_code == 202
    assert again.json() == {"event_ids": [str(envelopes[0].event_id)]}
    assert adapter.settle() == before
    assert city.summary()["chain"]["seen"] == before["received"]


def test_a_consultation_and_an_evaluation_of_it_are_accepted(adapter: Adapter, feed: b.Feed) -> None:
    visit = b.a_visit(kind="consultation")
    stream = f"visit:{visit.appointment_id}"
    adapter.deliver(
        feed.envelopes(
            [
                (stream, b.appointment_booked(visit)),
                (stream, b.consultation_completed(visit)),
                (stream, b.evaluation_submitted(visit)),
            ]
        )
    )

    settled = adapter.settle()

    assert settled["missing"] == 0
    assert {line["method"]: line["accepted"] for line in settled["by_method"]}["uploadConsultIndicators"] == 1


def test_a_visit_of_a_child_is_accepted_with_her_guardian(adapter: Adapter, feed: b.Feed) -> None:
    visit, prescription = b.a_visit(b.CHILD, b.GUARDIAN), b.a_prescription()
    stream = f"visit:{visit.appointment_id}"
    adapter.deliver(
        feed.envelopes(
            [
                (stream, b.appointment_booked(visit)),
                (stream, b.encounter_started(visit)),
                (stream, b.prescription_signed(visit, prescription)),
                (stream, b.prescription_approved(visit, prescription)),
                (stream, b.encounter_completed(visit)),
                (stream, b.dispense_completed(visit, prescription)),
            ]
        )
    )

    assert adapter.settle()["missing"] == 0


def test_an_outage_of_the_platform_loses_and_doubles_nothing(
    adapter: Adapter, city: Platform, feed: b.Feed
) -> None:
    visits = [b.a_visit() for _ in range(5)]
    before = {name: dict(lines) for name, lines in city.summary()["profiles"].items()}
    city.faults(outage=True)
    try:
        adapter.deliver(
            feed.envelopes(
                [(f"visit:{visit.appointment_id}", b.appointment_booked(visit)) for visit in visits]
            )
        )
        wait_until(lambda: adapter.figures()["missing"] == 10, "ten records waiting")
    finally:
        city.faults()

    settled, after = adapter.settle(), city.summary()

    assert settled["missing"] == 0
    line = after["profiles"]["tianjin-1.0"]["uploadAppointRecord"]
    assert line["accepted"] == before["tianjin-1.0"]["uploadAppointRecord"]["accepted"] + 5
    assert line["duplicates"] == 0


def test_a_lost_answer_doubles_nothing_where_events_are_known_and_is_marked_where_not(
    tmp_path: Path, certificates: Certificates
) -> None:
    """Without a gateway: what a broken connection means is told to the adapter itself."""
    visit = b.a_visit()
    with (
        platforms.platform(tmp_path, certificates) as city,
        platforms.adapter(city.url, tmp_path, certificates, direct=True) as adapter,
    ):
        city.faults(lose_reply=True)
        try:
            adapter.deliver(
                b.Feed().envelopes([(f"visit:{visit.appointment_id}", b.appointment_booked(visit))])
            )
            wait_until(lambda: adapter.figures()["ambiguous"] == 1, "an answer lost")
        finally:
            city.faults()
        settled = adapter.settle()
        summary = city.summary()["profiles"]

    assert (settled["received"], settled["ambiguous"]) == (1, 1)
    assert summary["tianjin-1.0"]["uploadAppointRecord"]["duplicates"] <= 1
    assert summary["shanghai"]["uploadChainLink"]["accepted"] == 1


def test_a_stranger_may_not_deliver(adapter: Adapter, feed: b.Feed) -> None:
    reply = adapter.stranger.post("/events", content=b'{"events":[]}')

    assert reply.status_code == 403
    assert reply.json()["code"] == "forbidden"


def test_without_a_certificate_there_is_no_connection(adapter: Adapter) -> None:
    with (
        httpx.Client(base_url=adapter.relay.base_url, verify=False, timeout=5) as nobody,
        pytest.raises(httpx.TransportError),
    ):
        nobody.post("/events", content=b"{}")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"[]", 422, "invalid"),
        (b'{"events":[]}', 422, "invalid"),
        (b'{"events":[{}]}', 422, "invalid"),
        (b'{"events":[],"more":1}', 422, "invalid"),
        (b'"' + b"x" * 8_000_001 + b'"', 413, "too_large"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_delivery_is_refused(adapter: Adapter, body: bytes, status: int, code: str) -> None:
    reply = adapter.relay.post("/events", content=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_an_altered_event_is_refused_by_its_name(adapter: Adapter) -> None:
    envelope = b.Feed().envelope("person:1", b.identity_verified())
    altered = msgspec.structs.replace(envelope, digest="00" * 32)

    reply = adapter.deliver([altered])

    assert reply.status_code == 422
    assert str(envelope.event_id) in reply.json()["issues"][0]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/figures", 200), ("/submissions", 200),
        ("/submissions?state=parked", 200), ("/submissions?state=lost", 422), ("/submissions?event_id=7", 422),
        ("/submissions?colour=red", 422), ("/nowhere", 404),
    ],
)  # fmt: skip
def test_the_plain_port_answers(adapter: Adapter, path: str, status: int) -> None:
    assert adapter.health.get(path).status_code == status


def test_submissions_of_an_event_are_shown_without_its_content(adapter: Adapter, feed: b.Feed) -> None:
    envelope = feed.envelope(f"person:{b.PATIENT.person_id}", b.identity_verified())
    adapter.deliver([envelope])
    adapter.settle()

    reply = adapter.health.get("/submissions", params={"event_id": str(envelope.event_id)})

    [row] = reply.json()["submissions"]
    assert (row["state"], row["method"], row["label"]) == ("accepted", "uploadRealName", "平台已接收")
    assert row["receipt"].startswith("SH")
    assert b.PATIENT.name not in reply.text
    assert b.PATIENT.id_number not in reply.text


@pytest.mark.usefixtures("feed")
def test_the_log_has_no_person_in_it(adapter: Adapter) -> None:
    log = (adapter.folder / "adapter.log").read_text(encoding="utf-8")

    for secret in (b.PATIENT.name, b.PATIENT.id_number, b.PATIENT.phone):
        assert secret not in log


def test_a_missing_setting_is_one_line_and_status_2(adapter: Adapter) -> None:
    done = command(adapter, "serve", PLATFORM_IV="abc", ALLOWED_CALLERS="")

    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert "PLATFORM_IV" in done.stderr
    assert "ALLOWED_CALLERS" in done.stderr


def test_a_day_reconciles_on_the_command_line(adapter: Adapter, feed: b.Feed) -> None:
    adapter.settle()
    done = command(adapter, "reconcile", "--day", "2026-11-20")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["difference"] == 0


def test_a_day_without_adverse_events_is_signed_in_by_one_empty_list(
    adapter: Adapter, city: Platform, feed: b.Feed
) -> None:
    """The day before the first event of the feed; the process that serves sees the row that the command made."""
    before = city.summary()["profiles"]["tianjin-1.0"]["pushMedicalDispute"].get("sign_ins", 0)
    first = command(adapter, "backfill", "2026-11-19", "--by", "值班员")

    def signed_in() -> bool:
        return bool(city.summary()["sign_ins"])

    wait_until(signed_in, "the empty list arrived")
    wait_until(
        lambda: '"closed"' in command(adapter, "backfill", "2026-11-19").stdout, "its answer is written down"
    )

    assert first.returncode == 0, first.stderr
    assert city.summary()["profiles"]["tianjin-1.0"]["pushMedicalDispute"]["sign_ins"] == before + 1


def test_resubmitting_needs_a_record_that_waits_for_people(adapter: Adapter) -> None:
    unknown = command(adapter, "resubmit", str(b.HOSPITAL_ID), "--reason", "x")
    both = command(adapter, "resubmit", "--reason", "x")

    assert (unknown.returncode, both.returncode) == (1, 2)


def test_the_schema_is_what_the_models_say(adapter: Adapter) -> None:
    from alembic import command as alembic
    from alembic.util.exc import AutogenerateDiffsDetected

    from regulator_adapter.migrate import configuration

    try:
        alembic.check(configuration(adapter.environment["DATABASE_URL"]))
    except AutogenerateDiffsDetected as found:
        pytest.fail(str(found))


def command(adapter: Adapter, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """One of the adapter's commands, as a person would run it."""
    return subprocess.run(
        [sys.executable, "-m", "regulator_adapter", *arguments],
        cwd=adapter.folder, env=adapter.environment | settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
