"""Paths of the mini program and addresses of its web front: where a message may lead."""

import re
from urllib.parse import urlsplit

_PATH = re.compile(r"/?[A-Za-z0-9_\-.~%/]*(\?[^\s#\\]*)?")


def is_page(page: str) -> bool:
    """`visits/1?from=notice`, with or without a slash in front; never another host."""
    path = page.partition("?")[0]
    return (
        len(page) <= 1024
        and _PATH.fullmatch(page) is not None
        and not page.startswith("//")
        and ".." not in path.split("/")
    )


def address(front_url: str, page: str) -> str:
    """Where the mini program's `page` is on the web."""
    return f"{front_url}/{page.removeprefix('/')}"


def is_under(front_url: str, url: str) -> bool:
    """Same scheme, host and port, and at or below the path: a browser may be sent there."""
    if not url.isprintable() or any(sign in url for sign in "\\ "):
        return False
    try:
        own, other = urlsplit(front_url), urlsplit(url)
        same = (own.scheme, own.hostname, own.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False
    below = not own.path or other.path == own.path or other.path.startswith(f"{own.path}/")
    return same and below and "@" not in other.netloc and ".." not in other.path.split("/")
