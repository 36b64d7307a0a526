"""Every place that keeps something says of which class of data it is, and none keeps what is the hospital's (design.md 5.1)."""

from pathlib import PurePosixPath
from typing import Any

import msgspec
import pytest
from sqlalchemy import Column, LargeBinary

from foundation.db.columns import DataClass
from tools.data_classes import Declared, Keys, findings, read
from tools.data_classes.findings import of_documents, of_logs, of_structs, of_valkey
from tools.data_classes.in_code import ours
from tools.house_rules import Source
from tools.house_rules.columns import undeclared

CLASS = DataClass.HOSPITAL


def source(text: str) -> list[Source]:
    return [*ours(), Source(PurePosixPath("backend/new/service.py"), text)]


def changed(**parts: Any) -> Declared:
    return msgspec.structs.replace(read(), **parts)


def test_code_and_declaration_agree_and_nothing_of_the_hospital_is_stored() -> None:
    found = findings(read(), ours())

    assert not found, "\n" + "\n".join(found)


def test_what_the_hospital_answers_is_shown_and_not_kept() -> None:
    shown = {name for name, held in read().hospital.items() if held.get(CLASS)}

    assert {
        f"contracts.his.reading.{one}" for one in ("Allergy", "Report", "ReportValue", "HistoryMedication")
    } <= shown
    assert [name for name, keys in read().valkey.items() if keys.holds is CLASS] == ["display:history:"]


@pytest.mark.parametrize(("text", "told"), [
    ('import redis\nkey = f"reports:{person}"', "[valkey] reports:"),
    ('import redis\nPREFIX = "reports:"', "[valkey] reports:"),
    ('key = f"scans/{encounter}"', "[objects] scans/"),
    ('log.info("seen", diagnosis=name)', "[logs] diagnosis"),
    ('log.info("seen", **fields)', "does not spell out"),
    ('def view():\n    audit(session, detail={"conclusion": text})', "[keys.audit] conclusion"),
])  # fmt: skip
def test_a_new_place_without_a_class_is_found(text: str, told: str) -> None:
    assert any(told in one for one in findings(read(), source(text)))


def test_an_empty_declaration_misses_every_column_event_and_answer() -> None:
    nothing = changed(documents={}, structs={}, hospital={})

    found = [*of_documents(nothing, ours()), *of_structs(nothing)]

    for name in ("outbox_event.payload", "contracts.blocks.Diagnosis", "contracts.his.reading.Report"):
        assert any(f" {name} has no class" in one for one in found), name


def test_an_answer_of_the_hospital_inside_something_stored_is_found() -> None:
    documents = read().documents | {"drug.facts": "contracts.his:HistoryReply"}

    assert any(
        "contracts.his.reading.Report is an answer of the hospital and stands in something stored" in one
        for one in of_structs(changed(documents=documents))
    )


def test_content_of_the_hospital_is_refused_in_a_column_an_event_an_object_and_a_log() -> None:
    column: Column[Any] = Column("conclusion", LargeBinary, info={"data_class": CLASS})
    event = {"contracts.events.RecordViewed": {CLASS: ["archives"]}}

    assert undeclared([column]) == ["conclusion would store what is the hospital's"]
    assert any("archives would store" in one for one in of_structs(changed(structs=read().structs | event)))
    assert any("would store" in one for one in findings(changed(objects={"attachments/": CLASS}), ours()))
    assert any("never written to a log" in one for one in of_logs(changed(logs={CLASS: ["text"]}), ours()))


@pytest.mark.parametrize(("seconds", "sealed"), [(300, False), (0, True), (86400, True)])
def test_the_display_cache_is_sealed_and_short_lived(seconds: int, sealed: bool) -> None:
    open_keys = read().valkey | {"display:history:": Keys(CLASS, seconds, "too long or open", sealed)}

    assert any(
        "display:history: holds the hospital's" in one for one in of_valkey(changed(valkey=open_keys), ours())
    )


def test_the_life_that_is_declared_is_the_life_that_is_given() -> None:
    from backend.record.history import LIFE

    assert read().valkey["display:history:"].seconds == LIFE.total_seconds()
