"""The whitelist: everything that is wrong is named, nothing that is unclear is accepted."""

import copy
import tomllib
from typing import Any

import pytest

from contracts import his, supervision
from front_gateway.explaining import explain
from front_gateway.policy.finding import Finder
from front_gateway.policy.reading import DEFAULT, Policy, WhitelistError, parse_policy, read_policy
from front_gateway.refusals import NotListed

GOOD: dict[str, Any] = {
    "callers": {"api": {"identity": "spiffe://internet-hospital/api", "addresses": ["127.0.0.0/8"]}},
    "entry": [
        {"name": "patients", "callers": ["api"], "target": "his", "operation": "find-patient",
         "purposes": ["eligibility"], "fields": ["patient"], "max_body": 1000},
        {"name": "platform", "callers": ["api"], "target": "city", "method": "POST", "path": "/openapi/{version}",
         "headers": ["x-ca-*"], "max_body": 1000},
        {"name": "keep", "callers": ["api"], "target": "store", "method": "PUT", "folders": ["sheets"],
         "purposes": ["keeping"], "max_body": 2_000_000_000, "seconds": 1800},
    ],
}  # fmt: skip


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(WhitelistError) as refused:
        parse_policy(raw)
    return refused.value.mistakes


def changed(entry: int, **values: Any) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    raw["entry"][entry].update(values)
    return raw


def test_the_shipped_whitelist_is_valid_and_covers_every_operation() -> None:
    policy = read_policy(DEFAULT)

    assert {one.text.operation for one in policy.entries if one.text.operation} == {
        *his.BY_OPERATION, *supervision.BY_OPERATION
    }  # fmt: skip
    assert {one.path for one in policy.entries if not one.text.operation} == {
        "/openapi/api", "/shanghai/api", "/guangdong/api", "/kept/{folder}/{key}"
    }  # fmt: skip


def test_the_adapter_may_not_reach_the_hospital_nor_the_backend_the_platform() -> None:
    for entry in read_policy(DEFAULT).entries:
        assert ("adapter" in entry.text.callers) == (entry.text.target.value == "city")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (changed(0, callers=["nobody"]), "caller 'nobody' is not in the file"),
        (changed(0, operation="delete-everything"), "operation 'delete-everything' is none of"),
        (changed(0, purposes=["curiosity"]), "purpose 'curiosity' is none of"),
        (changed(0, purposes=[]), "purposes is empty"),
        (changed(0, fields=[]), "fields is empty"),
        (changed(0, fields=["patient.phone"]), "field 'patient.phone' is not in FindPatientReply"),
        (changed(0, fields=["patient.name"]), "field 'patient.birth_date' is required by the contract"),
        (changed(0, body=["id_number", "name", "phone"]), "body field 'phone' is not in FindPatient"),
        (changed(0, body=["id_number"]), "body field 'name' is required by the contract and must be let in"),
        (changed(0, query=["page"]), "query belongs to outward lines"),
        (changed(1, body=["x"]), "body belongs to inward lines"),
        (changed(1, query=["a b"]), "query field 'a b' is no plain name"),
        (changed(0, hours="7-22"), "hours '7-22' is no span"),
        (changed(0, hours="07:00-24:30"), "hours '07:00-24:30' is no span"),
        (changed(0, hours="08:00-08:00"), "is never open"),
        (changed(0, days=["monday"]), "day 'monday' is none of mon, tue"),
        (changed(0, path="/his/v1/x"), "path belongs to outward lines"),
        (changed(0, max_body=0), "max_body: Expected `int` >= 1"),
        (changed(0, at_once="many"), "at_once: Expected `int`"),
        (changed(0, burts=3), "unknown key 'burts'"),
        (changed(0, target="internet"), "target: Invalid enum value"),
        (changed(0, name="platform"), "the name is used twice"),
        (changed(1, method="DELETE"), "method must be GET or POST"),
        (changed(1, path="/openapi/../secret"), "is not a plain path"),
        (changed(1, path="/his/v1/visits"), "belongs to the hospital"),
        (changed(1, headers=["*"]), "header '*' is not a lower-case name"),
        (changed(1, headers=["Content-Type"]), "is not a lower-case name"),
        (changed(1, headers=["transfer-encoding"]), "cannot be passed on"),
        (changed(1, fields=["patient"]), "fields belongs to inward lines"),
        (changed(0, max_body=1_000_001), "max_body: at most 1000000"),
        (changed(1, seconds=121), "seconds: at most 120"),
        (changed(1, folders=["sheets"]), "folders belongs to store lines"),
        (changed(1, path="/kept/sheets"), "belongs to the hospital's store"),
        (changed(2, method="DELETE"), "method must be PUT, HEAD or GET"),
        (changed(2, folders=[]), "folders is empty"),
        (changed(2, folders=["../x"]), "folder '../x' is no plain name"),
        (changed(2, purposes=["treatment"]), "purpose 'treatment' is none of keeping, reading"),
        (changed(2, purposes=[]), "purposes is empty"),
        (changed(2, path="/kept/x"), "path belongs to other lines"),
        (changed(2, seconds=3_601), "seconds: Expected"),
        ({**GOOD, "callers": {}}, "callers: the file names none"),
        ({**GOOD, "entry": []}, "entry: the file has none"),
        ({**GOOD, "entries": []}, "unknown table 'entries'"),
        (
            {**GOOD, "callers": {"api": {"identity": "api", "addresses": ["127.0.0.1"]}}},
            "caller 'api': identity",
        ),
        (
            {**GOOD, "callers": {"api": {"identity": "spiffe://h/api", "addresses": ["10.0.0.1/8"]}}},
            "no CIDR network",
        ),
    ],
)
def test_a_mistake_is_named(raw: dict[str, Any], said: str) -> None:
    assert any(said in one for one in mistakes(raw)), mistakes(raw)


