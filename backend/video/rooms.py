"""Owner of the rooms of this node: opens them, seats people, passes on what happens, and closes them on every exit."""

import asyncio
import contextlib
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.video import service, wire
from backend.video.engine import (
    AwaitOffer,
    ClientToken,
    EngineEvent,
    EngineLost,
    Joined,
    JoinRefused,
    JoinReply,
    Left,
    MediaBack,
    MediaEngine,
    MediaLost,
    Offered,
    OnEvent,
    PeerEvent,
    RecordingFailed,
    Role,
    RoomPolicy,
    SdpAnswer,
    SegmentClosed,
    SegmentOpened,
)
from backend.video.journal import Journal
from foundation.actor import SYSTEM, Actor
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log

EMPTY_FOR = 30.0
SIGNALLING_LOST_FOR = 10.0
SWEEP_EVERY = 1.0
_PEER_STATES: dict[type[EngineEvent], str] = {
    Joined: "joined",
    MediaLost: "media_lost",
    MediaBack: "media_back",
}


@dataclass(eq=False)
class Seat:
    """One signalling connection: `say` queues a message for the browser, `end` says goodbye with an error code.

    A supervisor has a seat for each party that she `watches`; `shown` says whether the parties are told of her.
    """

    participant_id: str
    role: Role
    actor: Actor
    watches: Role | None = None
    shown: bool = False
    listens: bool = False
    """A patient without camera and microphone: there is nothing of hers to record."""
    until: float = math.inf
    """Instant of the event loop's clock at which the seat ends."""
    outbox: "asyncio.Queue[dict[str, Any] | None]" = field(default_factory=lambda: asyncio.Queue(100))
    connection: int = 0
    since: float = math.inf
    """Instant at which it was taken."""
    ended: bool = False

    def say(self, message: dict[str, Any]) -> None:
        """Queue a message; one that never reads is left to its own."""
        if not self.ended:
            with contextlib.suppress(asyncio.QueueFull):
                self.outbox.put_nowait(message)

    def end(self, code: str) -> None:
        """The last message. Where it finds no room it takes the place of what was never read: nothing else closes the socket."""
        if self.ended:
            return
        while self.outbox.qsize() > self.outbox.maxsize - 2:
            self.outbox.get_nowait()
        self.say(wire.error(code))
        self.outbox.put_nowait(None)
        self.ended = True

    @property
    def looks_in(self) -> bool:
        """Whether she is there to watch."""
        return self.role is Role.SUPERVISOR

    @property
    def key(self) -> str:
        """Who the engine takes it for."""
        return f"{self.participant_id}:{self.watches}" if self.watches else self.participant_id


def _message(reply: JoinReply) -> dict[str, Any]:
    match reply:
        case ClientToken():
            return wire.connect(reply.url, reply.token)
        case AwaitOffer():
            return wire.wait()
        case SdpAnswer():
            return wire.answer(reply.sdp)


@dataclass(eq=False)
class _Room:
    opened_at: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: bool = False
    seats: dict[str, Seat] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    empty_since: float | None = None
    watched: bool = False
    recorded: dict[str, set[str]] = field(default_factory=dict)
    """Segments being written, by participant."""
    unrecorded: set[str] = field(default_factory=set)
    """Whose last recording failed."""
    told_recording: str = "off"
    minutes_left: int | None = None

    @property
    def parties(self) -> dict[str, Seat]:
        """Patient and doctor."""
        return {key: seat for key, seat in self.seats.items() if not seat.looks_in}

    @property
    def recording(self) -> str:
        """`on` when everybody who is seen or heard is recorded, `failed` when somebody cannot be, `off` before."""
        states = {
            "on" if self.recorded.get(key) else "failed" if key in self.unrecorded else "off"
            for key, seat in self.parties.items()
            if not seat.listens
        }
        return "failed" if "failed" in states else "on" if states == {"on"} else "off"


