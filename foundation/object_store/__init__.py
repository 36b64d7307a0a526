"""Files of the system (attachments, recordings, documents) behind one port, encrypted in chunks.

An object is written once, from its start to its end, under a key that did not exist before. It is readable while it is
being written and after a crash, up to the last whole chunk; `complete` says whether its end was ever written.
Who may delete what, and when, is decided by the caller: the store only obeys.
"""

from foundation.object_store.folder import FolderStore
from foundation.object_store.port import (
    AlreadyThere,
    Appender,
    Damaged,
    NotThere,
    ObjectInfo,
    ObjectStore,
    check_key,
)

__all__ = [
    "AlreadyThere",
    "Appender",
    "Damaged",
    "FolderStore",
    "NotThere",
    "ObjectInfo",
    "ObjectStore",
    "check_key",
]
