"""`python -m backend media`: signalling, forwarding and recording of video rooms; one process per core."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import Gauge
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware

from backend.live import Live
from backend.policy import Policy, bind_policy
from backend.video import probing, service, signalling
from backend.video.engine import MediaEngine, OnEvent
from backend.video.following import Following
from backend.video.janus_engine.process import INSTALL, JanusOptions, program
from backend.video.journal import Journal
from backend.video.presence import Presence
from backend.video.rooms import Rooms
from backend.video.settings import MediaSettings, VideoEngine
from foundation.clock import Clock
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import connect
from foundation.logs import configure, log
from foundation.object_store import ObjectStore
from foundation.server import listener, run, serve
from foundation.settings import SettingsError, load_or_exit
from foundation.web.health import health_routes
from foundation.web.middleware import RequestId

POOL = 3
DRAIN_WITHIN = 10.0
ROOMS = Gauge("media_rooms", "Video rooms open on this node")


def create_app(settings: MediaSettings) -> Starlette:
    """The application; rooms live from its start-up to its shut-down, which closes every recording."""
    keyring = settings.keyring()
    bind_policy(Policy(visit_pause_minutes=settings.visit_pause_minutes))
    bind_hospital(settings.hospital_id)
    bind_keyring(keyring)
    clock = Clock()
    db = connect(settings.database_url, clock, pool=POOL, application="media")
    redis: Redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
    db.announce = Live(redis).announce
    store = settings.objects_in(settings.object_folder, keyring)

    async def valkey() -> None:
        await redis.ping()

    async def engine() -> None:
        if not app.state.rooms.healthy:
            raise RuntimeError("the media engine does not run")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            await service.recover(db, store, settings.node)
        except Exception as error:  # calls first: what was left open is found again at the next start
            log.error("recovery_failed", exc_info=error)
        journal = Journal(db)
        rooms = Rooms(
            lambda on_event: _engine(settings, store, clock, on_event), db, journal, node=settings.node,
            policy=settings.policy(), max_rooms=settings.media_rooms, max_seconds=settings.room_minutes * 60,
        )  # fmt: skip
        presence = Presence(redis, settings.address, rooms, settings.media_rooms, settings.node)
        following = Following(redis, db, rooms, timedelta(minutes=settings.visit_warning_minutes))

        async def drain() -> None:
            await presence.stop()
            await following.stop()
            await rooms.close()

        app.state.rooms = rooms
        ROOMS.set_function(lambda: len(rooms.ids))
        app.state.drain = drain
        sockets = signalling.Signalling(redis, db, rooms, settings.origins, settings.address)
        app.router.routes.extend(signalling.routes(sockets))
        app.router.routes.extend(probing.routes(redis, settings.origins, settings.address))
        presence.start()
        following.start()
        yield
        await drain()
        await journal.close()
        await redis.aclose()
        await db.engine.dispose()

    checks = {"database": db.ping, "valkey": valkey, "engine": engine}
    routes = health_routes(checks, clock, settings.env)
    app = Starlette(routes=list(routes), lifespan=lifespan, middleware=[Middleware(RequestId)])
    return app


def _engine(settings: MediaSettings, store: ObjectStore, clock: Clock, on_event: OnEvent) -> MediaEngine:
    """The one that was chosen; the other's libraries stay where they are."""
    if settings.video_engine is VideoEngine.JANUS:
        from backend.video.janus_engine.engine import JanusEngine

        options = JanusOptions(settings.memory_folder, settings.media_bind, settings.media_address)
        return JanusEngine(store, clock, on_event, options)
    from backend.video.aiortc_engine import AiortcEngine
    from backend.video.aiortc_engine.connection import Network

    return AiortcEngine(store, clock, on_event, Network(settings.media_bind, settings.media_address))


class StopAfterRooms(asyncio.Event):
    """Set by SIGTERM: first everybody is sent to another node and every recording is finished, then the listener stops.

    The other way round browsers would lose their sockets first and hang up, and every recording would say so.
    """

    def __init__(self, app: Starlette) -> None:
        super().__init__()
        self._app = app
        self._draining: asyncio.Task[None] | None = None

    def set(self) -> None:
        """Begin; the second signal changes nothing."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        drain: Callable[[], Awaitable[None]] | None = getattr(self._app.state, "drain", None)
        try:
            if drain is not None:
                async with asyncio.timeout(DRAIN_WITHIN):
                    await drain()
        except Exception as error:
            log.error("drain_failed", exc_info=error)
        finally:
            super().set()


async def _serve(app: Starlette, settings: MediaSettings) -> None:
    await serve(listener(app, settings.host, settings.port), until=StopAfterRooms(app))


def main() -> int:
    """Run until SIGTERM; 2 when a setting is wrong."""
    settings = load_or_exit(MediaSettings)
    try:
        app = create_app(settings)
        if settings.video_engine is VideoEngine.JANUS and not program():
            raise SettingsError([f"VIDEO_ENGINE is janus, but there is no Janus here; on Debian: {INSTALL}"])
    except SettingsError as error:
        sys.stderr.write(f"settings: {error}\n")
        return 2
    configure("media", settings.log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its notes on WebSockets show tickets
    gc.freeze()  # what was imported lives for ever; collections of it would be heard as a stutter
    gc.set_threshold(20_000, 20, 50)
    run(_serve(app, settings))
    return 0
