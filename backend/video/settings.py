"""Settings of the media process."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from backend.keeping import ObjectSettings
from backend.video.engine import RoomPolicy, VideoCodec
from foundation.crypto import Keyring
from foundation.settings import CommonSettings, SettingsError, setting

MEMORY = Path("/dev/shm")  # noqa: S108 - recordings pass through memory, readable to nobody else


class VideoEngine(StrEnum):
    """What carries the media."""

    AIORTC = "aiortc"
    JANUS = "janus"


@dataclass(frozen=True, kw_only=True)
class MediaSettings(ObjectSettings, CommonSettings):
    """What `python -m backend media` needs."""

    port: int = setting("port of the signalling WebSocket and of health", default=8110)
    database_url: str = setting("PostgreSQL, postgresql+asyncpg://…", secret=True)
    redis_url: str = setting("Valkey or Redis without persistence", secret=True)
    hospital_id: UUID = setting("id of the hospital in every row")
    field_keys: str = setting("keys of personal columns and files, `id:hex32,…`", secret=True)
    field_key_current: str = setting("id of the key that new values use")
    index_key: bytes = setting("key of the blind indexes, hex", secret=True)
    object_folder: Path = setting("folder of attachments and recordings")
    front_url: str = setting("public address of the front: the only origin that may signal")
    api_url: str = setting(
        "public address of the API, whose desk may look in; empty: nobody looks in", default=""
    )
    supervisor_urls: tuple[str, ...] = setting(
        "public addresses of the city's consoles, whose supervisors may look in; empty: they have no picture",
        default=(),
    )
    media_url: str = setting(
        "public address of this process as MEDIA_URLS has it; empty: http, host and port", default=""
    )
    video_engine: VideoEngine = setting(
        "aiortc (in this process) or janus (Debian's package, a child process)", default=VideoEngine.AIORTC
    )
    media_address: str = setting("public IP address that browsers send media to, behind NAT 1:1", default="")
    media_bind: tuple[str, ...] = setting("local IP addresses for media; empty: all", default=())
    media_node: str = setting("name of this node in recordings; empty: host and port", default="")
    media_rooms: int = setting("rooms this node takes at the same time", default=25)
    room_minutes: int = setting("minutes after which a room is closed in any case", default=120)
    visit_warning_minutes: int = setting("how long before the end of the talk both are warned", default=10)
    visit_pause_minutes: int = setting(
        "for how long the pauses of one visit together stop its clock, as the API has it", default=30
    )
    video_codec: VideoCodec = setting("VP8 or H264", default=VideoCodec.VP8)
    video_bitrate: int = setting("ceiling of a participant's video, bit/s", default=1_200_000)

    def __post_init__(self) -> None:
        if self.visit_pause_minutes < 0:
            raise SettingsError(["VISIT_PAUSE_MINUTES is malformed: negative"])
        if problems := self.object_problems():
            raise SettingsError(problems)

    def keyring(self) -> Keyring:
        """Keys of encrypted columns and files; `SettingsError` when they are malformed."""
        try:
            pairs = (part.split(":") for part in self.field_keys.split(","))
            return Keyring(
                {name: bytes.fromhex(value) for name, value in pairs}, self.field_key_current, self.index_key
            )
        except ValueError as error:
            raise SettingsError([f"FIELD_KEYS or FIELD_KEY_CURRENT is malformed: {error}"]) from None

    @property
    def node(self) -> str:
        """Name of this node."""
        return self.media_node or f"{self.host}:{self.port}"

    @property
    def memory_folder(self) -> Path:
        """Where Janus writes what is encrypted a moment later; of this process alone."""
        base = MEMORY if MEMORY.is_dir() else self.object_folder
        return base / f"internet-hospital-media-{self.port}"

    @property
    def address(self) -> str:
        """Public address of this process."""
        return self.media_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """Origins that may signal."""
        return frozenset(
            url.rstrip("/") for url in (self.front_url, self.api_url, *self.supervisor_urls) if url
        )

    def policy(self) -> RoomPolicy:
        """How this node keeps a room."""
        return RoomPolicy(codec=self.video_codec, max_bitrate=self.video_bitrate)

    def production_problems(self) -> list[str]:
        """What must never reach patients."""
        problems = []
        if urlsplit(self.front_url).scheme != "https":
            problems.append("FRONT_URL is not https: browsers give no camera to such a page")
        if self.field_key_current.startswith("dev"):
            problems.append("FIELD_KEY_CURRENT is a development key")
        return problems
