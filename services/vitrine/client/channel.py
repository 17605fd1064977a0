"""How channels to Vitrine are set up: one connection, kept alive, retried with care."""

import json

# Every call may be repeated: events carry their own key, upserts say what is, the rest only reads. A server that
# stops cancels the calls that it has not taken up. The token bucket stops retries from finishing off a server that is
# down (gRFC A6).
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": f"vitrine.api.{name.lower()}.v1.{name}Service"}
                for name in ("Profile", "Retrieval", "Ranking", "Recommendation", "Bundle")
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 50, "tokenRatio": 0.1},
}

CHANNEL_OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.enable_retries", 1),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
]

# Seconds a call may take unless told: a window is worth waiting for as long as a page is, an event a bit longer.
READ_TIMEOUT = 1.0
WRITE_TIMEOUT = 10.0
# A person waits for it.
EXPLAIN_TIMEOUT = 5.0
# A bundle is read, verified and warmed up.
RELOAD_TIMEOUT = 120.0
