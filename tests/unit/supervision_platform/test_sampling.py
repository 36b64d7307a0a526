"""Samples that anybody can draw again, written down before anybody sees them."""

import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.supervision.oversight.sampling import KINDS, pick, record_of
from tests.unit.supervision_platform.at_the_console import lines, send_a_visit, signed_in
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital

DRAW = {"kind": "visits", "wanted": "3", "seed": "2026-11-23 第一次", "reason": "季度抽查", "scope": ""}
numbers = st.sets(st.text(min_size=1, max_size=8), max_size=30)


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


def send_visits(shanghai: Platform, hospital: Hospital, first: int, last: int) -> None:
    shanghai.send("uploadFollowUp", [hospital.started(f"V-{one}") for one in range(first, last)])


@given(numbers, st.text(min_size=4, max_size=12), st.integers(1, 30))
def test_a_sample_depends_on_seed_and_population_alone(population: set[str], seed: str, wanted: int) -> None:
    drawn = pick(seed, sorted(population), wanted)

    assert drawn == pick(seed, sorted(population, reverse=True), wanted)
    assert len(drawn) == len(set(drawn)) == min(wanted, len(population))
    assert set(drawn) <= population


@given(numbers, st.text(min_size=4, max_size=12))
def test_a_larger_sample_contains_the_smaller_one(population: set[str], seed: str) -> None:
    assert pick(seed, population, 3) == pick(seed, population, 9)[:3]


def test_an_inspector_with_paper_and_seed_draws_the_same(shanghai: Platform, browser: httpx.Client) -> None:
    send_visits(shanghai, Hospital(), 1, 9)

    path = browser.post("/samples", data=DRAW).url.path
    found = browser.get(f"{path}.json").json()

    text = browser.get(f"{path}/population.txt").text
    assert text.split() == [f"V-{one}" for one in range(1, 9)]
    assert found["population_digest"] == hashlib.sha256(text.encode()).hexdigest()
    [drawn] = [line for line in lines(browser) if line["number"] == found["trail_number"]]
    key = f"{drawn['head']}\n{DRAW['seed']}"
    ranked = sorted(text.split(), key=lambda one: hashlib.sha256(f"{key}\n{one}".encode()).hexdigest())
    assert found["chosen"] == ranked[:3]
    assert found["trail_head"] == drawn["head"]


def test_nobody_can_try_seeds_before_the_draw(shanghai: Platform, browser: httpx.Client) -> None:
    """The same seed on the same list gives another sample: the line that names the seed is part of the order."""
    send_visits(shanghai, Hospital(), 1, 31)

    paths = [browser.post("/samples", data=DRAW | {"wanted": "30"}).url.path for _ in range(2)]

    first, second = (browser.get(f"{path}.json").json() for path in paths)
    assert first["population_digest"] == second["population_digest"]
    assert first["chosen"] != second["chosen"]


def test_the_draw_is_written_down_before_anybody_sees_it(shanghai: Platform, browser: httpx.Client) -> None:
    send_visits(shanghai, Hospital(), 1, 5)

    answer = browser.post("/samples", data=DRAW, follow_redirects=False)

    assert answer.status_code == 303
    assert "V-" not in answer.text
    [line] = lines(browser)
    assert line["action"] == "sample.draw"
    assert line["detail"]["seed"] == DRAW["seed"]  # type: ignore[index]
    assert browser.get(f"{answer.headers['location']}.json").json()["trail_number"] == line["number"]


def test_what_comes_in_later_does_not_change_a_sample(shanghai: Platform, browser: httpx.Client) -> None:
    hospital = Hospital()
    send_visits(shanghai, hospital, 1, 6)
    path = browser.post("/samples", data=DRAW).url.path
    before = browser.get(f"{path}.json").json()

    send_visits(shanghai, hospital, 6, 40)

    assert browser.get(f"{path}.json").json() == before
    assert before["population_unchanged"]


