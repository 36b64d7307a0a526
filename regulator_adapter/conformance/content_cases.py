"""Cases about content: what must be there, what cannot be, lists, repetitions, dependencies."""

from collections.abc import Sequence

from regulator_adapter.conformance.kit import Differs, Kit, NotTried, Said, accepted, refused
from regulator_adapter.profiles import Method
from regulator_adapter.profiles.reading import Field


async def every_record(kit: Kit) -> None:
    """A whole record of every method, in the order of what they need."""
    for name in kit.profile.methods:
        accepted(await kit.send(name, [await kit.good(name)]), kit.profile)


async def all_missing(kit: Kit) -> None:
    """-99 with the names of all mandatory fields of one record, joined with `|`."""
    for method in kit.profile.methods.values():
        said = await kit.send(method.name, [{}])
        _names(kit, said, [one.name for one in method.fields if one.when == ()])


async def one_missing(kit: Kit) -> None:
    """-99 with the one name, for every mandatory field of every method."""
    for method in kit.profile.methods.values():
        whole = await kit.good(method.name)
        for one in (one for one in method.fields if one.when == () and one.name != kit.profile.row_key):
            record = {name: value for name, value in whole.items() if name != one.name}
            if one.name in {other.field for each in method.fields for other in each.when or ()}:
                continue  # others depend on it: what is missing then is not one
            refused(await kit.send(method.name, [record]), kit.profile, -99, one.name)


async def blank_is_missing(kit: Kit) -> None:
    """Spaces and null count as nothing."""
    method, one = _first(kit, "text")
    for blank in ("   ", None):
        refused(
            await kit.send(method.name, [await kit.good(method.name) | {one.name: blank}]),
            kit.profile,
            -99,
            one.name,
        )


async def guardian_of_a_small_child(kit: Kit) -> None:
    """Under six the guardian's fields are mandatory."""
    tried = False
    for method in kit.profile.methods.values():
        of_age = [one for one in method.fields if _under_six(one)]
        if not of_age:
            continue
        age = next(when.field for one in of_age for when in one.when or () if when.operator == "<")
        child = await kit.good(method.name) | {age: 5}
        names = [one.name for one in of_age if one.mandatory(child)]
        if names:
            tried = True
            record = {name: value for name, value in child.items() if name not in names}
            _names(kit, await kit.send(method.name, [record]), names)
    if not tried:
        raise NotTried("this profile has no such field")


async def unknown_code(kit: Kit) -> None:
    """-1 that begins with the field's name."""
    method, one = _first(kit, "code")
    refused(
        await kit.send(method.name, [await kit.good(method.name) | {one.name: "zz"}]),
        kit.profile,
        -1,
        one.name,
    )


async def too_long(kit: Kit) -> None:
    """One character over the length."""
    method, one = _first(kit, "text")
    long = "长" * (int(one.argument) + 1)
    refused(
        await kit.send(method.name, [await kit.good(method.name) | {one.name: long}]),
        kit.profile,
        -1,
        one.name,
    )


async def wrong_time(kit: Kit) -> None:
    """A time in another form."""
    method, one = _first(kit, "time", "iso")
    record = await kit.good(method.name) | {one.name: "20/11/2026"}
    refused(await kit.send(method.name, [record]), kit.profile, -1, one.name)


async def wrong_certificate(kit: Kit) -> None:
    """A citizen's number whose check character is wrong."""
    method, one = _first(kit, "certificate")
    record = await kit.good(method.name) | {one.name: "110105194912310021"}
    refused(await kit.send(method.name, [record]), kit.profile, -1, one.name)


async def another_hospital(kit: Kit) -> None:
    """Records of a hospital that this access does not belong to."""
    method = kit.simplest()
    name = next(one.name for one in method.fields if one.name in ("organID", "jgdm"))
    refused(
        await kit.send(method.name, [await kit.good(method.name) | {name: "0" * 18}]), kit.profile, -1, name
    )


async def empty_list(kit: Kit) -> None:
    """-98; but 200 where it is the daily sign-in."""
    for method in kit.profile.methods.values():
        said = await kit.send(method.name, [])
        expected = 200 if method.name in kit.profile.sign_in else -98
        if said.inner != expected:
            raise Differs(f"{method.name}: expected inner {expected}, got {said}")


