"""What tests and journeys ask the platform, on the plain port and never in production.

`GET /_test/records?method=&event_id=&business_no=&visit_no=&limit=` → `{"records": [{…, "body": {…}}]}`, newest last.
`GET /_test/summary` → counts for each profile and method, gaps, chain, sign-ins:
    {"profiles": {"shanghai": {"uploadBooking": {"accepted": 2, "duplicates": 1, "rejected": 0}}},
     "gaps": {"hospital": [[3, 4]], "streams": 1, "missing_in_streams": 2}, "chain": {…}, "sign_ins": ["2026-11-22"]}
`GET /_test/days` → statements as both sides sealed them. `GET /_test/days/2026-11-22` → what the page shows of a day, by profile and method.
`POST /_test/forget {"event_id": "…"}` → the platform has lost what it had of that event, as after a restore.
`GET /_test/refusals` → the last hundred, newest last. `GET /_test/alerts` → all, newest last.
"""

import json
import sqlite3
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.server import BadField, read_object
from simulators.supervision.chain import chain_figures, hospital_gaps
from simulators.supervision.days.desk import statements
from simulators.supervision.days.figures import page_counts
from simulators.supervision.store import Database

FILTERS = ("method", "event_id", "business_no", "visit_no", "profile")
_LIMIT = 1000


def test_routes(database: Database) -> list[Route]:
    def records(request: Request) -> Response:
        given = {name: value for name in FILTERS if (value := request.query_params.get(name))}
        with database.reading() as connection:
            return JSONResponse({"records": _records(connection, given, _limit(request))})

    def summary(_: Request) -> Response:
        with database.reading() as connection:
            return JSONResponse(_summary(connection))

    def refusals(_: Request) -> Response:
        with database.reading() as connection:
            rows = connection.execute("SELECT * FROM refusals ORDER BY id DESC LIMIT 100").fetchall()
        return JSONResponse({"refusals": [dict(row) for row in reversed(rows)]})

    def alerts(_: Request) -> Response:
        with database.reading() as connection:
            rows = connection.execute("SELECT * FROM alerts ORDER BY id DESC LIMIT ?", (_LIMIT,)).fetchall()
        return JSONResponse({"alerts": [dict(row) for row in reversed(rows)]})

    def days(_: Request) -> Response:
        with database.reading() as connection:
            return JSONResponse({"days": statements(connection)})

    def page(request: Request) -> Response:
        with database.reading() as connection:
            return JSONResponse(page_counts(connection, date.fromisoformat(request.path_params["day"])))

    async def forget(request: Request) -> Response:
        event_id = (await read_object(request)).get("event_id")
        with database.transaction() as connection:
            gone = connection.execute("DELETE FROM records WHERE event_id = ?", (event_id,)).rowcount
            connection.execute(
                "UPDATE streams SET seen = seen - 1 WHERE stream IN (SELECT stream FROM links WHERE event_id = ?)",
                (event_id,),
            )
            connection.execute("DELETE FROM links WHERE event_id = ?", (event_id,))
        return JSONResponse({"forgotten": gone})

    return [
        Route("/_test/days", days),
        Route("/_test/days/{day}", page),
        Route("/_test/forget", forget, methods=["POST"]),
        Route("/_test/records", records),
        Route("/_test/summary", summary),
        Route("/_test/refusals", refusals),
        Route("/_test/alerts", alerts),
    ]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= _LIMIT:
        raise BadField("limit", f"expected 1 to {_LIMIT}")
    return int(text)


def _records(connection: sqlite3.Connection, given: dict[str, str], limit: int) -> list[dict[str, Any]]:
    where = " AND ".join(f"{name} = ?" for name in given) or "1"
    rows = connection.execute(
        f"SELECT * FROM records WHERE {where} ORDER BY id DESC LIMIT ?", (*given.values(), limit)
    ).fetchall()
    return [
        dict(row) | {"duplicate": bool(row["duplicate"]), "body": json.loads(row["body"])}
        for row in reversed(rows)
    ]


def _summary(connection: sqlite3.Connection) -> dict[str, Any]:
    profiles: dict[str, dict[str, dict[str, int]]] = {}
    for row in connection.execute("SELECT * FROM counts"):
        empty = {"accepted": 0, "duplicates": 0, "rejected": 0}
        profiles.setdefault(row["profile"], {}).setdefault(row["method"], empty)[row["outcome"]] = row[
            "number"
        ]
    figures = chain_figures(connection)
    return {
        "profiles": profiles,
        "gaps": {
            "hospital": [[gap.first, gap.last] for gap in hospital_gaps(connection)],
            "streams": figures["streams_with_gaps"],
            "missing_in_streams": figures["missing_in_streams"],
        },
        "chain": {
            name: figures[name] for name in ("seen", "highest", "missing", "good", "open", "broken", "head")
        },
        "sign_ins": [row["day"] for row in connection.execute("SELECT day FROM sign_ins ORDER BY day")],
    }
