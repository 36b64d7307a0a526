"""One JSON line per log entry, with the request's id, and with persons and secrets masked."""

import contextvars
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from foundation.masking import mask_text

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

SECRET_WORDS = (
    "password",
    "secret",
    "token",
    "authorization",
    "cookie",
    "pin",
    "totp",
    "ticket",
    "session_key",
)


def configure(process: str, level: str = "INFO") -> None:
    """Set up logging for one process; library logs take the same road."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout, level=level, force=True)
    for noisy in ("uvicorn.access", "uvicorn.error", "arq.worker", "httpx", "httpcore", "aioice", "aiortc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_request_id,
            structlog.processors.format_exc_info,
            mask_entry,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    structlog.contextvars.bind_contextvars(process=process)


def mask_entry(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank values whose name says secret; mask id numbers and phones in all other text."""
    for key, value in entry.items():
        entry[key] = "***" if _secret(key) else _masked(value)
    return entry


def _secret(key: object) -> bool:
    return any(word in str(key).lower() for word in SECRET_WORDS)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: "***" if _secret(key) else _masked(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(one) for one in value]
    return value


def _add_request_id(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if current := request_id.get():
        entry["request_id"] = current
    return entry


log = structlog.get_logger()
