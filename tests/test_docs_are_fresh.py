"""What the code has, the documents name."""

import pytest

from contracts import events
from tools.generate_docs import documents, forgotten
from tools.house_rules import ROOT
from tools.pages.errors_page import codes
from tools.pages.settings_page import OURS, load, ours
from tools.pages.states_page import machines

DOCUMENTS = documents()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_document_is_what_the_code_says(path: str) -> None:
    file = ROOT / path

    assert file.exists(), f"{path} is missing: make docs"
    assert file.read_text(encoding="utf-8") == DOCUMENTS[path], f"{path} is stale: make docs"


def test_no_list_of_a_document_forgot_something() -> None:
    assert forgotten() == []


def test_no_document_is_empty() -> None:
    assert len(machines()) >= 8
    assert len(codes()) > 50
    assert len(events.ALL) >= 24
    assert sum(1 for _, path in OURS for _ in ours(load(path))) > 60


def test_every_setting_says_what_it_means() -> None:
    lines = DOCUMENTS["docs/settings.md"].splitlines()

    assert [line for line in lines if line.startswith("| `") and line.endswith("|  |")] == []


def test_every_event_of_a_state_table_is_a_contract() -> None:
    published = {line.event for _, _, machine in machines() for line in machine.moves if line.event}

    assert published
    assert published <= set(events.BY_TYPE)


def test_every_file_that_a_document_links_to_is_there() -> None:
    missing = []
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for link in _links(document.read_text(encoding="utf-8")):
            if not (document.parent / link).exists():
                missing.append(f"{document.relative_to(ROOT)}: {link}")

    assert missing == []


def _links(text: str) -> list[str]:
    found = [part.partition(")")[0] for part in text.split("](")[1:]]
    local = [link.partition("#")[0] for link in found if "://" not in link and not link.startswith("mailto:")]
    return [link for link in local if link]
