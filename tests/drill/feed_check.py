"""After the drill: the sender's set against the receiver's own store, the order inside streams, the chain, what came twice."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from regulator_adapter import profiles
from tests.load.feed_ground import FeedGround

REAL_TIME = "shanghai"
LINK = "uploadChainLink"


@contextmanager
def store(folder: Path) -> Iterator[sqlite3.Connection]:
    """The platform's file, read only."""
    with closing(sqlite3.connect(f"file:{folder / 'supervision.sqlite3'}?mode=ro", uri=True)) as opened:
        yield opened


async def findings(ground: FeedGround) -> dict[str, Any]:
    """Empty lists and zeros when all is well; `possibly_twice` is what the adapter itself names, `twice` what the platform has."""
    outbox, records = await ground.outbox_sql(), await ground.adapter_sql()
    try:
        sent = {str(row[0]) for row in await outbox.fetch("SELECT id FROM outbox_event")}
        rows = await records.fetch(
            "SELECT event_id, profile, method, business_number, makes, state, ambiguous FROM submission"
        )
        gaps = await records.fetchval("SELECT max(number) - count(*) FROM received_event")
        breaks = await records.fetchval("SELECT count(*) FROM received_event WHERE linked IS NOT true")
    finally:
        await outbox.close()
        await records.close()
    with store(ground.folder / "platform") as platform:
        seen = {row[0] for row in platform.execute("SELECT event_id FROM links")}
        states = dict(platform.execute("SELECT state, count(*) FROM links GROUP BY state"))
        here = [
            (profile, method, event_id if profile == REAL_TIME else number)
            for profile, method, number, event_id in platform.execute(
                "SELECT profile, method, business_no, event_id FROM records"
            )
        ]
        disorder = _out_of_order(platform)
    expected = {_key(row) for row in rows if row["profile"] == REAL_TIME}
    numbered = {
        _key(row): row
        for row in rows
        if row["profile"] != REAL_TIME and row["method"] != "uploadDrugCatalogue"
    }
    arrived = set(here)
    others = {one for one in arrived if one[0] != REAL_TIME and one[1] != "uploadDrugCatalogue"}
    twice = _twice(here)
    return {
        "sent": len(sent), "received": len(seen), "lost": len(sent - seen), "never_sent": len(seen - sent),
        "records": len(rows), "not_accepted": sum(row["state"] != "accepted" for row in rows),
        "records_missing": len((expected | numbered.keys()) - arrived),
        "records_unknown": len({one for one in arrived if one[0] == REAL_TIME} - expected) + len(others - numbered.keys()),
        "gaps": gaps, "breaks": breaks, "links_not_good": sum(n for state, n in states.items() if state != "good"),
        "out_of_order": len(disorder), "twice": len(twice),
        "twice_unnamed": len([one for one in twice if one[0] == REAL_TIME or not numbered[one]["ambiguous"]]),
        "possibly_twice": sum(row["ambiguous"] > 0 for row in numbered.values()),
    }  # fmt: skip


def _key(row: Any) -> tuple[str, str, str]:
    name = str(row["event_id"]) if row["profile"] == REAL_TIME else row["business_number"]
    return row["profile"], row["method"], name


def _twice(here: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    seen: set[tuple[str, str, str]] = set()
    found = []
    for one in here:
        if one in seen and one[1] != "uploadDrugCatalogue":
            found.append(one)
        seen.add(one)
    return sorted(set(found))


def _out_of_order(platform: sqlite3.Connection) -> list[str]:
    """Streams whose records did not come in the order of their events, or visits whose kinds of records did not come in theirs."""
    found = []
    highest: dict[str, int] = defaultdict(int)
    rows = platform.execute(
        "SELECT links.stream, links.stream_number FROM records JOIN links ON links.event_id = records.event_id "
        "WHERE records.method <> ? ORDER BY records.id", (LINK,),
    )  # fmt: skip
    for stream, number in rows:
        if number < highest[stream]:
            found.append(stream)
        highest[stream] = max(highest[stream], number)
    ranks = {name: method.rank for name, method in profiles.profile("tianjin-1.0").methods.items()}
    rank_of: dict[str, int] = defaultdict(int)
    first = platform.execute(
        "SELECT visit_no, method, min(id) FROM records WHERE profile <> ? AND visit_no IS NOT NULL GROUP BY visit_no, method "
        "ORDER BY min(id)", (REAL_TIME,),
    )  # fmt: skip
    for visit, method, _ in first:
        rank = ranks.get(method) or 0
        if rank < rank_of[visit]:
            found.append(visit)
        rank_of[visit] = max(rank_of[visit], rank)
    return found
