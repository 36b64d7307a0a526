"""Written samples against what was really said: the same fields, and the same values but for `$text`."""

import json
from pathlib import Path
from typing import Any

import httpx

SAMPLES = Path(__file__).parent / "samples"


def sample(path: str) -> Any:
    """One file."""
    return json.loads((SAMPLES / path).read_text("utf-8"))


def unlike(written: Any, said: Any, place: str = "") -> list[str]:
    """Where they differ."""
    if written == "$text":
        return [] if isinstance(said, str) and said else [f"{place}: {said!r} is no text"]
    if isinstance(written, dict) and isinstance(said, dict):
        missing = [f"{place}/{name}" for name in written.keys() ^ said.keys()]
        both = written.keys() & said.keys()
        return missing + [
            one for name in sorted(both) for one in unlike(written[name], said[name], f"{place}/{name}")
        ]
    if isinstance(written, list) and isinstance(said, list) and len(written) == len(said):
        pairs = zip(written, said, strict=True)
        return [one for n, pair in enumerate(pairs) for one in unlike(*pair, f"{place}/{n}")]
    return [] if written == said else [f"{place}: {said!r} instead of {written!r}"]


def listening(client: httpx.AsyncClient) -> list[tuple[str, Any, int, Any]]:
    """From now on: method and path, request, status, answer."""
    heard: list[tuple[str, Any, int, Any]] = []

    async def look(response: httpx.Response) -> None:
        asked, answer = response.request.content, await response.aread()
        is_json = "json" in response.headers.get("content-type", "")
        heard.append(
            (
                f"{response.request.method} {response.request.url.path}",
                json.loads(asked) if asked else None,
                response.status_code,
                json.loads(answer) if answer and is_json else None,
            )
        )

    client.event_hooks["response"].append(look)
    return heard
