"""The second field family: what its rows say, how they are signed, and what becomes of each of them."""

from typing import Any

import gmssl_pyx
import msgspec
import pytest
from aiohttp import web

from foundation.db.unit_of_work import Database
from foundation.suites import suite
from foundation.suites.commercial import Sm2Signer
from regulator_adapter import profiles
from regulator_adapter.city_wire import SIGNED, Credentials, seal
from regulator_adapter.figures import figures
from regulator_adapter.organisation import Organisation
from regulator_adapter.replies import Meaning, read
from regulator_adapter.routing import routing
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.fake_platform import CREDENTIALS, FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over
from tests.unit.regulator_adapter.mapped import all_records

pytestmark = pytest.mark.anyio

GUANGDONG = profiles.profile("guangdong")


def own_key() -> Sm2Signer:
    public, private = gmssl_pyx.sm2_key_generate()
    return Sm2Signer(b"\x04" + public, private)


def credentials() -> Credentials:
    return Credentials(CREDENTIALS.app_key, CREDENTIALS.key, CREDENTIALS.iv, own_key())


def rows(*events: tuple[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of this profile that `events` become, by table; a wrong one fails the test."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _, stop, record, issues in all_records(b.Feed().envelopes(list(events)), "guangdong"):
        if stop.profile == "guangdong":
            assert issues == [], (stop, issues)
            found.setdefault(stop.method, []).append(record)
    return found


def test_every_event_becomes_whole_rows_in_every_table() -> None:
    assert set(rows(*b.one_of_each())) == set(GUANGDONG.methods)


def test_a_line_that_was_given_out_names_four_pharmacists() -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    made = rows(
        ("visit:1", b.prescription_signed(visit, prescription)),
        ("visit:1", b.prescription_approved(visit, prescription)),
        ("visit:1", b.dispense_completed(visit, prescription)),
    )["bb_pi_prescription_detail"]

    reviewed, given_out = made
    assert [reviewed["cfzt"], given_out["cfzt"]] == ["2", "3"]
    assert "cftpyjsdm" not in reviewed
    names = [given_out[f"cf{step}yjsxm"] for step in ("sh", "tp", "hd", "fy")]
    assert names == [b.PHARMACIST.name, b.DISPENSER.name, b.PHARMACIST.name, b.PHARMACIST.name]
    assert given_out["cfshyjsqm"] == "cGhhcm1hY2lzdA=="
    assert given_out["cftpyjsqm"] == b.DISPENSER.name
    assert given_out["ysqm"] == "ZG9jdG9y"


def test_a_line_without_the_one_who_put_it_together_is_parked_with_the_columns_named() -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    older = msgspec.structs.replace(
        b.dispense_completed(visit, prescription), prepared_by=None, prepared_at=None
    )
    events = [("visit:1", b.prescription_signed(visit, prescription)), ("visit:1", older)]

    [issues] = [
        issues
        for envelope, stop, _, issues in all_records(b.Feed().envelopes(events), "guangdong")
        if envelope.type == "dispense.completed" and stop.profile == "guangdong"
    ]

    assert [issue.field for issue in issues] == ["cftpyjsdm", "cftpyjsxm", "cftpyjsqm", "cftpyjssj"]


def test_a_video_visit_says_where_each_side_is_kept_and_a_written_one_does_not() -> None:
    seen = b.a_visit()
    written = msgspec.structs.replace(b.a_visit(), mode="text")
    first, second = rows(("v:1", b.encounter_completed(seen)), ("v:2", b.encounter_completed(written)))[
        "bb_pi_treatment"
    ]

    assert first["ysspdz"].endswith("/video/practitioner")
    assert first["hzspdz"].endswith("/video/patient")
    assert first["ypdz"].endswith("/audio")
    assert not {"ysspdz", "hzspdz", "ypdz"} & set(second)
    assert second["twdz"].endswith("/chat")


def test_a_place_given_back_and_a_prescription_withdrawn_revoke_their_rows() -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    made = rows(
        ("visit:1", b.appointment_booked(visit)),
        ("visit:1", b.appointment_cancelled(visit)),
        ("visit:1", b.prescription_signed(visit, prescription)),
        ("visit:1", b.prescription_cancelled(visit, prescription)),
    )

    assert [row["cxbz"] for row in made["bb_pi_appointment"]] == ["0", "1"]
    assert [row["cxbz"] for row in made["bb_pi_prescription_detail"]] == ["1"]


def test_a_child_under_six_has_her_guardian_beside_her() -> None:
    [row] = rows(("visit:1", b.encounter_completed(b.a_visit(b.CHILD, b.GUARDIAN))))["bb_pi_treatment"]

    assert (row["nls"], row["jhrxm"]) == (3, b.GUARDIAN.name)


def test_each_row_of_an_event_has_a_name_of_its_own() -> None:
    names = [row["sjbs"] for table in rows(*b.one_of_each()).values() for row in table]
    by_table = {table: [row["sjbs"] for row in made] for table, made in rows(*b.one_of_each()).items()}

    assert all(len(set(made)) == len(made) for made in by_table.values())
    assert all(":" in name for name in names)


def test_the_headers_are_signed_by_the_hospitals_own_key() -> None:
    own = credentials()
    message = seal(
        [{}], own, service=GUANGDONG.service, method="bb_pi_drug", nonce=b.HOSPITAL_ID, millis=1795000000123,
        suite=GUANGDONG.suite, by_key=GUANGDONG.signed_by_key,
    )  # fmt: skip
    lower = {name.lower(): value for name, value in message.headers.items()}
    text = "&".join(f"{name}:{lower[name]}" for name in SIGNED).encode()

    assert own.signer is not None
    assert message.headers["X-Ca-Signature-Method"] == "SM2-SM3"
    assert suite("commercial").verify(own.signer.public, text, bytes.fromhex(lower["x-ca-signature"]))


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="own key"):
        seal([], CREDENTIALS, service="s", method="m", nonce=b.HOSPITAL_ID, millis=1, by_key=True)


def test_an_answer_names_its_rows() -> None:
    body = {"code": 200, "body": {"msgCode": 200, "msg": "", "rows": [
        {"sjbs": "a:1", "status": 1, "receipt": "GD1"}, {"sjbs": "b:1", "status": 2, "msgCode": -99, "msg": "xm"},
        {"sjbs": "c:1", "status": 0},
    ]}}  # fmt: skip
    reply = read(200, msgspec.json.encode(body))

    assert reply.meaning is Meaning.REJECTED
    assert reply.receipts["a:1"].number == "GD1"
    assert reply.failures == {"b:1": ("200/-99", "xm")}


@pytest.mark.parametrize("rows", [None, [{}], [{"sjbs": "a", "status": 1}], {"a": 1}])
def test_an_answer_that_cannot_be_read_is_no_answer(rows: object) -> None:
    body = {"code": 200, "body": {"msgCode": 200, "msg": "", "rows": rows}}

    assert read(200, msgspec.json.encode(body)).meaning is Meaning.UNKNOWN


@pytest.fixture
async def adapter(db: Database, organisation: Organisation, platform: FakePlatform) -> Any:
    async with adapter_over(
        db, organisation, platform, reports_by="guangdong", credentials=credentials()
    ) as made:
        yield made


async def test_everything_that_happened_is_accepted(adapter: Adapter) -> None:
    await adapter.takes(*b.one_of_each())

    await adapter.drain()

    counted = await figures(adapter.db)
    assert (counted.missing, counted.parked, counted.waiting) == (0, 0, 0)


async def test_a_bad_row_goes_to_people_and_its_neighbours_are_sent(adapter: Adapter) -> None:
    drugs = (await adapter.takes(("catalogue", b.drug_catalogue_changed())))[0]

    async def refuse_the_second(request: fake.Request) -> web.Response:
        return fake.by_rows(request, {1: (-99, "ypfl|ypdj")} if request.method == "bb_pi_drug" else {})

    adapter.platform.script = [refuse_the_second, refuse_the_second]
    await adapter.drain()

    found = {
        row.business_number: row for row in await adapter.rows(drugs.event_id) if row.profile == "guangdong"
    }
    states = {number: row.state for number, row in found.items()}
    assert sorted(states.values()) == ["accepted", "rejected"]
    refused = next(row for row in found.values() if row.state == "rejected")
    assert (refused.problems, refused.reply_code) == ("ypfl|ypdj", "200/-99")


async def test_a_row_that_the_answer_forgets_is_sent_again(adapter: Adapter) -> None:
    drugs = (await adapter.takes(("catalogue", b.drug_catalogue_changed())))[0]

    async def answer_the_first_only(request: fake.Request) -> web.Response:
        first = fake.Request(request.path, request.method, request.records[:1])
        return await fake.accept(first if request.method == "bb_pi_drug" else request)

    adapter.platform.script = [answer_the_first_only, answer_the_first_only]
    await adapter.drain()
    waiting = [row.state for row in await adapter.rows(drugs.event_id) if row.profile == "guangdong"]
    adapter.pass_time(3)
    await adapter.drain()

    assert sorted(waiting) == ["accepted", "submitted"]
    assert {row.state for row in await adapter.rows(drugs.event_id)} == {"accepted"}


def test_the_table_of_this_hospital_routes_every_event() -> None:
    assert {route.profile for route in routing("guangdong").routes.values()} == {"guangdong", "shanghai"}
