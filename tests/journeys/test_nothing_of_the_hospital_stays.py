"""Clinical content of the hospital's own systems is shown and not kept in the cloud (source article 3.4.1, design.md 5.1).

Distinctive words are planted in everything that the simulated hospital tells about one patient. A whole visit is played, the
doctor reads the records through the real gateway, and then every place where the cloud keeps something is searched.
"""

import json
import os
import resource
import subprocess
import sys
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from redis.asyncio import Redis

from foundation.object_store import FolderStore
from standalone.journey.play import Play
from tests.at_rest import places, report
from tests.at_rest.cloud import Cloud
from tests.at_rest.forms import Marks
from tests.at_rest.more_records import allergy_and_report, laboratory_result
from tests.world import HYPERTENSION, World
from tools.data_classes import read

WORDS, NUMBER = "貔貅獬豸饕餮", 735192640817
SHOWN = {
    "Encounter",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "DiagnosticReport",
    "Observation",
}
OTHER = "魑魅魍魉梼杌"
"""What the twin plants on purpose."""


class Reading(Play):
    """The doctor's look into the hospital's records is kept for the test."""

    async def accept(self) -> str:
        """7."""
        said = await super().accept()
        self.facts["history"] = await self.doctor.reads_history(self.facts["encounter"])
        return said


