"""Rules about files of any kind: no path of one machine anywhere, no package host in a lock."""

import re
from collections.abc import Iterator

from tools.house_rules.source import Finding

# A home folder, or a working folder at the root: nobody else has it.
MACHINE_PATH = re.compile(r"(?<![\w.:/<-])/(?:(?:home|Users)/[\w.-]+/|(?:root|work)/)[\w.-]+")
HOST = re.compile(r"://|^--|^-[if] |\bfile:", re.MULTILINE)


def machine_paths(path: str, text: str) -> Iterator[Finding]:
    """Absolute paths that exist on one machine only."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE_PATH.search(line):
            yield Finding("machine-path", path, number, found[0])


def lock_hosts(path: str, text: str) -> Iterator[Finding]:
    """A lock says what, never from where."""
    for found in HOST.finditer(text):
        yield Finding(
            "lock-host", path, text.count("\n", 0, found.start()) + 1, "names a host or an option of pip"
        )
