"""What the merchant is told: one row per event, encrypted and signed anew for each attempt."""

import base64
import json
import secrets
import string
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from miniapp_mock.wechat.clock import HOUR, MINUTE, rfc3339
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import orders
from miniapp_mock.wechat.pay.endpoint import encode
from miniapp_mock.wechat.store import Row

# After the first attempt: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h, 24 h 4 min in all.
REPEATS = (
    15.0, 15.0, 30.0,
    3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE,
    HOUR, 3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR,
)  # fmt: skip
# An insurance order is told within half a minute or never: whoever missed it asks.
REPEATS_OF_INSURANCE = (3.0, 6.0, 12.0)
INSURANCE = "MEDICAL_INSURANCE.SUCCESS"
HELD_SECONDS = 3.0
REFUND_WORDS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}


def payment(mock: Mock, out_trade_no: str) -> None:
    """TRANSACTION.SUCCESS: the plain text is what a query answers."""
    row = orders.find(mock, out_trade_no)
    assert row is not None
    resource = orders.transaction(mock, row)
    _add(mock, "TRANSACTION.SUCCESS", "transaction", "支付成功", resource, out_trade_no, row["notify_url"])


def refund(mock: Mock, row: Row) -> None:
    """REFUND.SUCCESS, .ABNORMAL or .CLOSED; nobody is told when the refund named no address."""
    if row["notify_url"] is None:
        return
    order = orders.find(mock, row["out_trade_no"])
    assert order is not None
    resource = {
        "mchid": mock.settings.mchid,
        "out_trade_no": row["out_trade_no"],
        "transaction_id": order["transaction_id"],
        "out_refund_no": row["out_refund_no"],
        "refund_id": row["refund_id"],
        "refund_status": row["status"],
        "user_received_account": row["received_account"],
        "amount": {
            "total": order["total"],
            "refund": row["amount"],
            "payer_total": order["total"],
            "payer_refund": row["amount"],
        },
    }
    if row["status"] == "SUCCESS":
        resource["success_time"] = rfc3339(row["settled_at"])
    words = REFUND_WORDS[row["status"]]
    event = f"REFUND.{row['status']}"
    _add(mock, event, "refund", words, resource, row["out_refund_no"], row["notify_url"])


def insurance(mock: Mock, resource: dict[str, Any], out_trade_no: str, url: str) -> None:
    """MEDICAL_INSURANCE.SUCCESS: the plain text is what a query answers."""
    _add(mock, INSURANCE, "medical_insurance", "医保混合收款成功", resource, out_trade_no, url)


def _add(
    mock: Mock, event: str, original: str, summary: str, resource: dict[str, Any], subject: str, url: str
) -> None:
    if mock.faults.on("wrong_amount") and "amount" in resource:
        name = "refund" if original == "refund" else "total"
        resource["amount"] = resource["amount"] | {name: resource["amount"][name] + 1}
    somebody_waits = mock.store.number("SELECT count(*) FROM notifications WHERE held = 1")
    held = mock.faults.on("reorder_notifications") and not somebody_waits
    wait = mock.faults.seconds("delay_notifications_seconds") + (HELD_SECONDS if held else 0)
    mock.store.insert(
        "notifications",
        id=f"EV-{secrets.token_hex(16)}",
        event_type=event,
        original_type=original,
        summary=summary,
        resource=encode(resource).decode(),
        subject=subject,
        url=url,
        made_at=mock.now,
        next_at=mock.now + wait,
        held=int(held),
    )


def sealed(mock: Mock, row: Row, key: bytes = b"") -> bytes:
    """The body of one attempt: same id and time, encrypted anew, with the merchant's APIv3 key unless told otherwise."""
    nonce = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
    associated = row["original_type"]
    ciphertext = AESGCM(key or mock.settings.apiv3_key).encrypt(
        nonce.encode(), row["resource"].encode(), associated.encode()
    )
    return encode(
        {
            "id": row["id"],
            "create_time": rfc3339(row["made_at"]),
            "resource_type": "encrypt-resource",
            "event_type": row["event_type"],
            "summary": row["summary"],
            "resource": {
                "original_type": row["original_type"],
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(ciphertext).decode(),
                "associated_data": associated,
                "nonce": nonce,
            },
        }
    )


def record(mock: Mock, id: str, n: int, result: str, note: str) -> None:
    mock.store.insert("attempts", notification_id=id, n=n, at=mock.now, result=result, note=note)


def settle(mock: Mock, id: str, n: int, *, accepted: bool) -> None:
    """After the `n`th attempt: done, or again after the pause of the schedule, or never again."""
    of_insurance = mock.store.number(
        "SELECT count(*) FROM notifications WHERE id = ? AND event_type = ?", id, INSURANCE
    )
    repeats = REPEATS_OF_INSURANCE if of_insurance else REPEATS
    pause = repeats[n - 1] if n <= len(repeats) else None
    again = None if accepted or pause is None else mock.now + pause
    known = mock.store.run(
        "UPDATE notifications SET tries = ?, held = 0, accepted_at = coalesce(accepted_at, ?), "
        "next_at = iif(accepted_at IS NULL, ?, NULL) WHERE id = ?",
        n,
        mock.now if accepted else None,
        again,
        id,
    )
    if known:  # whoever was held back until this one had gone may go
        mock.store.run(
            "UPDATE notifications SET held = 0, next_at = ? WHERE held = 1 AND id <> ?", mock.now, id
        )


def send_again(mock: Mock, id: str) -> bool:
    """A tester asks for one more attempt now."""
    found = mock.store.run("UPDATE notifications SET next_at = ? WHERE id = ?", mock.now, id)
    mock.bell.set()
    return bool(found)


def described(mock: Mock, limit: int = 200) -> list[dict[str, Any]]:
    """Newest first, each with its attempts."""
    rows = mock.store.all("SELECT rowid, * FROM notifications ORDER BY rowid DESC LIMIT ?", limit)
    return [
        {
            "id": row["id"],
            "event_type": row["event_type"],
            "subject": row["subject"],
            "url": row["url"],
            "resource": json.loads(row["resource"]),
            "made_at": rfc3339(row["made_at"]),
            "accepted": row["accepted_at"] is not None,
            "next_at": None if row["next_at"] is None else rfc3339(row["next_at"]),
            "attempts": [
                {
                    "n": one["n"],
                    "at": rfc3339(one["at"]),
                    "result": one["result"],
                    "note": one["note"],
                }
                for one in mock.store.all(
                    "SELECT * FROM attempts WHERE notification_id = ? ORDER BY rowid", row["id"]
                )
            ],
        }
        for row in rows
    ]
