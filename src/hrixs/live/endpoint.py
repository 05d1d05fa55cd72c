"""The address of a bridge, as typed."""

from __future__ import annotations

import re

_ENDPOINT = re.compile(r"tcp://[^\s:/*]+:\d{1,5}|ipc://\S+")


def require_endpoint(endpoint: str) -> None:
    """Raise ValueError if `endpoint` is not the address of a server."""
    if not _ENDPOINT.fullmatch(endpoint):
        raise ValueError(
            f"endpoint {endpoint!r}, expected tcp://HOST:PORT, for example tcp://127.0.0.1:45000."
        )
