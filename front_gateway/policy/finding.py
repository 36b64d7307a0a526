"""Which line a call meets. The answer to the caller is the same whatever was missing; the reason is for audit and `explain`."""

from front_gateway.policy.lines import Caller, Entry
from front_gateway.policy.reading import Policy
from front_gateway.refusals import NotListed


class Finder:
    """The policy, arranged for look-up."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._by_identity = {caller.identity: caller for caller in policy.callers.values()}
        self._plain: dict[tuple[str, str, str], list[Entry]] = {}
        self._templates: dict[tuple[str, str], list[Entry]] = {}
        for entry in policy.entries:
            for name in entry.text.callers:
                if "{" in entry.path:
                    self._templates.setdefault((name, entry.method), []).append(entry)
                else:
                    self._plain.setdefault((name, entry.method, entry.path), []).append(entry)

    def caller(self, identity: str, address: str) -> Caller:
        """Who calls, certificate and address together; `NotListed` otherwise."""
        caller = self._by_identity.get(identity)
        if caller is None:
            raise NotListed("unknown caller" if identity else "no identity in the certificate")
        if not caller.may_come_from(address):
            raise NotListed("caller comes from an address that is not its own")
        return caller

    def candidates(self, caller: Caller, method: str, path: str) -> list[Entry]:
        """Lines for this caller, method and path: several only when they differ in purpose; `NotListed` for none."""
        found = self._plain.get((caller.name, method, path), [])
        if not found:
            found = [one for one in self._templates.get((caller.name, method), ()) if one.matches(path)]
        if not found:
            raise NotListed("no line for this caller, method and path")
        return found

    @staticmethod
    def for_purpose(candidates: list[Entry], purpose: str) -> Entry:
        """The line among `candidates` that allows `purpose`; `NotListed` for none."""
        for entry in candidates:
            if purpose in entry.purposes:
                return entry
        raise NotListed("purpose not allowed for this caller and operation")
