"""A pytest plugin (`-p tools.failed_tests`): names what failed in the file `FAILED_TESTS`, one test a line."""

import os
from pathlib import Path

import pytest

VARIABLE = "FAILED_TESTS"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end, in the process that reports."""
    found = [one.nodeid for kind in ("failed", "error") for one in terminalreporter.stats.get(kind, [])]
    if path := os.environ.get(VARIABLE):
        Path(path).write_text("".join(f"{name}\n" for name in dict.fromkeys(found)), encoding="utf-8")
