"""Cases about quotas, outages and lost answers. Most need a receiver that makes faults on demand."""

from regulator_adapter.conformance.kit import Differs, Kit, NotTried, accepted, outer

MOST = 200


async def quota(kit: Kit) -> None:
    """The quota of a test environment ends in 40012, and a refused request stores nothing."""
    if not kit.options.quota:
        raise NotTried("fills the quota of the test environment (--quota)")
    method = kit.simplest()
    for _ in range(MOST):
        said = await kit.send(method.name, [await kit.good(method.name)])
        if said.outer == 40012:
            return
        accepted(said, kit.profile)
    raise Differs(f"{MOST} records of {method.name}, and no quota")


async def outage(kit: Kit) -> None:
    """Nothing is stored while it is away, and afterwards the same record is taken."""
    method = kit.simplest()
    record = await kit.good(method.name)
    await kit.fault(outage=True)
    try:
        said = await kit.send(method.name, [record])
    finally:
        await kit.fault()
    if said.status == 200:
        raise Differs(f"expected HTTP 503 or no answer, got {said}")
    again = await kit.send(method.name, [record])
    accepted(again, kit.profile)
    if kit.profile.deduplicates and again.first.get("duplicate"):
        raise Differs("what was sent during the outage was stored")


async def busy(kit: Kit) -> None:
    """Outer -1: later, with a new nonce."""
    method = kit.simplest()
    record = await kit.good(method.name)
    await kit.fault(busy=True)
    try:
        outer(await kit.send(method.name, [record]), -1)
    finally:
        await kit.fault()
    accepted(await kit.send(method.name, [record]), kit.profile)


async def frozen(kit: Kit) -> None:
    """Outer 40003 for everything."""
    await kit.fault(frozen=True)
    try:
        outer(await kit.send(kit.simplest().name, []), 40003)
    finally:
        await kit.fault()


async def lost_answer(kit: Kit) -> None:
    """The record is stored and the answer lost: sent again it is known where events or rows are, and doubled where they are not."""
    method = kit.simplest()
    record = await kit.good(method.name)
    await kit.fault(lose_reply=True)
    try:
        said = await kit.send(method.name, [record])
    finally:
        await kit.fault()
    if said.status != 0:
        raise NotTried(f"the answer was not lost: {said}")
    again = await kit.send(method.name, [record])
    accepted(again, kit.profile)
    if kit.profile.deduplicates and not again.first.get("duplicate"):
        raise Differs("it was stored twice, or not at all the first time")
