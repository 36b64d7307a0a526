"""A day on both sides of the wire: the adapter states it, the platform states it with code of its own, and only the same day closes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.envelope import Envelope
from foundation.clock import Clock, local_day_start
from standalone.certificates import Certificates
from tests.builders import events as b
from tests.contract import platforms
from tests.contract.hospitals import environment
from tests.contract.platforms import Adapter, Platform

PERSON = {"id": str(uuid4()), "name": "质控员周敏"}
WHY = {"by": PERSON, "reason": "核对"}


@dataclass
class Sides:
    """The outbox (a feed that counts), the adapter and the platform."""

    adapter: Adapter
    city: Platform
    feed: b.Feed = field(default_factory=b.Feed)
    sent: dict[date, int] = field(default_factory=dict)
    next_day: date = field(default_factory=lambda: Clock().today() - timedelta(days=60))

    def a_day(self) -> date:
        """One that no other test uses."""
        self.next_day += timedelta(days=1)
        return self.next_day

    def seal(self, day: date, *events: tuple[str, Any]) -> list[Envelope]:
        """The outbox has numbered these."""
        at = local_day_start(day) + timedelta(hours=9)
        self.sent[day] = self.sent.get(day, 0) + len(events)
        return [
            self.feed.envelope(stream, event, at + timedelta(seconds=place))
            for place, (stream, event) in enumerate(events)
        ]

    def deliver(self, *envelopes: Envelope) -> None:
        """To the adapter, and on to the platform."""
        reply = self.adapter.deliver(list(envelopes))
        assert reply.status_code == 202, reply.text
        self.adapter.settle()

    def happened(self, day: date, count: int = 3) -> list[Envelope]:
        """People proved who they are, and the platform knows."""
        envelopes = self.seal(day, *((f"person:{uuid4()}", b.identity_verified()) for _ in range(count)))
        self.deliver(*envelopes)
        return envelopes

    def says(self, day: date, **changes: Any) -> dict[str, Any]:
        """The backend tells what it sent."""
        told = {
            "events": self.sent.get(day, 0), "last_number": self.feed.number, "head": self.feed.head.hex(), "unsealed": 0,
        }  # fmt: skip
        return self._post(self.adapter.relay, f"/days/{day}/sent", told | changes)

    def compared(self, day: date) -> dict[str, Any]:
        """A person has the day compared now."""
        return self._post(self.adapter.desk, f"/desk/days/{day}/reconcile", WHY)

    def detail(self, day: date) -> dict[str, Any]:
        answer = self.adapter.desk.get(f"/desk/days/{day}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def acts(self, path: str, **body: Any) -> dict[str, Any]:
        return self._post(self.adapter.desk, path, {**WHY, **body})

    def _post(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def forget(self, envelope: Envelope) -> None:
        """The platform was restored from yesterday's backup."""
        answer = self.city.controls.post("/_test/forget", json={"event_id": str(envelope.event_id)})
        assert answer.json()["forgotten"] >= 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("days")


@pytest.fixture(scope="module")
def sides(folder: Path, certificates: Certificates) -> Iterator[Sides]:
    with (
        platforms.platform(folder, certificates) as city,
        platforms.gateway(city, folder, certificates) as url,
        platforms.adapter(url, folder, certificates) as adapter,
    ):
        yield Sides(adapter, city)


def kinds(day: dict[str, Any]) -> list[str]:
    return [one["kind"] for one in day["differences"]]


def test_a_day_closes_when_outbox_adapter_and_platform_tell_the_same(sides: Sides) -> None:
    day = sides.a_day()
    sides.happened(day)
    sides.says(day)

    closed = sides.compared(day)

    assert (closed["state"], closed["differences"]) == ("closed", [])
    [theirs] = [
        one for one in sides.city.controls.get("/_test/days").json()["days"] if one["day"] == str(day)
    ]
    assert theirs["agreed"] is True
    assert (theirs["ours"]["events"], theirs["ours"]["methods"]) == (3, {"uploadRealName": 3})
    answer = sides.adapter.relay.get(f"/days/{day}").json()
    assert (answer["state"], answer["through"]) == ("closed", sides.feed.number)
    assert answer["closed_at"] is not None


def test_a_day_on_which_nothing_happened_is_closed_and_proved_with_zeros(
    sides: Sides, certificates: Certificates, tmp_path: Path
) -> None:
    sides.happened(sides.a_day())
    day = sides.a_day()
    unspoken = sides.adapter.desk.post(f"/desk/days/{day}/reconcile", json=WHY)
    sides.says(day)

    closed = sides.compared(day)

    assert unspoken.status_code == 404
    assert (closed["state"], closed["events"], closed["through"]) == ("closed", 0, sides.feed.number)
    [theirs] = [
        one for one in sides.city.controls.get("/_test/days").json()["days"] if one["day"] == str(day)
    ]
    assert (theirs["agreed"], theirs["ours"]["records"]) == (True, 0)
    file = tmp_path / "day.json"
    file.write_bytes(sides.adapter.desk.get(f"/desk/days/{day}/bundle").content)
    assert verify(file, certificates, tmp_path).returncode == 0
    known = sides.adapter.relay.get("/days/wanted").json()["closed"]
    assert any(first <= str(day) <= last for first, last in known)


