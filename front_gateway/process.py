"""Puts one gateway together and runs it until SIGTERM; SIGHUP reads whitelist and certificates again."""

import asyncio
import gc
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from foundation.clock import Clock
from foundation.logs import configure, log
from front_gateway.audit_file import AuditFile, AuditUnusable
from front_gateway.contexts import Contexts
from front_gateway.deadline import Deadline
from front_gateway.dialects.combined.dialect import CombinedDialect, close_all
from front_gateway.dialects.dicomweb.dialect import MAX_REPLY
from front_gateway.dialects.hl7v2.hints import BackendHints
from front_gateway.dialects.hl7v2.line import Line
from front_gateway.dialects.hl7v2.listener import MllpListener
from front_gateway.dialects.with_images import WithImages
from front_gateway.dialects.words import SystemsError
from front_gateway.door import Door
from front_gateway.health import CHECK_SECONDS, Check, HealthPort, health_app
from front_gateway.inward import Inward
from front_gateway.keeping.route import Keeping
from front_gateway.keeping.stores import kept_store, warn_if_overwriting
from front_gateway.listener import Listener
from front_gateway.metrics import BREAKER_OPEN
from front_gateway.outward import Outward
from front_gateway.policy.reading import Policy, WhitelistError, read_policy
from front_gateway.refusals import Target
from front_gateway.settings import Settings
from front_gateway.speaking import Speaker, lines, speaker
from front_gateway.supervising import Supervising
from front_gateway.upstream import Upstream


def run(settings: Settings) -> None:
    """Serve; one line on stderr and exit status 2 when whitelist, certificates or audit cannot be used."""
    configure(f"front_gateway-{settings.gateway_name}", settings.log_level)
    clock = Clock()
    try:
        policy = read_policy(settings.whitelist)
        speaks = speaker(settings.his_dialect, settings.his_systems)
        tls = Contexts(settings)
        audit = AuditFile(settings.audit_folder, settings.gateway_name, clock)
    except (WhitelistError, SystemsError, AuditUnusable, OSError) as error:
        sys.stderr.write(f"front_gateway: {error}\n")
        raise SystemExit(2) from None
    try:
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(
                _serve(
                    settings=settings,
                    clock=clock,
                    policy=policy,
                    audit=audit,
                    tls=tls,
                    his=Upstream(Target.HIS, settings.his_url, tls.his, identity=settings.his_identity),
                    city=Upstream(
                        Target.CITY,
                        settings.city_url,
                        tls.city,
                        at_once=128,
                        identity=settings.city_identity,
                        tells=True,
                    ),
                    backend=Upstream(
                        Target.BACKEND,
                        settings.backend_url,
                        tls.backend,
                        at_once=8,
                        identity=settings.backend_identity,
                    ),
                    pacs=Upstream(
                        Target.PACS,
                        settings.pacs_url,
                        tls.pacs,
                        at_once=8,
                        queue=16,
                        max_reply=MAX_REPLY,
                        identity=settings.pacs_identity,
                    ),
                    speaks=speaks,
                )
            )
    finally:
        audit.close()


async def _serve(
    *,
    settings: Settings,
    clock: Clock,
    policy: Policy,
    audit: AuditFile,
    tls: Contexts,
    his: Upstream,
    city: Upstream,
    backend: Upstream,
    pacs: Upstream,
    speaks: Speaker,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with his, city, backend, pacs:
        systems_beside = lines(settings, tls.his)
        main = speaks(his, clock)
        combined = CombinedDialect(main, systems_beside, clock)
        dialect = WithImages(combined, pacs if settings.pacs_url else None, registry=main)
        supervising = Supervising(backend if settings.backend_url else None)
        store = kept_store(settings)
        keeping = Keeping(store)
        door = Door(policy, Inward(dialect), Outward(city), audit, supervising, clock, keeping)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, stop.set)
        pushes = MllpListener(
            lambda: door.policy.senders, BackendHints(backend if settings.backend_url else None), audit, clock
        )
        renewed: list[Upstream | Line] = [his, city, backend, pacs, *systems_beside.values()]
        loop.add_signal_handler(signal.SIGHUP, lambda: _reload(door, settings.whitelist, tls, renewed))

        checks: dict[str, Check] = {
            "his": lambda: dialect.ready(Deadline(CHECK_SECONDS)), "city": lambda: city.reach(CHECK_SECONDS)
        }  # fmt: skip
        beside = _checks(systems_beside) | {"store": keeping.reach}
        health = HealthPort(health_app(checks, clock, settings.env, beside))
        listener = Listener(door.serve, tls.incoming)
        try:
            await health.open(settings.health_port)
            await listener.open(settings.host, settings.port)
            await _open_pushes(pushes, settings, tls)
        except OSError as error:
            sys.stderr.write(f"front_gateway: cannot listen: {error.strerror}\n")
            await health.close()
            raise SystemExit(1) from None
        log.info("serving", port=listener.port, health_port=health.port, entries=len(policy.entries))
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked through again and again
        upkeep = asyncio.create_task(_upkeep(audit, (his, city, backend, pacs, keeping), systems_beside))
        probe = asyncio.create_task(warn_if_overwriting(store))
        await stop.wait()
        log.info("stopping")
        await pushes.close()
        await listener.close()
        await close_all(systems_beside)
        probe.cancel()
        upkeep.cancel()
        await health.close()


def _checks(systems: Mapping[str, Line]) -> dict[str, Check]:
    """LIS and RIS by their own names."""

    def check(line: Line) -> Check:
        async def reach() -> None:
            await line.reach(CHECK_SECONDS)

        return reach

    return {line.address.name: check(line) for line in systems.values()}


async def _open_pushes(pushes: MllpListener, settings: Settings, tls: Contexts) -> None:
    """MLLP in plain is for this machine, whatever HOST says."""
    if settings.hl7_port:
        await pushes.open("127.0.0.1", settings.hl7_port, None)
    if settings.hl7_tls_port:
        await pushes.open(settings.host, settings.hl7_tls_port, tls.incoming)


async def _upkeep(
    audit: AuditFile, upstreams: Sequence[Upstream | Keeping], beside: Mapping[str, Line]
) -> None:
    """Once a second: the audit reaches the disk, the breakers reach the metrics."""
    while True:
        await asyncio.sleep(1)
        try:
            await asyncio.to_thread(audit.sync)
        except (OSError, ValueError) as error:  # ValueError: closed a moment ago
            log.error("audit_not_synced", error=str(error))
        for one in upstreams:
            BREAKER_OPEN.labels(one.target.value).set(one.breaker.is_open)
        for line in beside.values():
            BREAKER_OPEN.labels(line.address.name).set(line.breaker.is_open)


def _reload(door: Door, path: Path, tls: Contexts, upstreams: Sequence[Upstream | Line]) -> None:
    """Take new certificates and the new whitelist where they are valid; keep the old ones otherwise."""
    try:
        tls.renew()
        for one in upstreams:
            one.drop_idle()  # or the old certificate would be shown as long as calls keep coming
    except OSError as error:  # ssl.SSLError is one
        log.error("certificates_not_renewed", error=str(error))
    try:
        policy = read_policy(path)
    except WhitelistError as error:
        log.error("whitelist_not_reloaded", mistakes=error.mistakes)
        return
    door.replace_policy(policy)
    log.info("whitelist_reloaded", entries=len(policy.entries))


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