async def first_error(kit: Kit) -> None:
    """[good, bad, good]: a list ends at its first error, what stood before is stored; or every row is answered for itself."""
    method, one = _first(kit, "text")
    first, last = await kit.good(method.name), await kit.good(method.name)
    bad = {name: value for name, value in (await kit.good(method.name)).items() if name != one.name}
    said = await kit.send(method.name, [first, bad, last])
    refused(said, kit.profile, -99, one.name, at=1)
    if kit.profile.row_key:
        _each([row.get("status") for row in said.rows], [1, 2, 1])
    elif kit.profile.deduplicates:
        _each([entry.get("eventId") for entry in said.receipts], [first["eventId"]])
    else:
        await _known(kit, method, first, stored=True)
        await _known(kit, method, last, stored=False)


async def _known(kit: Kit, method: Method, record: dict[str, object], *, stored: bool) -> None:
    """Whether a record that needs the number of `record` is taken: a platform without a query tells so what it has."""
    kind, field = method.makes
    for other in kit.profile.methods.values():
        for need, path in other.needs:
            table = kit.profile.kinds.get(need.removeprefix("@"), {}) if need.startswith("@") else {}
            codes = [code for code, known in table.items() if known == kind]
            if need == kind and "." not in path:
                fixed = {path: record[field]}
            elif codes and "." not in path:
                fixed = {need[1:]: codes[0], path: record[field]}
            else:
                continue
            said = await kit.send(other.name, [await kit.good(other.name, **fixed)])
            if (said.inner == 200) != stored:
                raise Differs(
                    f"a record {'before' if stored else 'behind'} the bad one: {other.name} about it got {said}"
                )
            return


async def sent_twice(kit: Kit) -> None:
    """Stored twice without a word, or known again with its first receipt."""
    method = kit.simplest()
    record = await kit.good(method.name)
    once, again = await kit.send(method.name, [record]), await kit.send(method.name, [record])
    for said in (once, again):
        accepted(said, kit.profile)
    if kit.profile.deduplicates:
        first, second = (said.first for said in (once, again))
        _each([first.get("duplicate"), second.get("duplicate")], [False, True])
        _each([second.get("receipt")], [first.get("receipt")])


async def needs_come_first(kit: Kit) -> None:
    """A record about a number nobody reported."""
    for method in kit.profile.methods.values():
        for need, path in method.needs:
            if "." in path:
                continue
            record = await kit.good(method.name) | {path: kit.examples.number()}
            said = await kit.send(method.name, [record])
            if need.startswith("@") or need in {one.makes[0] for one in kit.profile.methods.values()}:
                refused(said, kit.profile, -1, path)


def _names(kit: Kit, said: Said, names: Sequence[str]) -> None:
    """`Differs` unless exactly these fields are named as missing, in whatever order."""
    refused(said, kit.profile, -99)
    text = str(said.first.get("msg", "")) if kit.profile.row_key else said.text
    if sorted(text.split("|")) != sorted(names):
        raise Differs(f"expected {'|'.join(names)}, got {text}")


def _first(kit: Kit, *kinds: str) -> tuple[Method, Field]:
    """A mandatory field of one of these kinds, in a method that needs little; not one that is a number or a name of the row."""
    special = {
        "organID",
        "unitID",
        "organName",
        "jgdm",
        "fwwddm",
        "jgmc",
        "eventId",
        "stream",
        kit.profile.row_key,
    }
    methods = sorted(kit.profile.methods.values(), key=lambda one: len(one.needs))
    for method in methods:
        decides = {when.field for one in method.fields for when in one.when or ()}
        for one in method.fields:
            skip = special | decides | {method.makes[1], "cxbz"}
            if one.kind in kinds and one.when == () and one.name not in skip:
                return method, one
    raise NotTried(f"no mandatory field is a {' or '.join(kinds)}")


def _under_six(one: Field) -> bool:
    return bool(one.when) and any(when.operator == "<" and when.values == ("6",) for when in one.when or ())


def _each(found: Sequence[object], expected: Sequence[object]) -> None:
    if list(found) != list(expected):
        raise Differs(f"expected {list(expected)}, got {list(found)}")
