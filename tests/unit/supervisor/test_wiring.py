"""The environment that each process is given is the one that it asks for."""

import dataclasses
from pathlib import Path

import pytest

from foundation.settings import load
from standalone.children import inherited
from standalone.installation import Installation
from standalone.prepared import digest_of
from standalone.processes import BY_NAME, HOSPITALS
from standalone.wiring import WIRES, environment
from tools.house_rules import sources
from tools.pages.settings_page import DOUBLES, look_ups
from tools.pages.settings_page import load as load_object

GIVEN_TO_ALL = {"ENV", "HOST", "PORT", "HEALTH_PORT"}
OURS = {
    "api": "backend.settings:Settings",
    "worker": "backend.settings:Settings",
    "gateway-a": "front_gateway.settings:Settings",
    "gateway-b": "front_gateway.settings:Settings",
    "adapter": "regulator_adapter.settings:Settings",
    "front": "miniapp_mock.front.settings:Settings",
}


def names_given(installation: Installation, name: str) -> set[str]:
    values = environment(BY_NAME[name], installation, "test", {})
    return set(values) - set(inherited()) - GIVEN_TO_ALL


def test_every_process_is_wired() -> None:
    assert set(WIRES) == set(BY_NAME)


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_gets_what_it_needs_and_nothing_it_does_not_know(
    installation: Installation, name: str
) -> None:
    kind = load_object(OURS[name])

    load(kind, environment(BY_NAME[name], installation, "test", {}))

    known = {field.name.upper() for field in dataclasses.fields(kind)}
    assert names_given(installation, name) <= known


def test_media_gets_what_it_needs(installation: Installation) -> None:
    load(
        load_object("backend.video.settings:MediaSettings"),
        environment(BY_NAME["media"], installation, "test", {}),
    )


ONLY_IN_TESTS = {"`simulators review_server`"}
"""A hospital without a review server of its own asks ours: `make run` is such a hospital."""


@pytest.mark.parametrize(("title", "file"), [one for one in DOUBLES if one[0] not in ONLY_IN_TESTS])
def test_a_double_gets_what_it_needs_and_nothing_it_does_not_know(
    installation: Installation, title: str, file: str
) -> None:
    name = title.strip("`").split()[1]
    name = "his" if name in HOSPITALS.values() else name  # it stands in that one's place
    source = next(one for one in sources() if str(one.path) == file)
    asked = {row[0].strip("`"): row[2] for row in look_ups(source)}
    given = names_given(installation, name)

    conditional = {"WECHAT_PLATFORM_CERT", "WECHAT_PLATFORM_KEY"}  # of old merchants
    assert {one for one, default in asked.items() if default == "**required**"} - conditional <= given
    assert given <= set(asked)


def test_the_caller_may_point_a_process_elsewhere_but_not_take_it_apart(installation: Installation) -> None:
    caller = {"CA_URL": "https://ca.example.org", "PORT": "1", "DATABASE_URL": "elsewhere", "UNRELATED": "x"}

    values = environment(BY_NAME["api"], installation, "development", caller)

    assert values["CA_URL"] == "https://ca.example.org"
    assert (values["PORT"], values["DATABASE_URL"]) == ("8100", installation.urls.database)
    assert "UNRELATED" not in values


def test_a_digest_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("1")
    before = digest_of([tmp_path])
    (tmp_path / "one.py").write_text("2")
    changed = digest_of([tmp_path])
    (tmp_path / "one.py").rename(tmp_path / "two.py")

    assert len({before, changed, digest_of([tmp_path])}) == 3
