"""People read Chinese names, not the interface's: for every field that may stop a record."""

from pathlib import Path

import pytest

from regulator_adapter import names, profiles
from regulator_adapter.profiles import Method

DOCS = Path(__file__).parents[3] / "docs" / "profiles"
DOCUMENTED = ("tianjin-1.0", "shanghai")
METHODS = [(name, method) for name in DOCUMENTED for method in profiles.profile(name).methods.values()]


@pytest.mark.parametrize(("profile", "method"), METHODS, ids=lambda one: getattr(one, "name", one))
def test_every_record_and_field_is_named_as_the_profiles_document_has_it(
    profile: str, method: Method
) -> None:
    text = (DOCS / f"{profile}.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"### `{method.name}` ")
    section = rest.partition("\n### ")[0]
    fields = [*method.fields, *(field for table in method.lists.values() for field in table)]

    assert section.startswith(names.kind(method.name))
    for field in fields:
        [row] = [line for line in section.splitlines() if line.startswith(f"| `{field.name}` |")][:1]
        assert f"| {names.field(method.name, field.name)} |" in row, field.name


def test_a_field_within_a_list_is_named_with_its_place() -> None:
    named = names.field("uploadRecipeIndicators", "orderList[1].drcode")

    assert named == "药品明细第2条·" + names.field("uploadRecipeIndicators", "drcode")


@pytest.mark.parametrize(
    ("problems", "words", "expected"),
    [
        ("chiefComplaint", "chiefComplaint：缺少必填字段", [("主诉", "缺少必填字段")]),
        ("age|sex", "", [("年龄", "缺少必填字段"), ("性别", "缺少必填字段")]),
        ("sex", "sex：代码不在平台代码表中：'3'", [("性别", "代码不在平台代码表中：'3'")]),
        ("", "", []),
        ("waits for earlier events of its stream", "", []),
        ("somethingNew", "", [("somethingNew", "缺少必填字段")]),
    ],
)
def test_what_stopped_a_record_is_told_field_by_field(
    problems: str, words: str, expected: list[tuple[str, str]]
) -> None:
    found = names.missing("uploadElectMedicalRecord", problems, words)

    assert [(one.name, one.problem) for one in found] == expected
