"""What a call would meet, in words, without making it."""

from front_gateway.policy.finding import Finder
from front_gateway.policy.lines import Caller, Entry
from front_gateway.policy.reading import Policy
from front_gateway.refusals import BadTarget, NotListed, Target
from front_gateway.targets import plain_path


def explain(
    policy: Policy, *, caller: str, address: str, method: str, path: str, purpose: str = ""
) -> tuple[bool, str]:
    """Whether it would pass, and why; `caller` is a name of the file or a `spiffe://` identity."""
    finder = Finder(policy)
    named = policy.callers.get(caller)
    identity = named.identity if named else caller
    try:
        plain = plain_path(path)
        who = finder.caller(identity, address)
        candidates = finder.candidates(who, method, plain)
        if purpose:
            candidates = [finder.for_purpose(candidates, purpose)]
    except BadTarget as refused:
        return False, f"400 bad_target: {refused.reason}"
    except NotListed as refused:
        return False, f"403 not_listed: {refused.reason}\n{_nearest(policy, identity, method, path)}".rstrip()
    return True, "\n\n".join(_described(one, who) for one in candidates)


def _described(entry: Entry, who: Caller) -> str:
    text = entry.text
    lines = [
        f"entry {entry.name!r} → {text.target.value}",
        f"  caller     {who.name} ({who.identity}) from {', '.join(str(one) for one in who.networks)}",
        f"  call       {entry.method} {entry.path}, body up to {text.max_body} bytes, {text.seconds:g} s in all",
        f"  rate       {text.per_second:g} a second, bursts of {text.burst}, {text.at_once} at once",
    ]
    if text.target is not Target.CITY:
        lines += [f"  purpose    {', '.join(text.purposes)}"] if text.purposes else []
        lines += [f"  lets out   {', '.join(text.fields)}"]
    else:
        lines += [f"  headers    {', '.join(text.headers)}", f"  back       {', '.join(text.reply_headers)}"]
    return "\n".join(lines)


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
