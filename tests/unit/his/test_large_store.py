"""A large hospital makes a resident's resources when they are asked for: the same ones, found by the same questions."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulators.his import query
from simulators.his.load import Limits, Stopped, open_store
from simulators.his.outcomes import Refusal
from simulators.his.search import search
from simulators.his.store import Store
from simulators.his.world import WorldError
from standalone.people import make_world

TODAY = date(2026, 11, 22)
LARGE = Limits(whole=0, most=1_000)
KINDS = (
    "AllergyIntolerance", "Encounter", "Condition", "DocumentReference", "MedicationRequest", "DiagnosticReport",
    "Observation",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, "s", 11, today=TODAY)
    return folder


@pytest.fixture(scope="module")
def people(world: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((world / "residents.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(world, tmp_path_factory.mktemp("whole"))
    yield store
    store.close()


@pytest.fixture
def large(world: Path, tmp_path: Path) -> Iterator[Store]:
    store = open_store(world, tmp_path, limits=LARGE)
    yield store
    store.close()


def found(store: Store, kind: str, question: str) -> list[bytes]:
    rows = search(store, query.read(kind, query.pairs_of(question), strict=True))
    bodies = store.bodies(rows)
    return [bodies[row] for row in rows]


def questions(people: list[dict[str, Any]], random: Random) -> Iterator[tuple[str, str]]:
    """Everything that an index answers, about people drawn at random."""
    for one in random.sample(people, 60):
        yield "Patient", f"identifier=urn:oid:2.16.156.10011.1.3|{one['id_number']}"
        yield "Patient", f"identifier={one['id']}"
        yield "Patient", f"name={one['name']}"
        yield "Patient", f"name={one['name'][1:]}"
        yield "Patient", f"name={one['name'][0]}&birthdate={one['birth_date']}"
        yield "Patient", f"birthdate=ge{one['birth_date']}&birthdate=le{one['birth_date']}"
        yield "Patient", f"phone={one['phone']}"
        yield "Patient", f"_id={one['id']},P9{one['id'][2:]}"
        for former in one.get("former_ids", []):
            yield "Patient", f"link=Patient/{former}"
            yield "Encounter", f"patient={former}"
        for kind in KINDS:
            yield kind, f"patient={one['id']}"
        for visit in one.get("visits", []):
            yield "Encounter", f"identifier={visit['id']}"
            yield "Encounter", f"date={visit['date']}"
            yield "Encounter", f"patient={one['id']}&date=ge{visit['date']}"
            yield "Condition", f"encounter=Encounter/{visit['id']}"
            yield "Condition", f"_id={visit['id']}-1"
            yield "MedicationRequest", f"encounter={visit['id']}&authoredon={visit['date']}"
            for report in visit.get("reports", []):
                yield "DiagnosticReport", f"identifier={report['id']}"
                yield "Observation", f"date={report['date']}"


def test_it_finds_what_a_store_with_everything_in_it_finds(
    whole: Store, large: Store, people: list[dict[str, Any]]
) -> None:
    asked = 0
    for kind, question in questions(people, Random(1)):
        assert found(large, kind, question) == found(whole, kind, question), (kind, question)
        asked += 1

    assert asked > 800


def test_everybody_is_the_same_in_whatever_order_they_are_asked_for(
    world: Path, tmp_path: Path, people: list[dict[str, Any]]
) -> None:
    stores = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        store = open_store(world, folder, limits=LARGE)
        for one in Random(seed).sample(people, 200):
            assert store.get("Patient", one["id"]) is not None
        stores.append(store)

    for kind in ("Patient", *KINDS):
        assert found(stores[0], kind, "") == found(stores[1], kind, ""), kind
    for store in stores:
        store.close()


def test_a_question_leaves_nothing_behind(large: Store, people: list[dict[str, Any]]) -> None:
    for one in people[:50]:
        assert large.get("Patient", one["id"]) is not None
        assert found(large, "Condition", f"patient={one['id']}") is not None

    assert large.get("Encounter", "V99999999") is None
    assert large.of_type("Patient") == []


def test_what_replaces_a_record_of_the_hospital_stands_in_its_place(
    whole: Store, large: Store, people: list[dict[str, Any]]
) -> None:
    one = next(one for one in people[100:] if len(one.get("visits", [])) > 1)
    visit = one["visits"][0]["id"]
    before = large.get("Encounter", visit)
    assert before is not None

    after = large.replace(before, {**before.resource(), "status": "cancelled"}, "2026-11-22T10:00:00.000+08:00", own=True)  # fmt: skip

    assert (after.row, after.version) == (before.row, 2)
    assert large.get("Encounter", visit) == after
    assert large.get_version("Encounter", visit, 1) == before.body
    for kind in ("Patient", *KINDS):
        rest = [row for row, _ in whole.of_patients(kind, [one["id"]])]
        assert len(large.of_patients(kind, [one["id"]])) == len(rest)
    statuses = [json.loads(body)["status"] for body in found(large, "Encounter", f"patient={one['id']}")]
    assert statuses[0] == "cancelled"
    assert found(large, "Encounter", f"patient={one['id']}&status=cancelled")[0] == after.body


def test_an_identifier_is_known_as_a_whole(large: Store, people: list[dict[str, Any]]) -> None:
    assert large.knows("Patient", people[5]["id_number"])
    assert large.knows("Patient", people[5]["id"])
    assert not large.knows("Patient", f"{people[5]['id']}-1")
    assert large.knows("Practitioner", "D01")


def test_what_was_written_is_there_after_a_restart_beside_what_is_made_again(
    world: Path, tmp_path: Path, people: list[dict[str, Any]]
) -> None:
    number = people[20]["id"]
    written = {"resourceType": "Invoice", "id": "i1", "subject": {"reference": f"Patient/{number}"}}
    store = open_store(world, tmp_path, limits=LARGE)
    before = found(store, "Encounter", f"patient={number}")
    row = store.add(written, "2026-11-22T10:00:00.000+08:00").row
    store.close()

    again = open_store(world, tmp_path, limits=LARGE)

    assert found(again, "Encounter", f"patient={number}") == before
    assert [json.loads(one)["id"] for one in found(again, "Invoice", f"patient={number}")] == ["i1"]
    assert row > len(people) * 10_000
    again.close()


def test_a_search_that_may_concern_too_many_is_refused(world: Path, tmp_path: Path) -> None:
    store = open_store(world, tmp_path, limits=Limits(whole=0, most=20))

    for kind, question in (
        ("Patient", "gender=male"),
        ("Encounter", "status=finished"),
        ("Patient", "name=王,李,张"),
    ):
        with pytest.raises(Refusal) as refused:
            found(store, kind, question)
        assert refused.value.issues[0].code == "too-costly"
    assert found(store, "Invoice", "status=issued") == []
    assert len(found(store, "Practitioner", "")) > 20
    store.close()


def test_a_small_world_is_loaded_whole(world: Path, tmp_path: Path) -> None:
    open_store(world, tmp_path).close()

    assert [path.suffix for path in tmp_path.glob("his-*")] == [".sqlite"]
    assert not list(tmp_path.glob("*-archive*"))


@pytest.mark.parametrize(
    ("text", "named"),
    [("[\n{}\n]\n", "byte 2"), ("[\n{\n", "byte 2"), ("[\n%s,\n%s\n]\n", "twice")],
    ids=["no resident", "half a resident", "somebody twice"],
)
def test_an_index_is_not_made_of_what_cannot_be_read(
    world: Path, tmp_path: Path, people: list[dict[str, Any]], text: str, named: str
) -> None:
    broken = tmp_path / "world"
    broken.mkdir()
    for path in world.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    one = json.dumps(people[0], ensure_ascii=False)
    (broken / "residents.json").write_text(text.replace("%s", one), encoding="utf-8")

    with pytest.raises(WorldError, match=named):
        open_store(broken, tmp_path, limits=LARGE)

    assert list(tmp_path.glob("*.sqlite")) == []


def test_indexing_is_given_up_when_the_process_is_to_end(world: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        open_store(world, tmp_path, lambda: True, LARGE)

    assert list(tmp_path.glob("*.sqlite")) == []
