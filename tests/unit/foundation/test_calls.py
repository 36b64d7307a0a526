from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from foundation.db.audit import AuditEvent
from foundation.db.inbox import ExternalEvent
from foundation.db.unit_of_work import Database
from foundation.ids import new_id
from foundation.web.endpoint import routes
from tests.unit.foundation.an_application import ENDPOINTS, client_of, guard
from tests.unit.foundation.doors import all_of

pytestmark = pytest.mark.anyio

PRESS = f"/doors/{new_id()}/press"


@pytest.fixture
async def http(empty_db: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(empty_db) as client:
        yield client


async def lines(db: Database) -> list[tuple[str, str, str, str]]:
    found = await all_of(db, AuditEvent, AuditEvent.ordinal)
    return [(line.action, line.subject_id, line.outcome, line.code) for line in found]


async def test_a_verb_answers_with_its_status_and_its_work_is_committed(
    http: httpx.AsyncClient, empty_db: Database
) -> None:
    answer = await http.post(PRESS, json={"count": 2}, headers=guard())

    assert (answer.status_code, answer.json()) == (201, {"count": 2})
    assert answer.headers["cache-control"] == "no-store"
    assert len(await all_of(empty_db, ExternalEvent, ExternalEvent.id)) == 1


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, "unauthenticated"),
        ("Bearer ended", 401, "session_ended"),
        ("Bearer visitor", 403, "forbidden"),
    ],
)
async def test_who_may_not_is_turned_away_before_the_body_is_read_and_it_is_written_down(
    http: httpx.AsyncClient, empty_db: Database, authorization: str, status: int, code: str
) -> None:
    answer = await http.post(PRESS, content=b"not json", headers={"authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await lines(empty_db) == [("foundation_press", PRESS.split("/")[2], "refused", code)]


@pytest.mark.parametrize(
    ("how", "status", "code", "retry"),
    [
        ("conflict", 409, "door_locked", None),
        ("too_many", 429, "too_many", "900"),
        ("busy", 503, "busy", "1"),
    ],
)
async def test_a_refused_verb_is_rolled_back_and_the_refusal_stays(
    http: httpx.AsyncClient, empty_db: Database, how: str, status: int, code: str, retry: str | None
) -> None:
    answer = await http.post(f"/doors/fail/{how}", headers=guard())

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry
    assert await all_of(empty_db, ExternalEvent, ExternalEvent.id) == []
    assert await lines(empty_db) == [("foundation_fail", how, "refused", code)]


async def test_our_own_fault_says_nothing_of_itself(http: httpx.AsyncClient, empty_db: Database) -> None:
    answer = await http.post("/doors/fail/fault", headers=guard(x_request_id="request-77"))

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["detail"]) == (500, "internal", "系统出错")
    assert "ours" not in answer.text
    assert await all_of(empty_db, ExternalEvent, ExternalEvent.id) == []


async def test_a_refusal_of_an_open_door_is_written_down_when_it_touches_a_person(
    http: httpx.AsyncClient, empty_db: Database
) -> None:
    assert (await http.post("/entry", json={"count": 0})).status_code == 422
    assert (await http.post("/doors/x/open")).status_code == 404

    assert await lines(empty_db) == [("door.entry", "", "refused", "invalid")]


async def test_a_read_that_is_audited_leaves_a_line(http: httpx.AsyncClient, empty_db: Database) -> None:
    assert (await http.get("/doors?far=3", headers=guard())).json() == {"count": 3}

    assert await lines(empty_db) == [("door.look", "", "ok", "")]


async def test_a_wrong_query_names_its_field(http: httpx.AsyncClient) -> None:
    answer = await http.get("/doors?far=x&near=1", headers=guard())

    assert answer.status_code == 422
    assert {issue["field"] for issue in answer.json()["issues"]} == {"far", "near"}


async def test_the_same_press_twice_has_one_effect_and_one_answer(
    http: httpx.AsyncClient, empty_db: Database
) -> None:
    first = await http.post(PRESS, json={"count": 2}, headers=guard(idempotency_key="press-0001"))
    second = await http.post(PRESS, json={"count": 2}, headers=guard(idempotency_key="press-0001"))

    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, b'{"count":2}')
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await all_of(empty_db, ExternalEvent, ExternalEvent.id)) == 1


