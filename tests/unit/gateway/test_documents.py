"""What the code has, the documents name."""

from pathlib import Path

import msgspec
import pytest

from contracts import his, supervision
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.soap.dialect import ANSWERED
from front_gateway.dialects.soap.hospital_profile import Formats, Frame, Results, Wire, read_profile
from front_gateway.explaining import explain
from front_gateway.policy.lines import CallerText, EntryText
from front_gateway.policy.reading import DEFAULT, PURPOSES, read_policy
from front_gateway.settings import Settings

DOCS = Path(__file__).parents[3] / "docs"
GATEWAY = (DOCS / "gateway.md").read_text(encoding="utf-8")
HOSPITAL = (DOCS / "hospital_fhir.md").read_text(encoding="utf-8")
SOAP = (DOCS / "hospital_soap.md").read_text(encoding="utf-8")
PROCESSES = (DOCS / "processes.md").read_text(encoding="utf-8")
CODES = (
    "bad_target", "malformed_json", "not_listed", "patient_not_found", "length_required", "too_large", "invalid",
    "hospital_refused", "too_many", "hospital_answer_unusable", "platform_answer_unusable", "wrong_subject",
    "hospital_unreachable", "platform_unreachable", "busy", "audit_unavailable", "hospital_timeout", "platform_timeout",
    "backend_answer_unusable", "backend_unreachable", "backend_timeout",
)  # fmt: skip


@pytest.mark.parametrize("kind", [CallerText, EntryText])
def test_every_key_of_the_whitelist_is_described(kind: type[msgspec.Struct]) -> None:
    assert [one.name for one in msgspec.structs.fields(kind) if f"`{one.name}`" not in GATEWAY] == []


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_described(code: str) -> None:
    assert f"`{code}`" in GATEWAY


@pytest.mark.parametrize("operation", list(his.BY_OPERATION))
def test_every_operation_says_what_it_asks_of_the_hospital(operation: str) -> None:
    assert f"`{operation}`" in HOSPITAL


@pytest.mark.parametrize("operation", list(supervision.BY_OPERATION))
def test_every_operation_of_supervisors_is_described_and_listed(operation: str) -> None:
    assert f"`{operation}`" in GATEWAY
    assert operation in {entry.text.operation for entry in read_policy(DEFAULT).entries}


def test_the_dry_run_in_the_document_is_what_the_command_says() -> None:
    path = "/supervision/v1/open-look-in"
    for name, passes in (("supervision", True), ("adapter", False)):
        said = explain(read_policy(DEFAULT), caller=name, address="127.0.0.1", method="POST", path=path)
        assert said[0] is passes
        assert said[1] in GATEWAY


def test_every_identifier_system_is_listed() -> None:
    assert [one for one in msgspec.structs.astuple(Systems()) if one and f"`{one}`" not in HOSPITAL] == []


@pytest.mark.parametrize("operation", [one.OPERATION for one in ANSWERED])
def test_every_operation_says_what_it_asks_of_a_soap_hospital(operation: str) -> None:
    assert f"`{operation}`" in SOAP


def test_every_part_of_a_soap_profile_is_described() -> None:
    profile = read_profile(None)
    keys = [one.name for kind in (Wire, Frame, Results, Formats) for one in msgspec.structs.fields(kind)]

    assert [one for one in (*keys, *profile.interfaces, *profile.codes) if f"`{one}`" not in SOAP] == []


def test_every_setting_is_in_the_table_of_processes() -> None:
    missing = [name.upper() for name in Settings.__dataclass_fields__ if f"`{name.upper()}`" not in PROCESSES]

    assert missing == []


def test_the_purposes_of_the_whitelist_are_those_of_the_contract() -> None:
    for purpose in PURPOSES:
        assert msgspec.convert(purpose, his.Purpose) == purpose
