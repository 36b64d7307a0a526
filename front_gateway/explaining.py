"""What a call would meet, in words, without making it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from contracts import his, supervision
from foundation.errors import AppError, TooLarge
from foundation.web.parsing import decode
from front_gateway.policy.finding import Finder
from front_gateway.policy.let_in import kept_out
from front_gateway.policy.lines import Caller, Entry, EntryText
from front_gateway.policy.reading import Policy
from front_gateway.refusals import BadTarget, NotListed, Target
from front_gateway.targets import split_target


def explain(
    policy: Policy,
    *,
    caller: str,
    address: str,
    method: str,
    path: str,
    purpose: str = "",
    body: bytes | None = None,
    at: datetime | None = None,
) -> tuple[bool, str]:
    """Whether it would pass, and why; `caller` is a name of the file or a `spiffe://` identity, `path` may have a query.

    With `body` its fields and size are judged too (and its purpose, when it has one), with `at` (aware) the hours.
    """
    purpose = purpose or _purpose_in(body)
    finder = Finder(policy)
    named = policy.callers.get(caller)
    identity = named.identity if named else caller
    try:
        plain, query = split_target(path)
        who = finder.caller(identity, address)
        candidates = finder.candidates(who, method, plain)
        if purpose:
            candidates = [finder.for_purpose(candidates, purpose)]
        for one in candidates:
            _judge(one, query, body, at)
    except BadTarget as refused:
        return False, f"400 bad_target: {refused.reason}"
    except NotListed as refused:
        near = "" if refused.issues else _nearest(policy, identity, method, path.partition("?")[0])
        return False, f"403 not_listed: {refused.reason}\n{near}".rstrip()
    except AppError as refused:
        words = [refused.detail, *(f"{issue.field}: {issue.message}" for issue in refused.issues)]
        return False, f"{refused.status} {refused.code}: {'; '.join(words)}"
    return True, "\n\n".join(_described(one, who) for one in candidates)


def _described(entry: Entry, who: Caller) -> str:
    text = entry.text
    lines = [
        f"entry {entry.name!r} → {text.target.value}",
        f"  caller     {who.name} ({who.identity}) from {', '.join(str(one) for one in who.networks)}",
        f"  call       {entry.method} {entry.path}, body up to {text.max_body} bytes, {text.seconds:g} s in all",
        f"  hours      {_open(text)}",
        f"  rate       {text.per_second:g} a second, bursts of {text.burst}, {text.at_once} at once",
    ]
    if text.target is Target.STORE:
        lines += [f"  folders    {', '.join(text.folders)}, as they are, never removed, replaced or listed"]
        lines += [f"  purpose    {', '.join(text.purposes)}"]
    elif text.target is not Target.CITY:
        lines += [f"  purpose    {', '.join(text.purposes)}"] if text.purposes else []
        lines += [f"  lets in    {', '.join(text.body) or 'all that the contract has'}"]
        lines += [f"  lets out   {', '.join(text.fields)}"]
    else:
        lines += [f"  query      {', '.join(text.query) or 'none'}", "  body       as it is"]
        lines += [f"  headers    {', '.join(text.headers)}", f"  back       {', '.join(text.reply_headers)}"]
    return "\n".join(lines)


def _open(text: EntryText) -> str:
    if not text.hours and not text.days:
        return "always"
    return f"{text.hours or 'all day'}, {', '.join(text.days) or 'every day'} (Asia/Shanghai)"


def _purpose_in(body: bytes | None) -> str:
    try:
        return str(msgspec.json.decode(body or b"{}").get("purpose", ""))
    except (msgspec.MsgspecError, AttributeError):
        return ""


def _judge(entry: Entry, query: tuple[str, ...], body: bytes | None, at: datetime | None) -> None:
    if outside := [one for one in query if one not in entry.query]:
        raise NotListed(f"query field not let in: {', '.join(outside)}", outside)
    if at is not None and entry.hours is not None and not entry.hours.open_at(at):
        raise NotListed(f"outside the hours of entry {entry.name!r}")
    if body is None:
        return
    if len(body) > entry.text.max_body:
        raise TooLarge(f"内容不能超过 {entry.text.max_body} 字节")
    if entry.text.target is Target.STORE:
        return
    if entry.text.target is not Target.CITY:
        kinds: Mapping[str, Any] = (his if entry.text.target is Target.HIS else supervision).BY_OPERATION
        decode(body, kinds[entry.text.operation])
    if entry.let_in is not None and (outside := kept_out(entry.let_in, body)):
        raise NotListed(f"body field not let in: {', '.join(outside)}", outside)


def _nearest(policy: Policy, identity: str, method: str, path: str) -> str:
    """Who else may, or what else she may: helps the person who writes the file."""
    same = [one for one in policy.entries if one.matches(path)]
    if same:
        return "\n".join(
            f"  entry {one.name!r}: {one.method} for {', '.join(one.text.callers)}"
            + (f", purpose {', '.join(one.text.purposes)}" if one.purposes else "")
            for one in same
        )
    name = next((one.name for one in policy.callers.values() if one.identity == identity), "")
    hers = sorted({f"{one.method} {one.path}" for one in policy.entries if name in one.text.callers})
    return f"  {name} may: {', '.join(hers)}" if hers else ""
