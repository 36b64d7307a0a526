import os
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from standalone.failure import StoreError
from standalone.stores import Stores, running
from tests.unit.standalone.conftest import AS_ROOT, free_port, options, query

ROOT = Path(__file__).parents[3]
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can lend its servers another account")


def test_data_is_kept_from_one_start_to_the_next(data: Path) -> None:
    wanted = options()
    with running(data, wanted) as urls:
        query(urls.database, "CREATE TABLE kept AS SELECT 7 AS number")

    begun = time.perf_counter()
    with running(data, wanted) as urls:
        print(f"second start: {time.perf_counter() - begun:.3f} s")  # noqa: T201 - a figure to look at
        assert query(urls.database, "SELECT number FROM kept") == 7


def test_each_side_opens_its_own_database_only(data: Path) -> None:
    with running(data, options()) as urls:
        assert query(urls.regulator, "SELECT current_user || current_database()") == "regulatorregulator"
        other = urls.regulator.rsplit("/", 1)[0] + "/hospital"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            query(other, "SELECT 1")


def test_a_wrong_password_opens_nothing(data: Path) -> None:
    with running(data, options()) as urls:
        with pytest.raises(asyncpg.InvalidPasswordError):
            query(urls.database.replace("hospital:", "hospital:x"), "SELECT 1")
        stranger = redis.Redis.from_url(urls.redis.replace("redis://:", "redis://:x"))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_the_database_does_not_lose_what_was_committed(data: Path) -> None:
    with running(data, options()) as urls:
        assert query(urls.database, "SHOW fsync") == "on"
        assert query(urls.database, "SHOW synchronous_commit") == "on"
        assert query(urls.database, "SHOW server_encoding") == "UTF8"


def test_valkey_keeps_nothing(data: Path) -> None:
    wanted = options()
    with running(data, wanted) as urls, redis.Redis.from_url(urls.redis) as cache:
        cache.set("canary", "1")
        assert cache.config_get("save")["save"] == ""
        assert cache.config_get("appendonly")["appendonly"] == "no"

    with running(data, wanted) as urls, redis.Redis.from_url(urls.redis) as cache:
        assert cache.get("canary") is None


def test_no_password_stands_in_the_arguments_of_a_process(data: Path) -> None:
    stores = Stores.start(data, options())
    try:
        assert stores.postgres is not None
        assert stores.valkey is not None
        for pid in (stores.postgres.pid, stores.valkey.pid):
            arguments = " ".join(psutil.Process(pid).cmdline())
            for url in (stores.urls.database, stores.urls.redis, stores.urls.admin or ""):
                assert url.split(":")[2].split("@")[0] not in arguments
    finally:
        stores.stop()


def test_stopping_twice_is_harmless(data: Path) -> None:
    stores = Stores.start(data, options())

    stores.stop()
    stores.stop()

    assert stores.postgres is not None
    assert not stores.postgres.alive()


@needs_root
def test_root_lends_its_servers_an_account_without_rights(data: Path) -> None:
    stores = Stores.start(data, options())
    try:
        assert stores.postgres is not None
        assert stores.valkey is not None
        for pid in (stores.postgres.pid, stores.valkey.pid):
            process = psutil.Process(pid)
            assert (process.uids().effective, process.gids().effective) == (65534, 65534)
            groups = Path(f"/proc/{pid}/status").read_text().split("Groups:")[1].splitlines()[0]
            assert groups.split() == []
    finally:
        stores.stop()


@needs_root
def test_a_folder_that_the_account_cannot_enter_is_left_closed(hidden_data: Path) -> None:
    wanted = options()
    before = stat.S_IMODE(hidden_data.parent.stat().st_mode)
    for _ in range(2):
        stores = Stores.start(hidden_data, wanted)
        assert stores.postgres is not None
        home = stores.postgres.home.path
        stores.stop()

    assert home.parent == Path("/var/tmp")
    assert (stat.S_IMODE(home.stat().st_mode), home.stat().st_uid) == (0o700, 65534)
    assert stat.S_IMODE(hidden_data.parent.stat().st_mode) == before


SUPERVISOR = """
import sys, time
from pathlib import Path
from standalone.stores import StoreOptions, Stores
stores = Stores.start(Path(sys.argv[1]), StoreOptions(postgres_port=int(sys.argv[2]), valkey_port=int(sys.argv[3])))
print(stores.postgres.pid, stores.valkey.pid, flush=True)
time.sleep(600)
"""


