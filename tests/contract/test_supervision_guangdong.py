"""A hospital that reports by the second field family: adapter, gateway and platform as processes, headers signed with SM2."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gmssl_pyx
import msgspec
import pytest

from contracts.envelope import Envelope
from foundation.suites.key_files import sm2_pem
from regulator_adapter import profiles
from standalone.certificates import Certificates
from tests.contract import platforms
from tests.contract.platforms import SAMPLES_BY_TABLE, Adapter, Platform
from tests.contract.test_supervision import command
from tests.unit.regulator_adapter.mapped import all_records

FEED = SAMPLES_BY_TABLE / "feed.json"
REQUESTS = sorted(SAMPLES_BY_TABLE.glob("*/*-request.json"))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The hospital's key in a file, and its point as the platform registers it."""
    public, private = gmssl_pyx.sm2_key_generate()
    file = tmp_path_factory.mktemp("key") / "supervision.pem"
    file.write_bytes(sm2_pem(private, b"\x04" + public))
    return file, (b"\x04" + public).hex()


@pytest.fixture(scope="module")
def running(
    key: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[tuple[Platform, Adapter]]:
    folder = tmp_path_factory.mktemp("guangdong")
    with (
        platforms.platform(folder, certificates, SUPERVISION_SIGNING_PUBLIC=key[1]) as city,
        platforms.gateway(city, folder, certificates) as url,
        platforms.adapter(
            url, folder, certificates, ROUTING="guangdong", PLATFORM_SIGNING_KEY=str(key[0])
        ) as adapter,
    ):
        yield city, adapter


@pytest.mark.parametrize("request_file", REQUESTS, ids=lambda path: f"{path.parent.name}/{path.name[:-13]}")
def test_samples_are_what_the_mappings_make(request_file: Path) -> None:
    envelopes = msgspec.json.decode(FEED.read_bytes(), type=list[Envelope])
    made: dict[Any, Any] = {
        (stop.method, str(envelope.event_id), stop.number): record
        for envelope, stop, record, issues in all_records(envelopes, "guangdong")
        if not issues
    }
    sample = json.loads(request_file.read_text(encoding="utf-8"))

    assert made[request_file.parent.name, sample["event_id"], sample["number"]] == sample["record"]


def test_there_is_a_sample_of_every_table() -> None:
    assert {path.parent.name for path in REQUESTS} == set(profiles.profile("guangdong").methods)


def test_every_row_is_accepted_and_the_chain_is_whole(running: tuple[Platform, Adapter]) -> None:
    city, adapter = running
    adapter.deliver(msgspec.json.decode(FEED.read_bytes(), type=list[Envelope]))
    figures, summary = adapter.settle(), city.summary()

    assert (figures["missing"], figures["parked"], figures["rejected"]) == (0, 0, 0)
    assert set(summary["profiles"]["guangdong"]) == set(profiles.profile("guangdong").methods)
    assert (summary["chain"]["missing"], summary["chain"]["broken"]) == (0, 0)
    assert command(adapter, "verify").returncode == 0


def test_a_table_that_needs_a_key_does_not_start_without_one(running: tuple[Platform, Adapter]) -> None:
    _, adapter = running
    done = command(adapter, "serve", PLATFORM_SIGNING_KEY="")

    assert done.returncode == 2
    assert "guangdong wants PLATFORM_SIGNING_KEY" in done.stderr


def test_a_day_is_caught_up_on_the_command_line(running: tuple[Platform, Adapter]) -> None:
    _, adapter = running
    done = command(adapter, "backfill", "2026-11-20", "--by", "值班员")
    future = command(adapter, "backfill", "2126-11-20")

    [day] = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert {line["method"] for line in day["lines"]} >= {"bb_pi_treatment", "uploadChainLink"}
    assert future.returncode == 2
    assert "还没有结束" in future.stderr


def test_a_hospital_that_reports_to_shanghai_alone_has_everything_accepted(
    tmp_path: Path, certificates: Certificates
) -> None:
    with (
        platforms.platform(tmp_path, certificates) as city,
        platforms.adapter(city.url, tmp_path, certificates, direct=True, ROUTING="shanghai") as adapter,
    ):
        adapter.deliver(msgspec.json.decode(FEED.read_bytes(), type=list[Envelope]))
        figures, summary = adapter.settle(), city.summary()

    assert (figures["missing"], figures["parked"]) == (0, 0)
    assert set(summary["profiles"]) == {"shanghai"}
    assert summary["chain"]["missing"] == 0
