"""Serve the page of a watch to browsers."""

from __future__ import annotations

from collections.abc import Sequence

from hrixs.live_page.page import WatchPage
from hrixs.live_page.watched import Watched
from hrixs.view.server import Serving, serving, themed


def serving_watch(
    watched: Watched, *, port: int = 0, origins: Sequence[str] = (), token: str | None = None
) -> Serving:
    """Make a server for the page of a watch, as `hrixs.view.server.serving` does."""
    page = themed(lambda **options: WatchPage(watched, **options))
    title = f"hrixs watch {watched.endpoint}"
    return serving(page, title=title, port=port, origins=origins, token=token)
