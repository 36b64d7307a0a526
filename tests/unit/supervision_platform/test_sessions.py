"""Signing in: each login's wrong passwords are its own, and forms come from our own pages."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from simulators.supervision.console.sessions import STRANGERS, TRIES
from tests.unit.supervision_platform.at_the_console import FIRST, SECOND, browser_at, signed_in
from tests.unit.supervision_platform.sender import Platform

Lines = list[tuple[str, str]]
HOURS = itertools.count(3600, 3600)


@pytest.fixture
def door(shanghai: Platform) -> Iterator[httpx.Client]:
    """A browser before the login, which does not follow where it is sent; in an hour of its own, as failures live in memory."""
    shanghai.move_clock(next(HOURS))
    with browser_at(shanghai) as client:
        client.follow_redirects = False
        yield client


def tries(door: httpx.Client, login: str, number: int = 1) -> list[int]:
    return [
        door.post("/login", data={"login": login, "password": f"wrong-{one}"}).status_code
        for one in range(number)
    ]


def session_lines(platform: Platform) -> Lines:
    """(action, login) of the trail's lines about sessions, first line first, without the reader's own."""
    with signed_in(platform, SECOND) as reader:
        found = reader.get("/trail.json").json()["lines"][::-1]
    return [(one["action"], one["login"]) for one in found if one["action"].startswith("session.")][:-1]


def test_five_wrong_passwords_lock_a_login_for_five_minutes(door: httpx.Client, shanghai: Platform) -> None:
    assert tries(door, "supervisor", TRIES) == [403] * TRIES

    right = door.post("/login", data=FIRST)

    assert right.status_code == 429
    assert "五分钟" in right.text
    shanghai.move_clock(next(HOURS) - 3600 + 301)
    assert door.post("/login", data=FIRST).status_code == 303


def test_nobody_locks_another_login(door: httpx.Client) -> None:
    tries(door, "supervisor2", TRIES)

    assert door.post("/login", data=FIRST).status_code == 303


def test_a_colleagues_success_covers_nobodys_tries(door: httpx.Client) -> None:
    for _ in range(TRIES):
        tries(door, "supervisor2")
        assert door.post("/login", data=FIRST).status_code == 303

    assert tries(door, "supervisor2") == [429]
    assert door.post("/login", data=SECOND).status_code == 429


def test_her_own_success_clears_her_own_failures(door: httpx.Client) -> None:
    for _ in range(3):
        assert tries(door, "supervisor", TRIES - 1) == [403] * (TRIES - 1)
        assert door.post("/login", data=FIRST).status_code == 303


def test_an_unknown_login_is_locked_like_a_known_one(door: httpx.Client) -> None:
    assert tries(door, "nobody", TRIES + 1) == [403] * TRIES + [429]


def test_however_many_logins_are_made_up_the_real_ones_get_in_and_the_trail_stays_short(
    door: httpx.Client, shanghai: Platform
) -> None:
    answers = [tries(door, f"made-up-{number}")[0] for number in range(STRANGERS + 20)]

    assert answers == [403] * STRANGERS + [429] * 20
    assert door.post("/login", data=FIRST).status_code == 303
    assert len(session_lines(shanghai)) == STRANGERS + 1


def test_tries_at_once_count_one_by_one(door: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = [one[0] for one in pool.map(lambda _: tries(door, "supervisor"), range(24))]

    assert sorted(answers) == [403] * TRIES + [429] * (24 - TRIES)


def test_coming_going_and_failing_are_lines_of_the_trail(door: httpx.Client, shanghai: Platform) -> None:
    tries(door, "supervisor", TRIES + 3)
    tries(door, "correct-horse")  # typed into the wrong field
    shanghai.move_clock(next(HOURS))
    door.post("/login", data=FIRST)
    door.post("/logout")
    door.post("/logout")

    assert session_lines(shanghai) == [
        *[("session.failed", "supervisor")] * (TRIES - 1),
        ("session.locked", "supervisor"),
        ("session.failed", ""),
        ("session.sign_in", "supervisor"),
        ("session.sign_out", "supervisor"),
    ]
    with signed_in(shanghai, SECOND) as reader:
        page = reader.get("/trail").text
    assert "correct-horse" not in page
    assert "暂停登录" in page
    assert 'href=""' not in page


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(door: httpx.Client) -> None:
    cookie = door.post("/login", data=FIRST).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/login", "/logout", "/visits/V-1/reveals", "/visits/V-1/look-in", "/alerts/1"]
)
def test_a_form_of_another_site_does_nothing(shanghai: Platform, path: str, headers: dict[str, str]) -> None:
    with signed_in(shanghai) as browser:
        answer = browser.post(path, data=FIRST, headers=headers)

        assert answer.status_code == 403
        assert "没有执行" in answer.text
        assert "set-cookie" not in answer.headers
        assert browser.get("/").url.path == "/"
