"""Other numbers of booking and waiting for the length of a block."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backend.policy import Policy, bind_policy, policy


@contextmanager
def numbers(**changes: Any) -> Iterator[Policy]:
    """`with numbers(quota_doctor_day=2): …`; everything else as it was."""
    before = policy()
    changed = dataclasses.replace(before, **changes)
    bind_policy(changed)
    try:
        yield changed
    finally:
        bind_policy(before)
