"""An engine without media: it seats everybody, and remembers who was put out and what was closed."""

from backend.video.engine import (
    Joined,
    JoinReply,
    Left,
    OnEvent,
    Role,
    RoomPolicy,
    RoomStats,
    SdpAnswer,
    Segment,
)


class StillEngine:
    """The port, kept in three lists."""

    healthy = True

    def __init__(self, on_event: OnEvent) -> None:
        self.tell = on_event
        self.seated: dict[tuple[str, str], Role] = {}
        self.kicked: list[str] = []
        self.closed: list[tuple[str, str]] = []

    async def open_room(self, room_id: str, policy: RoomPolicy) -> None:
        """Nothing to make."""

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Everybody is welcome."""
        self.seated[room_id, participant_id] = role
        self.tell(Joined(room_id, participant_id, role, 1))
        return SdpAnswer("answer")

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """Nothing was offered."""

    async def leave(self, room_id: str, participant_id: str, reason: str = "bye") -> None:
        """The connection ends."""
        role = self.seated.pop((room_id, participant_id), None)
        if role is not None:
            self.tell(Left(room_id, participant_id, role, 1, reason))

    async def kick(self, room_id: str, participant_id: str) -> None:
        """The same against her will."""
        self.kicked.append(participant_id)
        await self.leave(room_id, participant_id, "kicked")

    async def close_room(self, room_id: str, reason: str = "closed") -> list[Segment]:
        """All connections end."""
        self.closed.append((room_id, reason))
        for room, participant in [seat for seat in self.seated if seat[0] == room_id]:
            await self.leave(room, participant, "room_closed")
        return []

    def stats(self, room_id: str) -> RoomStats | None:
        """None are kept."""
        return None

    async def close(self, reason: str = "shutdown") -> None:
        """Nothing to close."""