def test_all_mistakes_are_named_at_once() -> None:
    raw = changed(0, purposes=["curiosity"], fields=["nothing"])
    raw["entry"][1]["method"] = "PUT"

    assert len(mistakes(raw)) == 3


def test_two_entries_for_the_same_call_are_refused() -> None:
    raw = copy.deepcopy(GOOD)
    raw["entry"].append({**raw["entry"][0], "name": "again"})
    raw["entry"].append({**raw["entry"][1], "name": "also", "path": "/openapi/api"})
    raw["entry"].append({**raw["entry"][2], "name": "too", "folders": ["records", "sheets"]})

    assert [one for one in mistakes(raw) if "already has this" in one] == mistakes(raw)
    assert len(mistakes(raw)) == 3


def test_the_same_operation_for_another_purpose_is_another_entry() -> None:
    raw = copy.deepcopy(GOOD)
    raw["entry"].append({**raw["entry"][0], "name": "again", "purposes": ["treatment"]})

    assert len(parse_policy(raw).entries) == 4


def test_a_file_that_is_no_toml_is_said_so(tmp_path: Any) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[callers", encoding="utf-8")

    with pytest.raises(WhitelistError, match="is no TOML"):
        read_policy(file)


@pytest.fixture
def small() -> Policy:
    return parse_policy(GOOD)


@pytest.mark.parametrize(
    ("path", "fits"),
    [("/openapi/api", True), ("/openapi/v2", True), ("/openapi", False), ("/openapi/", False),
     ("/openapi/api/x", False), ("/Openapi/api", False)],
)  # fmt: skip
def test_a_template_stands_for_one_segment(small: Policy, path: str, fits: bool) -> None:
    finder = Finder(small)
    caller = finder.caller("spiffe://internet-hospital/api", "127.0.0.1")
    found = True
    try:
        finder.candidates(caller, "POST", path)
    except NotListed:
        found = False

    assert found is fits


@pytest.mark.parametrize(
    ("identity", "address", "known"),
    [("spiffe://internet-hospital/api", "127.0.0.1", True), ("spiffe://internet-hospital/api", "::ffff:127.0.0.1", True),
     ("spiffe://internet-hospital/api", "10.0.0.1", False), ("spiffe://internet-hospital/api", "garbage", False),
     ("spiffe://internet-hospital/api2", "127.0.0.1", False), ("", "127.0.0.1", False)],
)  # fmt: skip
def test_a_caller_is_certificate_and_address_together(
    small: Policy, identity: str, address: str, known: bool
) -> None:
    try:
        Finder(small).caller(identity, address)
        found = True
    except NotListed:
        found = False

    assert found is known


@pytest.mark.parametrize(
    ("asked", "passes", "said"),
    [
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/visits", "purpose": "eligibility"}, True, "visits-eligibility"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/visits"}, True, "visits-treatment"),
        ({"caller": "backend-api", "method": "GET", "path": "/his/v1/visits"}, False, "no line for this caller"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/visits", "purpose": "payment"}, False, "purpose not allowed"),
        ({"caller": "adapter", "method": "POST", "path": "/his/v1/visits"}, False, "for backend-api"),
        ({"caller": "stranger", "method": "POST", "path": "/his/v1/visits"}, False, "unknown caller"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/%2e"}, False, "bad_target"),
        ({"caller": "spiffe://internet-hospital/adapter", "method": "POST", "path": "/openapi/api"}, True, "x-ca-*"),
        ({"caller": "adapter", "method": "POST", "path": "/openapi/api?page=2"}, False, "query field not let in: page"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/find-patient", "body": b'{"purpose":"eligibility"}'},
         False, "id_number: 必填"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/find-patient",
          "body": b'{"purpose":"payment","id_number":"310114195809199069","name":"x"}'}, False, "purpose not allowed"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/find-patient",
          "body": b'{"purpose":"treatment","id_number":"310114195809199069","name":"x"}'}, True, "lets in    id_number, name"),
        ({"caller": "backend-api", "method": "POST", "path": "/his/v1/find-patient", "body": b" " * 3_000}, False, "413 too_large"),
    ],
)  # fmt: skip
def test_explain_says_what_a_call_would_meet(asked: dict[str, Any], passes: bool, said: str) -> None:
    answer, words = explain(read_policy(DEFAULT), **{"address": "127.0.0.1", **asked})

    assert answer is passes
    assert said in words


def test_the_file_is_toml_that_a_person_can_read() -> None:
    assert set(tomllib.loads(DEFAULT.read_text(encoding="utf-8"))) == {"callers", "entry", "senders"}
