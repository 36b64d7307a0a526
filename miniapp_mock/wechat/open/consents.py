"""What the owner of a phone allowed: one accept is one message; a staff member follows the service account."""

from collections.abc import Sequence

from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open.templates import SUBSCRIBE

MOST_AT_ONCE = 3


class SubscribeFailed(Exception):
    """`wx.requestSubscribeMessage` failed with `code`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = f"requestSubscribeMessage:fail {message}"


def check_asked(mock: Mock, template_ids: Sequence[str]) -> None:
    """Raises SubscribeFailed as the phone would."""
    if not template_ids:
        raise SubscribeFailed(10001, "TmplIds can't be empty")
    if len(template_ids) > MOST_AT_ONCE:
        raise SubscribeFailed(20003, "Templates count out of max bounds")
    for one in template_ids:
        template = mock.templates.get(one)
        if template is None or template.kind != SUBSCRIBE:
            raise SubscribeFailed(20001, f"No template data return, verify the template id exist: {one}")


def accept(mock: Mock, openid: str, template_id: str) -> None:
    """One more message of this template; it adds up and never lapses."""
    mock.store.run(
        "INSERT INTO consents (openid, template_id, remaining) VALUES (?, ?, 1) "
        "ON CONFLICT (openid, template_id) DO UPDATE SET remaining = remaining + 1",
        openid,
        template_id,
    )


def spend(mock: Mock, openid: str, template_id: str) -> bool:
    """Whether there was a consent left; then it is one less."""
    return bool(
        mock.store.run(
            "UPDATE consents SET remaining = remaining - 1 "
            "WHERE openid = ? AND template_id = ? AND remaining > 0",
            openid,
            template_id,
        )
    )


def remaining(mock: Mock, openid: str) -> dict[str, int]:
    rows = mock.store.all("SELECT template_id, remaining FROM consents WHERE openid = ?", openid)
    return {row["template_id"]: row["remaining"] for row in rows}


def follow(mock: Mock, openid: str, follows: bool) -> None:
    mock.store.run(
        "INSERT INTO followers (openid, follows) VALUES (?, ?) "
        "ON CONFLICT (openid) DO UPDATE SET follows = excluded.follows",
        openid,
        int(follows),
    )


def is_following(mock: Mock, openid: str) -> bool:
    """Staff were told to follow when they joined; patients were not."""
    row = mock.store.one("SELECT follows FROM followers WHERE openid = ?", openid)
    if row is not None:
        return bool(row["follows"])
    person = mock.people.find(openid)
    return person is not None and person.is_staff