def test_what_a_killed_run_left_behind_is_ended_and_its_data_found(data: Path) -> None:
    wanted = options()
    ports = [str(wanted.postgres_port), str(wanted.valkey_port)]
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(data), *ports], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        pids = [int(pid) for pid in killed.stdout.readline().split()]
        killed.send_signal(signal.SIGKILL)
    assert [psutil.pid_exists(pid) for pid in pids] == [True, True]

    with running(data, wanted) as urls:
        assert query(urls.database, "SELECT 1") == 1
        assert [_is_running(pid) for pid in pids] == [False, False]


def _is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_database_that_was_killed_recovers(data: Path) -> None:
    wanted = options()
    stores = Stores.start(data, wanted)
    try:
        query(stores.urls.database, "CREATE TABLE recovered AS SELECT 7 AS number")
        assert stores.postgres is not None
        os.kill(stores.postgres.pid, signal.SIGKILL)
    finally:
        stores.stop()

    with running(data, wanted) as urls:
        assert query(urls.database, "SELECT number FROM recovered") == 7


def test_a_lock_file_that_names_a_process_of_somebody_else_is_no_obstacle(data: Path) -> None:
    wanted = options()
    stores = Stores.start(data, wanted)
    assert stores.postgres is not None
    lock = stores.postgres.home.cluster / "postmaster.pid"
    content = lock.read_text()
    stores.stop()
    lock.write_text(content.replace(content.split("\n")[0], str(os.getpid()), 1))

    with running(data, wanted) as urls:
        assert query(urls.database, "SELECT 1") == 1


def test_two_systems_cannot_share_a_data_folder(data: Path) -> None:
    with running(data, options()), pytest.raises(StoreError, match="in use"):
        Stores.start(data, options())


def test_a_port_that_is_taken_is_named(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = options()
        with pytest.raises(StoreError, match=f"Valkey cannot listen on 127.0.0.1:{port}"):
            Stores.start(data, type(wanted)(postgres_port=free_port(), valkey_port=port))


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(StoreError, match=r"/data: File exists"):
        Stores.start(tmp_path / "data", options())


@needs_root
def test_a_folder_of_another_user_is_named(data: Path) -> None:
    def start() -> None:
        with pytest.raises(StoreError, match="Permission denied"):
            Stores.start(data, options())

    assert as_nobody(start) == 0


def test_a_database_without_its_passwords_is_not_replaced(data: Path) -> None:
    passwords = data / "secrets" / "stores.json"
    away = passwords.rename(data / "elsewhere.json")

    with pytest.raises(StoreError, match=r"stores\.json is missing"):
        Stores.start(data, options())

    away.rename(passwords)
    with running(data, options()) as urls:
        assert query(urls.database, "SELECT 1") == 1


def test_what_is_given_by_url_is_not_started(new_data: Path) -> None:
    given = options(
        database_url="postgres://u:p@db/hospital",
        regulator_database_url="postgresql+asyncpg://u:p@db/regulator",
        redis_url="redis://cache:6379/0",
    )

    stores = Stores.start(new_data, given)
    try:
        assert (stores.postgres, stores.valkey, stores.urls.admin) == (None, None, None)
        assert stores.urls.database == "postgresql+asyncpg://u:p@db/hospital"
        assert stores.urls.regulator == "postgresql+asyncpg://u:p@db/regulator"
        assert stores.urls.redis == "redis://cache:6379/0"
        assert not (new_data / "postgres").exists()
    finally:
        stores.stop()


def test_passwords_are_for_their_owner_only(data: Path) -> None:
    with running(data, options()):
        assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "secrets" / "stores.json").stat().st_mode) == 0o600


@needs_root
def test_an_ordinary_user_runs_them_under_its_own_name(new_data: Path) -> None:
    new_data.mkdir()
    os.chown(new_data, 65534, 65534)
    wanted = options()

    def twice() -> None:
        for _ in range(2):
            with running(new_data, wanted) as urls:
                assert query(urls.database, "SELECT 1") == 1
                assert (new_data / "postgres" / "cluster").stat().st_uid == 65534

    assert as_nobody(twice) == 0


def as_nobody(work: Callable[[], None]) -> int:
    """Exit status of a forked child without rights: the interpreter itself may lie where only root can read it."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
