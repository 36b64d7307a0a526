"""Rules of the house that neither ruff, mypy nor import-linter can see; `tests/test_house_rules.py` runs them.

A line may be excused by a comment on it or on the line above, with a reason: `house: <rule>: why`. A comment without a
reason, of an unknown rule or that excuses nothing is a finding too.
"""

from tools.house_rules.escapes import check
from tools.house_rules.source import CODE_FOLDERS, ROOT, Finding, Source, sources, texts

__all__ = ["CODE_FOLDERS", "ROOT", "Finding", "Source", "check", "sources", "texts"]