@pytest.mark.parametrize(
    ("path", "count"), [(PRESS, 3), (f"/doors/{new_id()}/press", 2)], ids=["other body", "other door"]
)
async def test_a_key_does_not_serve_another_request(http: httpx.AsyncClient, path: str, count: int) -> None:
    await http.post(PRESS, json={"count": 2}, headers=guard(idempotency_key="press-0001"))

    answer = await http.post(path, json={"count": count}, headers=guard(idempotency_key="press-0001"))

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_refused_press_may_be_pressed_again_with_its_key(
    http: httpx.AsyncClient, empty_db: Database
) -> None:
    refused = await http.post("/doors/fail/conflict", headers=guard(idempotency_key="press-0001"))
    again = await http.post("/doors/fail/busy", headers=guard(idempotency_key="press-0001"))

    assert (refused.status_code, again.status_code) == (409, 503)


async def test_a_body_over_a_megabyte_is_refused_announced_or_not(http: httpx.AsyncClient) -> None:
    big = b'{"count": 1, "x": "' + b"a" * 1_000_001 + b'"}'

    async def unannounced() -> AsyncIterator[bytes]:
        for at in range(0, len(big), 65_536):
            yield big[at : at + 65_536]

    announced = await http.post(PRESS, content=big, headers=guard())
    streamed = await http.post(PRESS, content=unannounced(), headers=guard())

    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert announced.json()["code"] == "too_large"


@pytest.mark.parametrize("about", ["x" * 300, "%00", "%E5%8C%BB" * 90, "..%2f..", "7"])
async def test_whatever_stands_in_the_path_is_not_found_and_not_our_fault(
    http: httpx.AsyncClient, empty_db: Database, about: str
) -> None:
    assert (await http.post(f"/doors/{about}/open")).status_code == 404
    refused = await http.post(f"/doors/{about}/press", json={"count": 0}, headers=guard())

    assert refused.status_code in (404, 422)
    assert [line[2] for line in await lines(empty_db)] in ([], ["refused"])


async def test_a_refusal_is_told_even_when_it_cannot_be_written_down(
    http: httpx.AsyncClient, empty_db: Database
) -> None:
    async with empty_db.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_event RENAME TO elsewhere"))

    answer = await http.post("/doors/fail/conflict", headers=guard())

    assert (answer.status_code, answer.json()["code"]) == (409, "door_locked")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/doors", 405)])
async def test_what_is_not_in_the_table_gets_a_problem_body_too(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_request_keeps_its_id_and_gets_one_when_it_has_none_or_a_strange_one(
    http: httpx.AsyncClient,
) -> None:
    given = await http.get("/doors", headers=guard(x_request_id="request-77"))
    made = await http.get("/doors", headers=guard(x_request_id="<script>"))
    refused = await http.get("/doors", headers={"x-request-id": "request-78"})

    assert given.headers["x-request-id"] == "request-77"
    assert made.headers["x-request-id"] not in ("", "<script>")
    assert refused.json()["request_id"] == refused.headers["x-request-id"] == "request-78"


async def test_every_answer_forbids_sniffing_and_framing(http: httpx.AsyncClient) -> None:
    headers = (await http.get("/nowhere")).headers

    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_a_path_declared_twice_is_a_mistake() -> None:
    async def run(endpoint: object, request: object) -> None:
        """Never called."""

    with pytest.raises(ValueError, match="declared twice"):
        routes([*ENDPOINTS, ENDPOINTS[0]], run)  # type: ignore[arg-type]
