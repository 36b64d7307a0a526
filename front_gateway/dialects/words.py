"""The hospital's own words: codes, systems, names of interfaces. They stand in the file `HIS_SYSTEMS`, each dialect's in its own form."""


class SystemsError(Exception):
    """The file cannot be used; the message names the key."""
