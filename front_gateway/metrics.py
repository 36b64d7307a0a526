"""What Prometheus sees of a gateway."""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

CALLS = Counter("gateway_calls_total", "Calls by whitelist entry and outcome", ["entry", "code"])
SECONDS = Histogram(
    "gateway_call_seconds",
    "Time of a listed call, other side included",
    ["entry"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
BREAKER_OPEN = Gauge("gateway_breaker_open", "1 while the breaker of a target is open", ["target"])


def count(entry: str, code: str, seconds: float) -> None:
    """One call that met `entry` (empty when it met none) and ended with `code`."""
    calls, histogram = _children(entry, code)
    calls.inc()
    if entry:
        histogram.observe(seconds)


@lru_cache(maxsize=1_024)
def _children(entry: str, code: str) -> tuple[Counter, Histogram]:
    return CALLS.labels(entry or "none", code), SECONDS.labels(entry or "none")
