"""The rules of the house: each holds over the whole tree, and each catches a bad snippet."""

from functools import cache
from pathlib import PurePosixPath

import pytest

from tools.house_rules import Finding, Source, check, sources, texts
from tools.house_rules.columns import declared_columns, model_modules, undeclared
from tools.house_rules.files import lock_hosts, machine_paths
from tools.house_rules.rules import RULES

BAD = [
    ("state-by-advance", "backend/payment/service.py", "payment.state = State.CONFIRMED"),
    ("state-by-advance", "backend/payment/service.py", "update(Payment).values(state='confirmed')"),
    ("state-by-advance", "regulator_adapter/submit.py", "setattr(row, 'state', 'accepted')"),
    ("one-commit", "backend/payment/service.py", "await session.commit()"),
    ("clock", "backend/schedule/service.py", "today = datetime.now(UTC)"),
    ("clock", "simulators/his/app.py", "today = date.today()"),
    ("clock", "miniapp_mock/wechat/pay.py", "stamp = int(time.time())"),
    ("no-float", "contracts/money.py", "def yuan(fen: int) -> float: ..."),
    ("no-float", "backend/payment/wire.py", "RATE = 0.5"),
    ("no-float", "backend/pricing/fees.py", "half = fen / 2"),
    ("http-client", "backend/notification/tasks.py", "client = httpx.AsyncClient(timeout=3)"),
    ("settings", "backend/app.py", "url = os.environ['DATABASE_URL']"),
    ("settings", "front_gateway/app.py", "name = os.getenv('GATEWAY_NAME')"),
    ("lazy-raise", "backend/encounter/model.py", "messages = relationship('Message')"),
    ("lazy-raise", "backend/encounter/model.py", "messages = relationship('Message', lazy='selectin')"),
    ("data-class", "backend/encounter/model.py", "text: Mapped[str] = mapped_column(Text)"),
    ("file-length", "backend/app.py", "\n" * 501),
    ("function-length", "backend/app.py", "def long():\n" + "    pass\n" * 60),
    ("stdlib-name", "foundation/http.py", "X = 1"),
    ("stdlib-name", "backend/calendar/__init__.py", "X = 1"),
]

GOOD = [
    ("foundation/db/advance.py", "row.state = line.target"),
    ("backend/payment/service.py", "insert(Refund).values(state=RefundState.REQUESTED).returning(Refund.id)"),
    ("foundation/db/unit_of_work.py", "await session.commit()"),
    ("foundation/clock.py", "datetime.now(UTC)"),
    ("backend/encounter/model.py", "messages = relationship('Message', lazy='raise')"),
    ("backend/settings.py", "os.environ"),
    ("standalone/wiring.py", "os.environ"),
    ("foundation/client.py", "httpx.AsyncClient()"),
    ("simulators/his/app.py", "app.state.clock = clock"),
    ("backend/migrations/versions/2026_first.py", "def upgrade() -> None:\n" + "    op.add_column()\n" * 600),
]


def found_in(path: str, text: str) -> list[Finding]:
    return list(check(Source(PurePosixPath(path), text), RULES))


@cache
def whole_tree() -> tuple[Finding, ...]:
    return tuple(finding for source in sources() for finding in check(source, RULES))


@pytest.mark.parametrize("rule", [*RULES, "escape"])
def test_the_tree_keeps_the_rule(rule: str) -> None:
    broken = [str(finding) for finding in whole_tree() if finding.rule == rule]

    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_the_rule_catches_a_bad_snippet(rule: str, path: str, text: str) -> None:
    assert rule in {finding.rule for finding in found_in(path, text)}


def test_every_rule_has_a_bad_snippet() -> None:
    assert {rule for rule, *_ in BAD} == set(RULES)


@pytest.mark.parametrize(("path", "text"), GOOD)
def test_what_is_allowed_passes(path: str, text: str) -> None:
    assert found_in(path, text) == []


@pytest.mark.parametrize("text", [
    "await session.commit()  # house: one-commit: the migration runs outside a unit of work",
    "# house: one-commit: the migration runs outside a unit of work\nawait session.commit()",
])  # fmt: skip
def test_a_comment_with_a_reason_excuses_a_line(text: str) -> None:
    assert found_in("backend/migrate.py", text) == []


@pytest.mark.parametrize("text", [
    "await session.commit()  # house: one-commit:",
    "await session.commit()  # house: one-commit",
    "await session.flush()  # house: one-commit: it does not even commit",
    "await session.flush()  # house: no-such-rule: whatever",
])  # fmt: skip
def test_a_comment_that_excuses_nothing_or_gives_no_reason_is_found(text: str) -> None:
    assert [finding.rule for finding in found_in("backend/migrate.py", text)] == ["escape"]


def test_no_file_names_a_path_of_one_machine() -> None:
    broken = [str(finding) for path, text in texts() for finding in machine_paths(path, text)]

    assert not broken, "\n" + "\n".join(broken)


def test_the_path_of_one_machine_is_caught() -> None:
    bad = ["open('/" + "root/.cache/x')", "cd /" + "home/somebody/hospital", "`/" + "Users/me/x`"]
    good = [
        "https://example.org/" + "home/page",
        "backend/" + "work/",
        "/usr/bin/chromium",
        "<a href='/" + "home/today'>",
    ]

    assert all(list(machine_paths("x.md", text)) for text in bad)
    assert not [found for text in good for found in machine_paths("x.md", text)]


def test_no_lock_names_a_package_host() -> None:
    locks = [(path, text) for path, text in texts() if path.startswith("locks/")]

    assert {path for path, _ in locks} >= {"locks/run.txt", "locks/test.txt"}
    assert not [str(finding) for path, text in locks for finding in lock_hosts(path, text)]


def test_a_package_host_in_a_lock_is_caught() -> None:
    bad = ["--index-url https://example.org/simple", "x @ https://example.org/x.whl", "--find-links wheels"]

    assert all(list(lock_hosts("locks/run.txt", text)) for text in bad)
    assert not list(lock_hosts("locks/run.txt", "aiohttp==3.14.5 \\\n    --hash=sha256:00\n    # via x\n"))


def test_run_and_test_locks_agree_on_versions() -> None:
    pins = {
        path: {line.split(" ")[0] for line in text.splitlines() if "==" in line[:60] and line[0].isalnum()}
        for path, text in texts()
        if path.startswith("locks/")
    }

    assert pins["locks/run.txt"] <= pins["locks/test.txt"]


def test_every_column_of_every_table_declares_what_it_holds() -> None:
    columns = declared_columns()

    assert len(columns) > 20
    assert undeclared(columns) == []


def test_every_module_with_tables_is_looked_at() -> None:
    assert "foundation.db.outbox" in model_modules()