async def planted(world: World, patient: str) -> list[dict[str, str]]:
    """Marks in the patient's records, an allergy and a report among them."""
    address, day = world.system.health_url("his"), world.clock.today().isoformat()
    async with httpx.AsyncClient(trust_env=False) as hospital:
        for one in allergy_and_report(patient, day):
            assert (await hospital.put(f"{address}/_test/resources", json=one)).status_code < 300
        asked = {"patient": patient, "mark": WORDS, "number": NUMBER}
        answer = await hospital.put(f"{address}/_test/canaries", json=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["planted"]
    return found


async def planted_in_the_laboratory(world: World, patient: Mapping[str, Any]) -> list[str]:
    """Marks in a result that the LIS alone has."""
    address, day = world.system.health_url("lis_ris"), world.clock.today().isoformat()
    asked, tokens = laboratory_result(patient["id"], patient["name"], day, WORDS, NUMBER)
    async with httpx.AsyncClient(trust_env=False) as laboratory:
        assert (await laboratory.put(f"{address}/_test/reports", json=asked)).status_code == 201
    return tokens


async def expire_what_was_shown(url: str) -> list[str]:
    """The display cache: sealed, short-lived, declared. Its clock is the machine's, so its end is brought forward."""
    declared, families = read().valkey, set()
    async with Redis.from_url(url) as cache:
        async for raw in cache.scan_iter(count=500):
            key = raw.decode()
            family = next((name for name in declared if key.startswith(name)), None)
            assert family is not None, (
                f"{key} belongs to no declared family (tools/data_classes/declared.toml)"
            )
            families.add(family)
            left = await cache.ttl(key)
            if declared[family].seconds and left != -2:
                assert 0 <= left <= declared[family].seconds, f"{key} lives {left} s"
            if family.startswith("display:"):
                content = await cache.get(key) or b""
                assert Marks((WORDS, str(NUMBER))).seen_within(content) == [], f"{key} is not sealed"
                await cache.pexpire(key, 1)
        while [key async for key in cache.scan_iter("display:*")]:
            pass
    return sorted(families)


async def test_nothing_the_hospital_told_is_found_anywhere_after_a_visit(world: World) -> None:
    patient = await world.a_patient(code=HYPERTENSION)
    marked = await planted(world, patient.person["id"])
    results = await planted_in_the_laboratory(world, patient.person)
    doctor = await world.doctor_new_to(patient.person)
    people = (patient, doctor, await world.pharmacist(), world.courier())
    play = Reading(world.places, *people, shown=lambda *_: None, shared=True)
    assert (await play.run())["journey"] == "ok"

    seen = json.dumps(play.facts["history"], ensure_ascii=False)
    shown = [one for one in marked if one["token"] in seen]
    assert {one["resource"].split("/")[0] for one in shown} == SHOWN
    assert all(token in seen for token in results)
    cloud, marks = Cloud(world.system), Marks((WORDS, str(NUMBER)))
    of_the_hospital = b"".join(one.read_bytes() for one in cloud.hospitals_store.iterdir())
    assert all(one["token"].encode() in of_the_hospital for one in shown)
    await world.until(cloud.has_a_sheet, "a signed sheet")
    families = await expire_what_was_shown(world.system.installation.urls.redis)
    looked = await cloud.search(marks)
    looked[-1].notes.append(f"{len(shown) + len(results)} of the marks were on the doctor's screen")
    looked[-1].notes.append(f"families of keys seen in Valkey: {', '.join(families)}")
    report.write(
        looked, [*(f"{one['place']}" for one in marked), "LIS: conclusion", "LIS: value"], [name.split(" of ")[0] for name in marks.needles.values()],
        f"{datetime.now().astimezone():%Y-%m-%d %H:%M %z}",
    )  # fmt: skip

    assert "display:history:" in families
    assert [one for place in looked for one in place.found] == []
    assert sum(place.opened for place in looked) > 100
    assert {"attachments", "sheets"} <= {one.name for one in cloud.objects.iterdir()}
    assert {f"{one.name}/" for one in cloud.objects.iterdir()} <= set(read().objects)


def waiting(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A process that does nothing until it is told to end."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment)


async def test_the_search_finds_what_is_planted_in_each_kind_of_place(world: World, tmp_path: Path) -> None:
    cloud, marks = Cloud(world.system), Marks((OTHER,))
    urls = world.system.installation.urls
    assert urls.admin is not None
    base = await asyncpg.connect(places.plain(urls.admin.rsplit("/", 1)[0] + "/hospital"))
    sealed = cloud.keyring.seal(f"诊断 {OTHER}".encode(), "twin.sealed")
    log, kept = world.system.folder.logs / "twin.log", cloud.root / "twin.bin"
    store = FolderStore(cloud.objects, cloud.keyring)
    appender = store.append("attachments/twin/1")
    appender.write(zlib.compress(OTHER.encode("gb18030")))
    appender.close()
    process = waiting({**os.environ, "TWIN": OTHER})
    cloud.others = [psutil.Process(process.pid)]
    try:
        await base.execute("CREATE TABLE twin (words text, sealed bytea)")
        await base.execute("INSERT INTO twin VALUES ($1, $2)", OTHER, sealed)
        log.write_text(json.dumps({"error": OTHER}))
        kept.write_bytes(b"x" * 9 + zlib.compress(OTHER.encode("utf-16-le")))
        async with Redis.from_url(urls.redis) as cache:
            await cache.set("display:history:twin", json.dumps([OTHER]), ex=60)

        found = {place.place: " ".join(place.found) for place in await cloud.search(marks)}
    finally:
        process.communicate(b"\n")
        await base.execute("DROP TABLE IF EXISTS twin")
        await base.close()
        await store.delete("attachments/twin/1")
        log.unlink(missing_ok=True)
        kept.unlink(missing_ok=True)
        async with Redis.from_url(urls.redis) as cache:
            await cache.delete("display:history:twin")

    def told(part: str) -> str:
        return next(words for place, words in found.items() if part in place)

    assert "twin.words" in told("hospital: tables")
    assert "twin.sealed: utf-8" in told("hospital: tables")
    assert "hospital" in told("pg_dump")
    assert "base/" in told("PostgreSQL's files")
    assert "pg_wal" in told("PostgreSQL's files")
    assert "display:history:twin" in told("Valkey")
    assert "attachments/twin/1: zlib: gb18030" in told("object store")
    assert "twin.log: JSON escapes" in told("logs")
    assert "twin.bin: zlib: utf-16-le" in told("logs")
    assert "process" in told("environment")


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="nobody here may leave a core file"
)
def test_a_process_that_may_leave_a_core_file_is_named() -> None:
    child = subprocess.Popen(
        ["/bin/sh", "-c", "ulimit -S -c unlimited 2>/dev/null; read wait"], stdin=subprocess.PIPE
    )
    try:
        _until_started(child)
        looked = places.processes([psutil.Process(child.pid)], Marks((OTHER,)))
    finally:
        child.communicate(b"\n")

    assert any("core file" in one for one in looked.found)


def _until_started(child: "subprocess.Popen[bytes]") -> None:
    while places.core_files(child.pid) == "0":
        assert child.poll() is None
