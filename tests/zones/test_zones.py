"""Outer zone, interconnection zone, inner zone and city platform in networks of their own (design.md section 1, source article 3.6).

Elsewhere servers under test bind to loopback, so that nobody on the network can reach them. Here that cannot hold, for a
loopback address has no other side; instead every server is alone in a network namespace that only the lines of this test lead
into, with addresses reserved for documentation. Nothing in them reaches this machine's network, nor the other way round.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.zones.conftest import CITY_PORT, GATEWAY_PORT, HIS_PORT, Running
from tests.zones.networks import GATEWAY, LINKS, lacking, zones

NUMBER, NAME = "310114195809199069", "周桂珍"
HOSPITAL, PLATFORM = LINKS["hospital"][1], LINKS["platform"][1]
SEALED = {
    "X-Ca-Key": "app-1", "X-Ca-Nonce": "0199a000", "X-Ca-Timestamp": "1", "X-Content-MD5": "00",
    "X-Ca-Signature": "00", "X-Service-Id": "his.provinceDataUploadService", "X-Service-Method": "none",
}  # fmt: skip
NO_WAY = "ENETUNREACH"


def find_patient(running: Running, process: str) -> dict[str, object]:
    body = json.dumps({"purpose": "eligibility", "id_number": NUMBER, "name": NAME})
    return running.post(process, "/his/v1/find-patient", body, {})


def test_each_zone_knows_one_line_and_the_gateway_forwards_nothing(running: Running) -> None:
    for zone, (near, _) in LINKS.items():
        routes = [line for line in running.zones.routes(zone) if not line.startswith("fe80::")]
        assert len(routes) == 1, routes
        assert routes[0].startswith(near.rsplit(".", 1)[0])
        expected = "connected" if zone == "cloud" else "ECONNREFUSED"
        assert running.zones.connects(zone, near, GATEWAY_PORT) == expected

    forwards = running.zones.inside(GATEWAY, "cat", "/proc/sys/net/ipv4/ip_forward")
    assert subprocess.run(forwards, capture_output=True, check=True).stdout.strip() == b"0"


@pytest.mark.parametrize(("address", "port"), [(HOSPITAL, HIS_PORT), (PLATFORM, CITY_PORT)])
def test_from_the_cloud_there_is_no_way_to_the_hospital_nor_to_the_platform(
    running: Running, address: str, port: int
) -> None:
    assert running.zones.connects(GATEWAY, address, port) == "connected"  # it listens, for who is let through

    assert running.zones.connects("cloud", address, port) == NO_WAY


@pytest.mark.parametrize(("zone", "address", "port"), [
    ("platform", HOSPITAL, HIS_PORT), ("hospital", PLATFORM, CITY_PORT),
    ("platform", LINKS["cloud"][1], 22), ("hospital", LINKS["cloud"][1], 22),
])  # fmt: skip
def test_nor_is_there_one_between_the_others(running: Running, zone: str, address: str, port: int) -> None:
    assert running.zones.connects(zone, address, port) == NO_WAY


def test_the_backend_reaches_the_hospital_through_the_gateway(running: Running) -> None:
    answer = find_patient(running, "backend-api")

    assert answer["status"] == 200, answer
    assert json.loads(str(answer["body"]))["patient"]["name"] == NAME


def test_the_adapter_reaches_the_platform_through_the_gateway(running: Running) -> None:
    answer = running.post("adapter", "/shanghai/api", "00" * 16, SEALED)

    assert answer["status"] == 200, answer
    assert "code" in json.loads(str(answer["body"]))  # the platform's own refusal of what nobody signed


def test_each_may_go_its_own_way_only_and_every_call_is_written_down(running: Running) -> None:
    wrong_way = [find_patient(running, "adapter"), running.post("backend-api", "/shanghai/api", "00", SEALED)]

    assert [answer["status"] for answer in wrong_way] == [403, 403]
    lines = "".join(one.read_text(encoding="utf-8") for one in sorted(running.audit.glob("*.jsonl")))
    assert lines.count('"not_listed"') >= 2


def test_with_a_route_and_forwarding_the_separation_would_be_gone(running: Running) -> None:
    """The twin: what the tests above call impossible is possible as soon as somebody lays the way."""
    running.zones.lay_routes("cloud", "hospital")
    try:
        assert (
            running.zones.connects("cloud", HOSPITAL, HIS_PORT) == "TimeoutError"
        )  # a route alone leads nowhere
        running.zones.forwards(True)
        assert running.zones.connects("cloud", HOSPITAL, HIS_PORT) == "connected"
    finally:
        running.zones.forwards(False)
        running.zones.take_routes("cloud", "hospital")

    assert running.zones.connects("cloud", HOSPITAL, HIS_PORT) == NO_WAY


@pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")
def test_nothing_is_left_behind_when_something_goes_wrong() -> None:
    with pytest.raises(LookupError), zones() as made:
        assert (Path("/run/netns") / made.name("cloud")).exists()
        raise LookupError

    assert not [one for one in Path("/run/netns").iterdir() if one.name.startswith(made.run)]