def test_a_day_of_which_nothing_arrived_is_opened_by_what_the_outbox_says(sides: Sides) -> None:
    day = sides.a_day()
    [lost] = sides.seal(day, (f"person:{uuid4()}", b.identity_verified()))

    told = sides.says(day)
    open_day = sides.compared(day)
    sides.deliver(lost)
    sides.says(day)

    assert told["missing"] == [[lost.number, lost.number]]
    assert kinds(open_day) == ["not_arrived"]
    assert sides.compared(day)["state"] == "closed"


def test_a_day_stays_open_until_the_outbox_has_said_what_it_sent(sides: Sides) -> None:
    day = sides.a_day()
    sides.happened(day)

    silent = sides.compared(day)
    sides.says(day, unsealed=2)
    unsealed = sides.compared(day)
    sides.says(day, events=99)
    other = sides.compared(day)
    sides.says(day)

    assert kinds(silent) == ["sender_silent"]
    assert kinds(unsealed) == ["unsealed"]
    assert kinds(other) == ["sender_differs"]
    assert sides.compared(day)["state"] == "closed"


def test_a_hole_at_the_platform_is_named_replayed_and_closed(sides: Sides) -> None:
    day = sides.a_day()
    lost = sides.happened(day, 5)[2]
    sides.says(day)
    sides.forget(lost)

    named = sides.compared(day)
    sides.adapter.settle()

    assert named["state"] == "differing"
    [hole] = named["differences"]
    assert (hole["kind"], hole["numbers"], hole["replayed"]) == (
        "missing_there",
        [[lost.number, lost.number]],
        1,
    )
    assert sides.compared(day)["state"] == "closed"


def test_a_number_that_did_not_arrive_is_named_to_the_backend(sides: Sides) -> None:
    day = sides.a_day()
    first, missing, last = sides.seal(day, *((f"person:{uuid4()}", b.identity_verified()) for _ in range(3)))
    sides.deliver(first, last)

    told = sides.says(day)
    open_day = sides.compared(day)
    sides.deliver(missing)
    after = sides.says(day)

    assert told["missing"] == [[missing.number, missing.number]]
    assert kinds(open_day) == ["not_arrived"]
    assert open_day["differences"][0]["numbers"] == [[missing.number, missing.number]]
    assert after["missing"] == []
    assert sides.compared(day)["state"] == "closed"


@pytest.mark.parametrize("how", ["key", "figures"])
def test_a_forged_statement_of_the_platform_is_refused(sides: Sides, how: str) -> None:
    day = sides.a_day()
    sides.happened(day)
    sides.says(day)
    sides.city.faults(forge=how)
    try:
        forged = sides.compared(day)
    finally:
        sides.city.faults()

    assert (forged["state"], kinds(forged)) == ("differing", ["seal_refused"])
    assert sides.compared(day)["state"] == "closed"


def test_a_platform_that_does_not_answer_leaves_the_day_open(sides: Sides) -> None:
    day = sides.a_day()
    sides.happened(day)
    sides.says(day)
    sides.city.faults(outage=True)
    try:
        silent = sides.compared(day)
    finally:
        sides.city.faults()

    assert (silent["state"], kinds(silent)) == ("differing", ["platform_silent"])
    assert sides.compared(day)["state"] == "closed"


def parked(sides: Sides, day: date) -> dict[str, Any]:
    """A record that the platform sent back."""
    sides.city.faults(reject_every=1)
    try:
        sides.happened(day, 1)
    finally:
        sides.city.faults()
    found = sides.adapter.desk.get("/desk/records", params={"day": str(day)}).json()
    assert found["total"] == 1, found
    one: dict[str, Any] = found["records"][0]
    return one


def test_a_record_that_cannot_go_is_carried_over_by_a_named_person_and_stays_visible(sides: Sides) -> None:
    day = sides.a_day()
    sides.happened(day, 2)
    record = parked(sides, day)
    sides.says(day)
    waiting = sides.compared(day)

    carried = sides.acts(f"/desk/records/{record['id']}/carry-over", reason="平台字典停用，待省平台答复")
    closed = sides.compared(day)

    assert kinds(waiting) == ["for_people"]
    assert (carried["carried"]["by"], carried["state"]) == (PERSON["name"], "rejected")
    assert closed["state"] == "closed"
    [shown] = sides.detail(day)["carried"]
    assert shown["carried"]["reason"] == "平台字典停用，待省平台答复"
    listed = sides.adapter.desk.get("/desk/records", params={"show": "carried", "day": str(day)}).json()
    assert [one["id"] for one in listed["records"]] == [record["id"]]


