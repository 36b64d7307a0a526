"""Runs rules over a file and takes off what a comment excuses."""

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping

from tools.house_rules.source import Finding, Source

Rule = Callable[[Source], Iterable[tuple[int, str]]]
"""Yields the line number and a sentence for each place that breaks it."""

ESCAPE = re.compile(r"#\s*house:\s*(?P<rule>[\w-]*)\s*:?\s*(?P<reason>.*)$")


def escapes(source: Source) -> dict[int, re.Match[str]]:
    """Escape comments by line number."""
    if "house:" not in source.text:
        return {}
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return {
        token.start[0]: found
        for token in tokens
        if token.type == tokenize.COMMENT and (found := ESCAPE.search(token.string)) is not None
    }


def check(source: Source, rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Findings of all `rules` in one file, and of escapes that give no reason or are not needed."""
    path = str(source.path)
    excused = escapes(source)
    used: set[int] = set()
    for name, rule in rules.items():
        for line, text in rule(source):
            place = next(
                (at for at in (line, line - 1) if at in excused and excused[at]["rule"] == name), None
            )
            if place is None:
                yield Finding(name, path, line, text)
            else:
                used.add(place)
    for line, found in excused.items():
        if found["rule"] not in rules:
            yield Finding("escape", path, line, f"there is no rule {found['rule']!r}")
        elif not found["reason"].strip():
            yield Finding("escape", path, line, "says no reason: # house: <rule>: why")
        elif line not in used:
            yield Finding("escape", path, line, f"excuses nothing: {found['rule']} finds nothing here")
