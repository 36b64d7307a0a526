"""Puts the serving process together: database, loops, listeners."""

import asyncio
import ssl

from foundation.clock import Clock
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect
from foundation.logs import configure
from foundation.server import listener, run, serve
from foundation.tls import client_context, server_context
from regulator_adapter import profiles
from regulator_adapter.app import events_app, health_app
from regulator_adapter.city_client import CityClient
from regulator_adapter.days.service import Days
from regulator_adapter.days.turning import Turning
from regulator_adapter.desk.door import Desk
from regulator_adapter.desk.watching import Watch
from regulator_adapter.inbox import Inbox
from regulator_adapter.mapper import Mapper
from regulator_adapter.pump import Line, Pump
from regulator_adapter.settings import DeskSettings, Settings
from regulator_adapter.sign_in import SignIn
from regulator_adapter.stream_in import StreamIn
from regulator_adapter.submit import Sender

NAME = "regulator_adapter"


def open_database(settings: DeskSettings, clock: Clock) -> Database:
    """The database with keys and hospital bound."""
    bind_keyring(settings.keyring())
    bind_hospital(settings.hospital_id)
    return connect(settings.database_url, clock, pool=settings.database_pool, application=NAME)


def pump_of(settings: Settings, db: Database, client: CityClient) -> Pump:
    """All loops over `db` and `client`."""
    sender = Sender(db, client, settings.max_attempts, settings.ambiguous_resends)
    lines = [Line(db, profile, sender, settings.concurrency) for profile in settings.lines()]
    table = settings.table()
    daily = [
        SignIn(db, client, line.profile, settings.timing)
        for line in lines
        if line.profile.sign_in and line.profile.name in table.profiles
    ]
    units = {name: access.unit_id for name, access in settings.accesses().own.items()}
    return Pump(db, Mapper(db, table, settings.reporter(), units), lines, daily)


def days_of(settings: Settings, db: Database, client: CityClient) -> Days:
    """What the days are reconciled with; the chain's platform is the one that states them."""
    chain = profiles.profile(settings.table().chain.profile)
    return Days(db, client, chain, settings.reporter(), settings.signer(), settings.trust())


def serve_forever(settings: Settings) -> None:
    """Until SIGTERM."""
    configure(NAME, settings.log_level)
    run(_main(settings))


async def _pull(settings: Settings, tls: ssl.SSLContext, inbox: Inbox, pump: Pump) -> None:
    """Events from a JetStream, where there is one."""
    if settings.nats_url:
        encrypted = tls if settings.nats_url.startswith("tls://") else None
        await StreamIn(settings.nats_url, encrypted, settings.feed_keyring(), inbox, pump).run()


async def _main(settings: Settings) -> None:
    clock = Clock()
    db = open_database(settings, clock)
    tls = client_context(settings.tls_cert, settings.tls_key, settings.tls_root)
    client = CityClient(
        settings.gateway_urls, settings.credentials(), clock, tls,
        concurrency=settings.concurrency * len(settings.lines()), request_seconds=settings.request_seconds,
        own={name: access.credentials for name, access in settings.accesses().own.items()},
    )  # fmt: skip
    stop = asyncio.Event()
    try:
        async with client:
            pump = pump_of(settings, db, client)
            inbox = Inbox(db, pump.mapper.routing, settings.timing, pump.mapper.recent)
            pulling = asyncio.create_task(_pull(settings, tls, inbox, pump))
            pumping = asyncio.create_task(pump.run(stop))
            pumping.add_done_callback(lambda _: stop.set())
            days = days_of(settings, db, client)
            turning = Turning(days, settings.reconcile_seconds)
            turned = asyncio.create_task(turning.run(stop))
            desk = Desk(
                db,
                days,
                turning.wanted,
                pump,
                Watch.of(settings, db, lambda: client.certificate),
                frozenset(settings.desk_callers),
            )
            inward = server_context(settings.server_cert, settings.server_key, settings.client_root)
            await serve(
                listener(
                    events_app(inbox, pump, frozenset(settings.allowed_callers), desk),
                    settings.host, settings.port, tls=inward,
                ),
                listener(health_app(db, settings.env), "127.0.0.1", settings.health_port),
                until=stop,
            )  # fmt: skip
            stop.set()
            pulling.cancel()
            await asyncio.gather(pulling, return_exceptions=True)
            await pumping
            await turned
    finally:
        await db.engine.dispose()