def test_an_alert_that_is_explained_later_does_not_change_a_sample(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    eligible = hospital.eligible()
    send_visits(shanghai, hospital, 1, 4)
    path = browser.post("/samples", data=DRAW | {"kind": "alerts"}).url.path
    before = browser.get(f"{path}.json").json()

    shanghai.send("uploadFollowUp", [eligible])

    assert ">3 条预警</a>由后续到达的记录说明" in browser.get("/alerts").text
    assert len(before["chosen"]) == 3
    assert browser.get(f"{path}.json").json() == before


def test_a_visit_that_moves_to_the_department_later_does_not_change_its_sample(
    shanghai: Platform, browser: httpx.Client
) -> None:
    hospital = Hospital()
    send_visits(shanghai, hospital, 1, 4)
    path = browser.post("/samples", data=DRAW | {"scope": "?dept=D-9"}).url.path
    before = browser.get(f"{path}.json").json()

    shanghai.send("uploadBooking", [hospital.booked("V-1", deptID="D-9", deptName="老年科")])

    assert browser.get(f"{path}.json").json() == before


def test_a_draw_cut_short_comes_out_as_it_would_have(
    shanghai: Platform, browser: httpx.Client, strict_platform: Running
) -> None:
    """The process died between writing the draw down and writing what came out."""
    send_visits(shanghai, Hospital(), 1, 9)
    path = browser.post("/samples", data=DRAW).url.path
    before = browser.get(f"{path}.json").json()

    with strict_platform.database.writing() as connection:
        connection.execute("UPDATE sample_draws SET chosen = NULL")

    assert browser.get(f"{path}.json").json() == before


def test_a_sample_of_before_the_line_was_part_of_the_order_stays_as_it_was(
    shanghai: Platform, browser: httpx.Client, strict_platform: Running
) -> None:
    send_visits(shanghai, Hospital(), 1, 9)
    path = browser.post("/samples", data=DRAW).url.path

    with strict_platform.database.writing() as connection:
        connection.execute("DELETE FROM sample_draws")

    found = browser.get(f"{path}.json").json()
    assert (found["chosen"], found["trail_head"]) == (
        pick(DRAW["seed"], [f"V-{n}" for n in range(1, 9)], 3),
        "",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_finding_is_about_is_looked_up_by_an_index(strict_platform: Running, kind: str) -> None:
    strict_platform.emptied()

    with strict_platform.database.reading() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {record_of(kind)}", ("V-1",)).fetchall()

    assert [row["detail"].split(" (")[0].split()[0] for row in plan] == ["SEARCH"]


def test_a_finding_knows_the_visit_of_its_prescription(shanghai: Platform, browser: httpx.Client) -> None:
    send_a_visit(shanghai)
    path = browser.post("/samples", data=DRAW | {"kind": "prescriptions"}).url.path
    [number] = browser.get(f"{path}.json").json()["chosen"]

    browser.post(f"{path}/results", data={"number": number, "verdict": "bad", "note": "没有用法"})

    assert "/visits/V-1" in browser.get("/matters/1").text


def test_a_finding_becomes_a_matter_and_is_said_once(shanghai: Platform, browser: httpx.Client) -> None:
    send_visits(shanghai, Hospital(), 1, 3)
    path = browser.post("/samples", data=DRAW).url.path

    assert (
        browser.post(f"{path}/results", data={"number": "V-1", "verdict": "bad", "note": ""}).status_code
        == 422
    )
    browser.post(f"{path}/results", data={"number": "V-1", "verdict": "bad", "note": "病历没有现病史"})
    browser.post(f"{path}/results", data={"number": "V-1", "verdict": "good", "note": "后来改口"})

    text = browser.get(path).text
    assert "病历没有现病史" in text
    assert "后来改口" not in text
    assert "病历没有现病史" in browser.get("/matters").text


@pytest.mark.parametrize(
    "wrong",
    [{"wanted": "0"}, {"wanted": "999"}, {"wanted": "x"}, {"seed": "1"}, {"reason": ""}, {"kind": "people"}],
)
def test_a_draw_without_its_reasons_is_refused(
    shanghai: Platform, browser: httpx.Client, wrong: dict[str, str]
) -> None:
    assert browser.post("/samples", data=DRAW | wrong).status_code == 422
    assert lines(browser) == []


def test_the_page_offers_a_fresh_seed_each_time(browser: httpx.Client) -> None:
    seeds = {re.findall(r'name="seed" value="(\w+)"', browser.get("/samples").text)[0] for _ in range(3)}

    assert len(seeds) == 3
