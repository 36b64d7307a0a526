"""The account that servers run as: PostgreSQL refuses root, so root lends them `nobody`."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """A user and group; `lent` when it is not the one this program runs as."""

    uid: int
    gid: int
    lent: bool

    def process_arguments(self) -> dict[str, Any]:
        """For subprocess: who runs it, where, with how little environment."""
        arguments: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LANG": "C.UTF-8"}}
        if self.lent:
            arguments |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return arguments

    def own(self, path: Path) -> None:
        if self.lent:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def owner_account(home: Path) -> Account:
    """Ourselves; as root the owner of `home` when that exists and is not root, otherwise nobody."""
    if os.geteuid() == 0 and home.is_dir() and (owner := home.stat().st_uid) != 0:
        return _lent(owner)
    return server_account()


def server_account() -> Account:
    """Ourselves; as root nobody."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    try:
        return _lent(pwd.getpwnam("nobody").pw_uid)
    except KeyError:
        return Account(NOBODY, NOBODY, lent=True)


def _lent(uid: int) -> Account:
    try:
        return Account(uid, pwd.getpwuid(uid).pw_gid, lent=True)
    except KeyError:  # PostgreSQL cannot run as somebody without a name
        raise PermissionError(
            f"the owner of the database folder (uid {uid}) is no user of this machine"
        ) from None


def can_reach(path: Path, account: Account) -> bool:
    """May the account read (a program: run) what is at `path`? Judged by mode bits alone."""
    return can_pass(path.parent, account) and _allowed(path, account, stat.S_IROTH | stat.S_IXOTH)


def can_pass(folder: Path, account: Account) -> bool:
    """May the account go through `folder` and every folder above it?"""
    resolved = folder.resolve()
    return all(_allowed(one, account, stat.S_IXOTH) for one in (resolved, *resolved.parents))


def _allowed(path: Path, account: Account, bits: int) -> bool:
    """`bits` as they stand for others."""
    try:
        found = path.stat()
    except OSError:
        return False
    if account.uid == found.st_uid:
        bits <<= 6
    elif account.gid == found.st_gid:
        bits <<= 3
    return found.st_mode & bits == bits
