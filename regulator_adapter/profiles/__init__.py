"""Profiles: a platform's interface as data. Adding a platform is a TOML file here and mapping modules beside it."""

from functools import cache
from importlib import resources

from regulator_adapter.profiles.reading import Method, Profile, read

__all__ = ["NAMES", "Method", "Profile", "profile"]

NAMES = ("tianjin-1.0", "shanghai", "guangdong")


@cache
def profile(name: str) -> Profile:
    """The profile named `name`; `KeyError` when there is none."""
    if name not in NAMES:
        raise KeyError(name)
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return read(text)
