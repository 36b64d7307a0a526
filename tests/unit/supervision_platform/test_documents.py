from pathlib import Path

import pytest

from simulators.supervision.alerts import RULES
from simulators.supervision.console.wording import CONCERNS, EVENTS
from simulators.supervision.tables import Profile, guangdong, shanghai, tianjin
from simulators.supervision.tables.markdown import replace_tables

DOCUMENTS = Path(__file__).parents[3] / "docs" / "profiles"


@pytest.mark.parametrize("profile", [tianjin(), shanghai(), guangdong()], ids=lambda profile: profile.name)
def test_the_documents_tables_are_those_of_the_platform(profile: Profile) -> None:
    document = (DOCUMENTS / f"{profile.name}.md").read_text(encoding="utf-8")

    assert document == replace_tables(document, profile)


def test_every_event_type_has_a_word_and_every_rule_a_concern() -> None:
    events = {event for method in shanghai().methods.values() for event in method.events} - {"*"}

    assert events <= set(EVENTS)
    assert {rule.concern for rule in RULES.values()} <= set(CONCERNS)
