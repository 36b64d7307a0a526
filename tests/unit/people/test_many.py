"""A million people come in chunks, from several processes, and are one hospital's for all that."""

import json
from random import Random
from typing import Any

import pytest

from standalone.people.catalogue import load
from standalone.people.id_numbers import IdNumbers
from standalone.people.many import CHUNK, Birth, Chunk, Crowd, chunks
from standalone.people.residents import born
from tests.unit.people.conftest import TODAY

DEPARTMENTS = ("0310", "0403", "0500", "0700", "1300")


def births(number: int) -> list[Birth]:
    random = Random(3)
    ids = IdNumbers(Random(4))
    return [born(random, ids, TODAY) for _ in range(number)]


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    """Two chunks and a piece of a third."""
    return Crowd(9, TODAY, {code: ["D01"] for code in DEPARTMENTS}, 40, births(2 * CHUNK + 500), 7)


@pytest.fixture(scope="module")
def made(crowd: Crowd) -> list[Chunk]:
    return list(chunks(crowd, processes=1))


def people(made: list[Chunk]) -> list[dict[str, Any]]:
    return [one for chunk in made for one in json.loads(b"[%s]" % chunk.residents)]


def test_several_processes_make_what_one_makes(crowd: Crowd, made: list[Chunk]) -> None:
    assert list(chunks(crowd, processes=2)) == made


def test_a_chunk_does_not_hang_on_what_was_made_before_it(crowd: Crowd, made: list[Chunk]) -> None:
    assert crowd.chunk(1) == made[1]


def test_nobody_shares_a_number_and_no_paper_does(crowd: Crowd, made: list[Chunk]) -> None:
    found = people(made)
    visits = [visit for one in found for visit in one.get("visits", [])]
    papers = [paper["id"] for visit in visits for paper in (visit, *visit.get("prescriptions", []), *visit.get("reports", []))]  # fmt: skip

    assert [one["id"] for one in found] == [f"P{place:07d}" for place in range(40, 40 + len(crowd.births))]
    assert len({one["id_number"] for one in found}) == len(found)
    assert len(set(papers)) == len(papers) > len(found)
    assert min(one["id"] for one in visits) > "V00100000"  # below are those of the persons with a story
    assert all(len(paper) == 9 for paper in papers)


def test_identities_and_those_for_load_tests_are_of_these_people(made: list[Chunk]) -> None:
    found = {one["id_number"]: one["name"] for one in people(made)}
    identities = [one for chunk in made for one in json.loads(b"[%s]" % chunk.identities)]

    assert {one["id_number"]: one["name"] for one in identities} == found
    assert [len(chunk.picked) for chunk in made] == [7, 7, 7]
    assert all(found[one.id_number] == one.name for chunk in made for one in chunk.picked)


def test_a_process_ends_when_nobody_wants_the_rest(crowd: Crowd) -> None:
    several = chunks(crowd, processes=2)
    next(several)

    several.close()  # waits for both: a worker that did not notice would hang here


def test_a_million_people_find_an_identity_number_each() -> None:
    """A busy birthday has 28 of each sex, there are 48 numbers for it; one full day must not stop the rest."""
    ids = IdNumbers(Random(1))
    day, _, _ = births(1)[0]

    given = [ids.new(day, "1") for _ in range(49)]

    assert len(set(given)) == 49
    assert given[-1] is None
    assert ids.new(day, "2") is not None


def test_diagnoses_are_of_the_catalogue(made: list[Chunk]) -> None:
    known = {row.code for row in load().diagnoses}
    codes = {entry["code"] for one in people(made) for visit in one.get("visits", []) for entry in visit["diagnoses"]}  # fmt: skip

    assert codes - {""} <= known
    assert len(codes) > 20
