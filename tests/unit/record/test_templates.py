"""Templates give words to begin with, and never a drug."""

import re

import msgspec
import pytest

from backend.formulary.facts import builtin_csv, parse
from backend.record.phrases import RecordTemplate, fitting, templates
from backend.record.rules import record_issues
from miniapp_mock.front.pages.doctor_record import filled

TEXTS = ("chief_complaint", "present_history", "past_history", "examination", "opinion", "advice")


def test_there_is_no_field_for_a_drug() -> None:
    """监管细则 2022: a prescription is written by the doctor in person."""
    assert {field.name for field in msgspec.structs.fields(RecordTemplate)} == {"id", "name", "codes", *TEXTS}


@pytest.mark.parametrize("template", templates(), ids=lambda one: one.id)
def test_no_template_names_a_drug_of_the_formulary(template: RecordTemplate) -> None:
    drugs, _ = parse(builtin_csv())
    words = " ".join(getattr(template, name) for name in TEXTS)

    assert not [drug.generic_name for drug in drugs if drug.generic_name in words]
    assert not re.search(r"\d+\s*(mg|片|粒|袋)", words)


def test_every_template_has_a_name_of_its_own_and_enough_for_a_record() -> None:
    assert len({one.id for one in templates()}) == len(templates()) >= 12
    for one in templates():
        fields = {name: re.sub("【[^】]*】", "无", getattr(one, name)) for name in TEXTS}
        assert record_issues(fields, diagnoses=1) == [], one.id


def test_those_for_the_diagnosis_come_first() -> None:
    assert fitting(["E11.900"])[0].id == "diabetes"
    assert {one.id for one in fitting(["Z99"])} == {one.id for one in templates()}


def test_a_record_with_a_blank_left_is_not_signed() -> None:
    fields = dict.fromkeys(TEXTS, "写好了") | {"present_history": "血压【】/【】mmHg"}

    assert [(one.field, one.code) for one in record_issues(fields, diagnoses=1)] == [
        ("present_history", "blank_left")
    ]


def test_what_was_written_is_not_touched_by_a_template() -> None:
    template = {"chief_complaint": "模板", "opinion": "模板"}

    assert filled({"chief_complaint": "她说头晕", "opinion": " "}, template) == {
        "chief_complaint": "她说头晕", "opinion": "模板",
    }  # fmt: skip
    assert filled({"opinion": ""}, None) == {"opinion": ""}
