import pytest

from backend.desk.deeds import WORDS, words
from backend.payment.states import PAYMENT, REFUND
from backend.pricing.states import PRICE_LIST
from backend.reconciliation.states import DIFFERENCE, RECONCILIATION
from foundation.states import Machine

SHOWN = (PAYMENT, REFUND, PRICE_LIST, RECONCILIATION, DIFFERENCE)


@pytest.mark.parametrize("machine", SHOWN, ids=lambda machine: machine.name)
def test_every_verb_that_a_desk_shows_has_words(machine: Machine) -> None:
    assert {f"{machine.name}.{line.verb}" for line in machine.moves} <= set(WORDS)


def test_what_has_no_words_is_shown_by_its_name() -> None:
    assert words("something.new") == "something.new"
