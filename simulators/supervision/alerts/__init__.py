"""Rule alerts (预警): what a stored record gives reason for, and what it explains.

The feed may come in any order. So no rule asks what came before: each is a judgement of what is stored, and whatever could
change a judgement (a filing, a verification, an eligibility, a review, a payment, another visit of the hour) makes it anew.
Which alerts stand is thereby the same for every order of arrival.
"""

from simulators.supervision.alerts.rules import RULES, Rule
from simulators.supervision.alerts.visits import EVIDENCE_DAYS
from simulators.supervision.alerts.watching import watch, watch_chain

__all__ = ["EVIDENCE_DAYS", "RULES", "Rule", "watch", "watch_chain"]
