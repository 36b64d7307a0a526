"""Who does something: carried from the edge to the audit row."""

from dataclasses import dataclass
from uuid import UUID

from foundation.errors import Forbidden


@dataclass(frozen=True)
class Actor:
    """`kind` says which register `id` belongs to; `roles` are plain words the route and state tables know."""

    kind: str
    id: UUID | None
    roles: frozenset[str]
    name: str = ""
    session_id: UUID | None = None

    def has(self, role: str) -> bool:
        """Whether the actor has `role`."""
        return role in self.roles

    def need(self, *roles: str) -> None:
        """`Forbidden` unless the actor has one of `roles`."""
        if not self.roles.intersection(roles):
            raise Forbidden


SYSTEM = Actor("system", None, frozenset({"system"}), "system")
NOBODY = Actor("nobody", None, frozenset())
