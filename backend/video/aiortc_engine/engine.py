"""The engine itself: aiortc's rooms behind the port."""

from backend.video.aiortc_engine.connection import Network
from backend.video.aiortc_engine.names import missing
from backend.video.aiortc_engine.room import Room, Surroundings
from backend.video.engine import JoinRefused, JoinReply, OnEvent, Role, RoomPolicy, SdpAnswer
from backend.video.open_rooms import OpenRooms
from backend.video.seating import Patience
from foundation.clock import Clock
from foundation.object_store import ObjectStore


class AiortcEngine(OpenRooms[Room]):
    """`backend.video.engine.MediaEngine` on aiortc. Make it inside the event loop that will carry the media."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        on_event: OnEvent,
        network: Network | None = None,
        patience: Patience | None = None,
    ) -> None:
        if gone := missing():
            raise RuntimeError("aiortc is not the one this was written for: " + "; ".join(gone))
        super().__init__(store, clock)
        self._around = Surroundings(self._archive, network or Network(), patience or Patience(), on_event)

    @property
    def healthy(self) -> bool:
        """It lives as long as this process."""
        return True

    async def _made(self, room_id: str, policy: RoomPolicy) -> Room:
        return Room(room_id, policy, self._around)

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Answer an offer; `JoinRefused`."""
        return SdpAnswer(await self._room(room_id).join(participant_id, role, offer, watches))

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """Nothing is ever offered."""
        raise JoinRefused("bad_message")