class Rooms:
    """All rooms of this node. Make it inside the event loop; `close` it in the end."""

    def __init__(
        self, make_engine: Callable[[OnEvent], MediaEngine], db: Database, journal: Journal, *, node: str, policy: RoomPolicy,
        max_rooms: int, max_seconds: float,
    ) -> None:  # fmt: skip
        self._engine = make_engine(self._on_event)
        self._db = db
        self._journal = journal
        self._node = node
        self._policy = policy
        self._max_rooms = max_rooms
        self._max_seconds = max_seconds
        self._rooms: dict[str, _Room] = {}
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping = asyncio.create_task(self._sweep())

    @property
    def ids(self) -> list[str]:
        """Rooms open at the moment."""
        return list(self._rooms)

    @property
    def healthy(self) -> bool:
        """Whether people can be let in at the moment."""
        return not self._closing and self._engine.healthy

    async def enter(self, room_id: str, seat: Seat, offer: str) -> dict[str, Any]:
        """Join with an offer; the message for the browser. `JoinRefused` with a code of `wire.DETAILS`."""
        if self._closing:
            raise JoinRefused("moving")
        while True:
            room = self._rooms.get(room_id) or self._new(room_id)
            async with room.lock:
                if self._rooms.get(room_id) is not room:
                    continue  # it was closed while we waited
                earlier, reply = await self._seat(room_id, room, seat, offer)
                break
        room.empty_since = None
        if earlier is not None:
            earlier.end("replaced")
        for other in room.parties.values():
            if other is not seat:
                seat.say(wire.peer("joined", other.role))
                self._tell_listener(other, seat)
                self._tell_listener(seat, other)
        if not seat.looks_in:
            self._greet(room, seat)
        self._tell_watched(room)
        return _message(reply)

    @staticmethod
    def _tell_listener(listener: Seat, other: Seat) -> None:
        """Who talks to somebody without a microphone should not wait for her voice."""
        if listener.listens:
            other.say(wire.peer("listens", listener.role))

    def _greet(self, room: _Room, seat: Seat) -> None:
        """What the others have been told before."""
        if room.watched:
            seat.say(wire.watched(True))
        if room.minutes_left is not None:
            seat.say(wire.time_left(room.minutes_left))
        before = room.told_recording
        self._tell_recording(room)
        if room.told_recording == before != "off":
            seat.say(wire.recording(before))

    async def answer(self, room_id: str, seat: Seat, sdp: str) -> None:
        """To an offer of the engine. `JoinRefused`."""
        room = self._rooms.get(room_id)
        if room is not None and room.seats.get(seat.key) is seat:
            await self._engine.answer(room_id, seat.key, sdp)

    async def leave(self, room_id: str, seat: Seat, reason: str = "bye") -> None:
        """The seat is given up; nothing happens when somebody else has it by now."""
        room = self._rooms.get(room_id)
        if room is None or room.seats.get(seat.key) is not seat:
            return
        del room.seats[seat.key]
        self._note_empty(room)
        await self._engine.leave(room_id, seat.key, reason)
        if reason == "bye" and not room.seats:
            await self._close(room_id, "bye")

    def lost(self, room_id: str, seat: Seat) -> None:
        """The signalling connection broke. Media may still flow: the seat is kept for a moment, a new connection takes it over."""
        if self._closing:
            return

        async def give_up_later() -> None:
            await asyncio.sleep(SIGNALLING_LOST_FOR)
            await self.leave(room_id, seat, "signalling_lost")

        self._spawn(give_up_later())

    async def move(self, room_id: str) -> None:
        """The room lives on another node by now: send everybody there."""
        await self._close(room_id, "moving")

    async def end(self, room_id: str, code: str) -> None:
        """The visit allows no video any more."""
        log.info("room_ends", room=room_id, code=code)
        await self._close(room_id, code)

    def warn(self, room_id: str, seconds: float | None) -> None:
        """The time to talk ends in so many seconds; None: not soon. The parties are told of each minute once."""
        room = self._rooms.get(room_id)
        minutes = None if seconds is None else max(1, math.ceil(seconds / 60))
        if room is None or minutes == room.minutes_left:
            return
        room.minutes_left = minutes
        for seat in room.parties.values():
            seat.say(wire.time_left(minutes))

    async def keep_watchers(self, room_id: str, watchers: frozenset[str], asked_at: float) -> None:
        """Put out every supervisor whose permission has ended; who sat down after it was asked is asked about next time."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        for seat in list(room.seats.values()):
            if seat.looks_in and seat.participant_id not in watchers and seat.since < asked_at:
                await self._put_out(room_id, room, seat, "time_over")

    def doctors_in_call(self) -> list[str]:
        """Doctors who share a room with their patient."""
        return [
            seat.participant_id
            for room in self._rooms.values()
            if len(room.parties) > 1
            for seat in room.parties.values()
            if seat.role is Role.DOCTOR
        ]

    async def close(self, reason: str = "shutdown") -> None:
        """Let nobody in any more, send everybody to another node, finish every recording."""
        if self._closing:
            return
        self._closing = True
        self._sweeping.cancel()
        for room in self._rooms.values():
            for seat in list(room.seats.values()):
                seat.end("moving")
        for task in self._tasks:
            task.cancel()
        await self._engine.close(reason)
        self._rooms.clear()

    # inside

    def _new(self, room_id: str) -> _Room:
        if len(self._rooms) >= self._max_rooms:
            raise JoinRefused("busy")
        now = self._loop.time()
        room = self._rooms[room_id] = _Room(now, empty_since=now)
        return room

    async def _seat(self, room_id: str, room: _Room, seat: Seat, offer: str) -> tuple[Seat | None, JoinReply]:
        """Who had the seat before, and the engine's reply. The seat stays with the former when the engine refuses."""
        await self._open(room_id, room)
        earlier = room.seats.get(seat.key)
        room.seats[seat.key] = seat
        room.actors[seat.key] = seat.actor
        seat.since = self._loop.time()
        try:
            return earlier, await self._engine.join(room_id, seat.key, seat.role, offer, seat.watches)
        except BaseException:
            del room.seats[seat.key]
            if earlier is not None:
                room.seats[seat.key] = earlier
            self._note_empty(room)
            raise

    async def _open(self, room_id: str, room: _Room) -> None:
        if room.open:
            return
        try:
            async with unit_of_work(self._db) as session:
                before = await service.segments_so_far(session, UUID(room_id))
        except Exception as error:
            log.error("room_not_opened", room=room_id, exc_info=error)
            raise JoinRefused("unavailable") from error
        await self._engine.open_room(room_id, dataclasses.replace(self._policy, segments_before=before))
        room.open = True

    async def _close(self, room_id: str, code: str) -> None:
        room = self._rooms.get(room_id)
        if room is None:
            return
        async with room.lock:
            if self._rooms.get(room_id) is not room or (code in ("empty", "bye") and room.seats):
                return
            for seat in list(room.seats.values()):
                seat.end(code if code in wire.DETAILS else "closed")
            await self._engine.close_room(room_id, code)
            del self._rooms[room_id]

    async def _put_out(self, room_id: str, room: _Room, seat: Seat, code: str) -> None:
        """Somebody may not be here any longer."""
        seat.end(code)
        if room.seats.get(seat.key) is seat:
            del room.seats[seat.key]
            self._note_empty(room)
            await self._engine.kick(room_id, seat.key)

    def _note_empty(self, room: _Room) -> None:
        if not room.seats:
            room.empty_since = self._loop.time()
        self._tell_watched(room)
        self._tell_recording(room)

    def _tell_recording(self, room: _Room) -> None:
        """The parties see whether they are recorded, and see it when they are not."""
        now = room.recording
        if now == room.told_recording:
            return
        room.told_recording = now
        for seat in room.parties.values():
            seat.say(wire.recording(now))

    def _tell_watched(self, room: _Room) -> None:
        """Both parties are told when somebody begins to look in and when the last one has gone."""
        now = any(seat.looks_in and seat.shown for seat in room.seats.values())
        if now is room.watched:
            return
        room.watched = now
        for seat in room.seats.values():
            if not seat.looks_in:
                seat.say(wire.watched(now))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            now = self._loop.time()
            for room_id, room in list(self._rooms.items()):
                if now - room.opened_at > self._max_seconds:
                    self._spawn(self._close(room_id, "time_over"))
                    continue
                for seat in [seat for seat in room.seats.values() if now >= seat.until]:
                    self._spawn(self._put_out(room_id, room, seat, "time_over"))
                if (
                    room.empty_since is not None
                    and now - room.empty_since > EMPTY_FOR
                    and not room.lock.locked()
                ):
                    self._spawn(self._close(room_id, "empty"))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("room_task_failed", exc_info=task.exception())

    def _on_event(self, event: EngineEvent) -> None:
        room = self._rooms.get(event.room_id)
        self._write(event, room)
        if room is not None:
            self._note_recording(event, room)
        if isinstance(event, EngineLost):
            self._spawn(self._close(event.room_id, "moving"))
        elif room is not None and isinstance(event, PeerEvent):
            self._tell(room, event)

    def _tell(self, room: _Room, event: PeerEvent) -> None:
        own = room.seats.get(event.participant_id)
        if isinstance(event, Offered):
            if own is not None:
                own.say(wire.offer(event.sdp))
            return
        state = _PEER_STATES.get(type(event))
        if isinstance(event, Joined) and own is not None:
            own.connection = event.connection
        if isinstance(event, Left):
            if own is not None and own.connection == event.connection:
                del room.seats[event.participant_id]
                self._note_empty(room)
                own.end(event.reason if event.reason in ("kicked", "replaced") else "media_ended")
            elif own is not None:
                return  # a newer connection of the same person is there
            state = "left"
        if state is None or event.role is Role.SUPERVISOR:
            return
        for participant_id, seat in room.seats.items():
            if participant_id != event.participant_id:
                seat.say(wire.peer(state, event.role))

    def _note_recording(self, event: EngineEvent, room: _Room) -> None:
        match event:
            case SegmentOpened(segment=segment):
                room.recorded.setdefault(segment.participant_id, set()).add(segment.id)
                room.unrecorded.discard(segment.participant_id)
            case SegmentClosed(segment=segment):
                room.recorded.get(segment.participant_id, set()).discard(segment.id)
            case RecordingFailed():
                room.unrecorded.add(event.participant_id)
            case _:
                return
        self._tell_recording(room)

    def _write(self, event: EngineEvent, room: _Room | None) -> None:
        """Queue what the database has to know."""
        actor = (
            room.actors.get(event.participant_id, SYSTEM) if room and isinstance(event, PeerEvent) else SYSTEM
        )

        async def entry(session: AsyncSession) -> None:
            match event:
                case Joined():
                    service.joined(session, actor, event)
                case Left():
                    service.left(session, actor, event)
                case SegmentOpened():
                    await service.begin_recording(session, event.segment, self._node)
                case SegmentClosed():
                    await service.end_recording(session, event.segment, self._node)
                case RecordingFailed():
                    await service.recording_failed(session, event)

        if isinstance(event, Joined | Left | SegmentOpened | SegmentClosed | RecordingFailed):
            self._journal.add(type(event).__name__, entry)
