"""What our own feed makes the city's rules see: nothing where all is in order, and what is wrong where something is."""

from collections.abc import Iterator
from dataclasses import replace as at_path
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from contracts import events as e
from contracts.envelope import Envelope
from simulators.server import Reader
from simulators.supervision.settings import read
from tests.builders import events as b
from tests.contract.platforms import ACCESS, SAMPLES, SAMPLES_BY_TABLE
from tests.unit.regulator_adapter.mapped import all_records
from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.arrivals import rules
from tests.unit.supervision_platform.conftest import Running, environment_in, start

PATHS = {"tianjin-1.0": "/openapi/api", "shanghai": "/shanghai/api"}
TABLES = ("city", "shanghai", "guangdong")
Made = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("city")
    environment = environment_in(folder, certificates.make(tmp_path_factory.mktemp("tls")))
    own = {"SUPERVISION_WORLD": str(SAMPLES / "world"), "SUPERVISION_UNIT_ID": ACCESS["UNIT_ID"]}
    yield from start(read(Reader(environment | own)))


def sent(folder: Path, table: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Profile, method and record of everything in a sample feed."""
    envelopes = msgspec.json.decode((folder / "feed.json").read_bytes(), type=list[Envelope])
    return [(stop.profile, stop.method, record) for _, stop, record, _ in all_records(envelopes, table)]


@pytest.mark.parametrize("table", ["city", "shanghai"])
def test_the_sample_feed_raises_nothing_at_the_platform(city: Running, table: str) -> None:
    platform = city.emptied()

    for profile, method, record in sent(SAMPLES, table):
        answer = at_path(platform, path=PATHS[profile]).result(method, [record])
        assert answer[0] == 200, (method, answer)

    assert platform.alerts() == []


@pytest.mark.parametrize("folder", [SAMPLES, SAMPLES_BY_TABLE], ids=lambda path: path.name)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("turned", [False, True])
def test_the_sample_feed_raises_nothing_in_either_order(folder: Path, table: str, turned: bool) -> None:
    arrivals = [(method, record) for _, method, record in sent(folder, table)]

    assert rules(arrivals[::-1] if turned else arrivals) == []


def seen(made: Made, table: str) -> list[str]:
    """The alerts that events raise once they are mapped; before them everybody is filed and verified."""
    filed = b.practitioner_changed()
    pharmacist = replace(filed, practitioner=b.PHARMACIST, kind="pharmacist", departments=[])
    known: Made = [("staff a", filed), ("staff b", pharmacist), ("person", b.identity_verified())]
    records = all_records(b.Feed().envelopes([*known, *made]), table)
    assert [issue for *_, issues in records for issue in issues] == []
    return sorted(set(rules((stop.method, record) for _, stop, record, _ in records)))


def a_prescription(reason: str = "", **changes: Any) -> Made:
    """Signed and approved."""
    visit, written = b.a_visit(), b.a_prescription()
    written = replace(written, items=[replace(written.items[0], **changes)], reason=reason)
    return [
        ("visit", b.prescription_signed(visit, written)),
        ("visit", b.prescription_approved(visit, written)),
    ]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("reason", "days", "found"),
    [("病情稳定，外出工作", 84, []), ("", 84, ["long_supply"]), ("", 28, [])],
)
def test_a_long_supply_that_the_doctor_gave_a_reason_for_is_in_order(
    table: str, reason: str, days: int, found: list[str]
) -> None:
    assert seen(a_prescription(reason, days=days), table) == found


@pytest.mark.parametrize("table", TABLES)
def test_a_reason_for_something_else_is_kept_to_the_hospital(table: str) -> None:
    envelopes = b.Feed().envelopes(a_prescription("有过敏史，已询问", days=7))
    records = [record for _, stop, record, _ in all_records(envelopes, table) if stop.profile == "shanghai"]

    assert not any("overLimitReason" in record for record in records)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("damage", "found"), [("轻度", []), ("重度", ["severe_event"]), ("导致患者死亡", ["severe_event"])]
)
def test_a_severe_event_is_seen_wherever_it_is_reported(table: str, damage: str, found: list[str]) -> None:
    harmed = replace(b.adverse_event_reported(b.a_visit()), damage_degree=damage)

    assert seen([("event", harmed)], table) == found


@pytest.mark.parametrize("table", TABLES)
def test_a_complaint_says_until_when_the_hospital_answers(table: str) -> None:
    filed = b.complaint_filed(b.a_visit())
    promised = replace(filed, answer_by=filed.filed_at + timedelta(days=7))

    [(_, _, record, issues)] = all_records(b.Feed().envelopes([("complaint", promised)]), table)

    assert (record["deadline"], issues) == ("2026-11-27T10:00:00.000+08:00", [])


@pytest.mark.parametrize("table", TABLES)
def test_a_visit_rests_on_the_decision_it_names(table: str) -> None:
    decided, visit = b.eligibility_decided(), b.a_visit()
    on_it: Made = [("visit", b.encounter_started(replace(visit, eligibility_id=decided.decision_id)))]
    on_another: Made = [("visit", b.encounter_started(replace(visit, eligibility_id=visit.appointment_id)))]
    named: list[str] = [] if table == "guangdong" else ["no_evidence"]  # its table has no column for it

    assert seen([("person 2", decided), *on_it], table) == []
    assert seen([("person 2", decided), *on_another], table) == named


@pytest.mark.parametrize("table", ["city", "shanghai"])
def test_a_doctor_who_starts_without_confirming_is_seen(table: str) -> None:
    started: e.EncounterStarted = b.encounter_started(b.a_visit())
    unconfirmed = replace(started, follow_up_confirmed=False)

    assert seen([("person 2", b.eligibility_decided()), ("visit", unconfirmed)], table) == ["first_visit"]
