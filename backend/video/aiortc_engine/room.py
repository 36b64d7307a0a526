"""One room: who is in it, whose media go to whom, and when somebody counts as gone."""

from dataclasses import dataclass

from backend.video import members
from backend.video.aiortc_engine.connection import PARTICIPANT, SUPERVISOR, MediaConnection, Network
from backend.video.aiortc_engine.taps import Taps
from backend.video.engine import (
    JoinRefused,
    MediaBack,
    MediaLost,
    MediaStarted,
    OnEvent,
    ParticipantStats,
    Role,
    RoomPolicy,
    RoomStats,
)
from backend.video.seating import Archive, Patience, admit


@dataclass
class Surroundings:
    """What all rooms of an engine share."""

    archive: Archive
    network: Network
    patience: Patience
    on_event: OnEvent


@dataclass(eq=False, kw_only=True)
class Member(members.Member):
    """With what carries it here."""

    connection: MediaConnection | None = None
    lost_since: float | None = None


class Room(members.MembersRoom[Member]):
    """Members with a connection each."""

    def __init__(self, room_id: str, policy: RoomPolicy, around: Surroundings) -> None:
        super().__init__(room_id, policy, around.archive, around.on_event)
        self._around = around

    async def join(self, participant_id: str, role: Role, offer: str, watches: Role | None = None) -> str:
        """Answer an offer. An earlier connection of the same participant is replaced once the new one is answered."""
        admit(self._members.values(), participant_id, role, watches)
        number = self._numbered(participant_id)
        member = Member(
            participant_id=participant_id, role=role, number=number, since=self._now(), watches=watches
        )
        lines = SUPERVISOR if role is Role.SUPERVISOR else PARTICIPANT
        connection = MediaConnection(
            lines,
            self.policy.codec,
            self.policy.max_bitrate,
            self._around.network,
            lambda state: self._state(member, state),
        )
        member.connection = connection
        try:
            answer = await connection.answer(offer)
            if self.closed:
                raise JoinRefused("no_room")
            admit(self._members.values(), participant_id, role, watches)
        except BaseException:
            await connection.close()
            raise
        member.recorder = self._manifest.record(participant_id, role, Taps(connection.uplinks))
        self._seat(member)
        return answer

    def watch(self) -> None:
        """Called twice a second: who is silent, who is gone, who never came."""
        now, patience = self._now(), self._around.patience
        for member in list(self._members.values()):
            connection = member.connection
            if connection is None:
                continue
            if not member.connected:
                if now - member.since > patience.connect:
                    self._end(member, "not_connected")
                continue
            if now - (connection.last_datagram or member.since) > patience.absent:
                self._end(member, "absent")
            elif member.role is not Role.SUPERVISOR:
                self._watch_media(member, connection, now)

    def stats(self) -> RoomStats:
        """Counters of everybody in the room."""
        return RoomStats(self.id, tuple(self._stats(member) for member in self._members.values()))

    @property
    def empty(self) -> bool:
        """Whether nobody is in it."""
        return not self._members

    # inside

    def _link(self) -> None:
        """Point every way down at the way up it belongs to."""
        publishers: dict[Role, Member] = {
            member.role: member
            for member in self._members.values()
            if member.role is not Role.SUPERVISOR and not member.ended
        }
        for member in self._members.values():
            if member.connection is None or member.ended:
                continue
            other = Role.DOCTOR if member.role is Role.PATIENT else Role.PATIENT
            source = publishers.get(member.watches or other)
            for sender in member.connection.downlinks:
                sender.follow(
                    source.connection.uplinks.get(sender.kind) if source and source.connection else None
                )

    def _state(self, member: Member, state: str) -> None:
        if state == "connected":
            member.connected = True
        else:
            self._end(member, "failed" if state == "failed" else "disconnected")

    def _watch_media(self, member: Member, connection: MediaConnection, now: float) -> None:
        arrived = [
            uplink.last_packet for uplink in connection.uplinks.values() if uplink.last_packet is not None
        ]
        if not arrived:
            return
        newest = max(arrived)
        if not member.started:
            member.started = True
            self._tell(MediaStarted(self.id, member.participant_id, member.role))
        if member.lost_since is None and now - newest > self._around.patience.warn:
            member.lost_since = newest
            self._tell(MediaLost(self.id, member.participant_id, member.role, round(now - newest, 1)))
        elif member.lost_since is not None and now - newest < self._around.patience.warn:
            lost, member.lost_since = member.lost_since, None
            self._tell(MediaBack(self.id, member.participant_id, member.role, round(newest - lost, 1)))

    async def _let_go(self, member: Member) -> None:
        if member.connection is not None:
            await member.connection.close()

    def _stats(self, member: Member) -> ParticipantStats:
        connection = member.connection
        assert connection is not None
        receptions = [
            uplink.reception for uplink in connection.uplinks.values() if uplink.reception is not None
        ]
        arrived = [
            uplink.last_packet for uplink in connection.uplinks.values() if uplink.last_packet is not None
        ]
        video = connection.uplinks.get("video")
        return ParticipantStats(
            participant_id=member.participant_id,
            role=member.role,
            connection=member.number,
            seconds_since_media=round(self._now() - max(arrived), 3) if arrived else None,
            packets_in=sum(reception.received for reception in receptions),
            packets_lost=sum(reception.lost for reception in receptions),
            bytes_in=sum(reception.bytes for reception in receptions),
            packets_out=sum(sender.packets for sender in connection.downlinks),
            keyframes_asked=video.keyframes.asked if video else 0,
            bitrate_allowed=video.allowed if video else None,
        )
