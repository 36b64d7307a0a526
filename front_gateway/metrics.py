"""What Prometheus sees of a gateway."""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Counter("gateway_calls_total", "Calls by whitelist entry and outcome", ["entry", "code"])
SECONDS = Histogram(
    "gateway_call_seconds",
    "Time of a listed call, other side included",
    ["entry"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
BREAKER_OPEN = Gauge("gateway_breaker_open", "1 while the breaker of a target is open", ["target"])