def test_what_goes_after_the_closing_is_stated_in_a_supplement(sides: Sides) -> None:
    day = sides.a_day()
    record = parked(sides, day)
    sides.says(day)
    sides.acts(f"/desk/records/{record['id']}/carry-over")
    first = sides.compared(day)

    sides.acts(f"/desk/records/{record['id']}/resubmit", reason="平台已恢复")
    sides.adapter.settle()
    sides.says(day)
    second = sides.compared(day)

    assert (first["state"], first["supplement"]) == ("closed", 0)
    assert (second["state"], second["supplement"]) == ("closed", 1)
    detail = sides.detail(day)
    assert [one["supplement"] for one in detail["statements"]] == [1, 0]
    assert detail["carried"] == []
    files = [
        sides.adapter.desk.get(f"/desk/days/{day}/bundle{which}").json() for which in ("", "?supplement=0")
    ]
    assert [json.loads(one["closing"]["text"])["supplement"] for one in files] == [1, 0]
    assert [one["records"][0][4] for one in files] == ["accepted", "rejected"]


def test_an_event_sealed_after_the_closing_opens_a_supplement(sides: Sides) -> None:
    day = sides.a_day()
    sides.happened(day)
    sides.says(day)
    sides.compared(day)
    sides.happened(day, 1)

    wanted = sides.adapter.relay.get("/days/wanted").json()
    sides.says(day)
    second = sides.compared(day)

    assert str(day) in wanted["days"]
    assert (second["supplement"], second["state"], second["events"]) == (1, "closed", 4)


def test_where_the_platform_cannot_be_asked_a_person_reads_its_page(sides: Sides) -> None:
    day = sides.a_day()
    visit = b.a_visit()
    sides.deliver(*sides.seal(day, (f"visit:{visit.appointment_id}", b.appointment_booked(visit))))
    sides.says(day)
    waiting = sides.compared(day)
    [line] = [one for one in sides.detail(day)["lines"] if one["by_hand"]]
    enter = {"by": PERSON, "profile": line["profile"], "method": line["method"]}
    sides._post(sides.adapter.desk, f"/desk/days/{day}/counts", {**enter, "count": 7})
    wrong = sides.compared(day)
    sides._post(sides.adapter.desk, f"/desk/days/{day}/counts", {**enter, "count": 1})

    assert kinds(waiting) == ["uncounted"]
    assert kinds(wrong) == ["count_differs"]
    assert sides.compared(day)["state"] == "closed"
    [after] = [one for one in sides.detail(day)["lines"] if one["by_hand"]]
    assert (after["platform"], after["entered_by"]) == (1, PERSON["name"])


def test_a_day_that_is_not_over_is_not_stated(sides: Sides) -> None:
    today = Clock().today()
    sides.happened(today, 1)

    answer = sides.adapter.desk.post(f"/desk/days/{today}/reconcile", json=WHY)

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/desk/overview", "/desk/days", "/desk/records", "/desk/connections"])
def test_the_desk_is_open_to_the_desk_alone(sides: Sides, path: str) -> None:
    assert sides.adapter.desk.get(path).status_code == 200
    assert sides.adapter.stranger.get(path).status_code == 403
    assert sides.adapter.relay.get(path).status_code == 403


def test_strangers_hear_nothing_of_days(sides: Sides) -> None:
    assert sides.adapter.stranger.get("/days/wanted").status_code == 403
    assert sides.adapter.stranger.get(f"/days/{sides.next_day}").status_code == 403


def test_an_act_names_its_person_and_says_why(sides: Sides) -> None:
    answer = sides.adapter.desk.post(f"/desk/records/{uuid4()}/resubmit", json={"by": PERSON, "reason": ""})

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["issues"]] == ["reason"]


def test_connections_name_every_certificate_and_the_gateway(sides: Sides) -> None:
    found = sides.adapter.desk.get("/desk/connections").json()

    assert all(one["days_left"] > 300 for one in found["certificates"]), found
    assert [one["reachable"] for one in found["neighbours"]] == [True]
    whose = {"日结签章（本院）", "日结签章（监管平台）", "监管平台（对前置机）"}
    assert whose <= {one["what"] for one in found["certificates"]}
    assert abs(found["skew_seconds"]) <= 5


def test_a_closed_day_is_proved_without_database_and_network(
    sides: Sides, certificates: Certificates, tmp_path: Path
) -> None:
    day = sides.a_day()
    sides.happened(day)
    sides.says(day)
    sides.compared(day)
    file = tmp_path / "day.json"
    file.write_bytes(sides.adapter.desk.get(f"/desk/days/{day}/bundle").content)

    proved = verify(file, certificates, tmp_path)
    bundle = json.loads(file.read_bytes())
    bundle["records"][0][5] = "SH20261103000000000001"
    file.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
    tampered = verify(file, certificates, tmp_path)

    assert proved.returncode == 0, proved.stdout + proved.stderr
    assert json.loads(proved.stdout)["proved_by_platform"] is True
    assert tampered.returncode == 1
    assert "the platform's statement has other parts" in tampered.stdout


def verify(file: Path, certificates: Certificates, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable, "-m", "regulator_adapter", "verify", "--bundle", str(file),
        "--hospital-root", str(certificates.hospital.root),
        "--hospital-identity", certificates.hospital["adapter-seal"].identity,
        "--platform-root", str(certificates.platform.root),
        "--platform-identity", certificates.platform["supervision-seal"].identity,
    ]  # fmt: skip
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
