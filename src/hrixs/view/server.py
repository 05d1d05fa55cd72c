"""The server of the page: only on this machine, and only with the token."""

from __future__ import annotations

import hmac
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import panel as pn
from bokeh.server.auth_provider import AuthProvider
from bokeh.server.views.ws import WSHandler
from panel.io.resources import get_dist_path
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError

from hrixs.view.look import Look

#: The only address that the server uses.
ADDRESS = "127.0.0.1"
# Environment variables that would admit others, or load from elsewhere, in spite of this module.
_OPENING = ("BOKEH_ALLOW_WS_ORIGIN", "BOKEH_RESOURCES", "BOKEH_CDN_VERSION")
# Time between two checks whether to end, in ms.
_LOOK = 100
# Time in which a lost connection can come back, in ms; lifetime of a page that is left open, in s.
_LOST_FOR, _OPEN_FOR = 600_000, 7 * 86_400


class TokenProvider(AuthProvider):  # type: ignore[misc]  # bokeh may be absent
    """Refuse pages without the token; a connection needs the signed name of a page.

    Both need an allowed address, also behind a proxy, which may leave out the origin. Otherwise a
    page elsewhere could use a name of its own that leads to this server.
    """

    def __init__(self, token: str, hosts: Sequence[str]) -> None:
        self._token, self._hosts = token, frozenset(hosts)
        super().__init__()

    @property
    def get_user(self) -> Callable[[Any], str]:
        """The user: anyone with the token."""
        return self._user

    @property
    def get_login_url(self) -> Callable[[Any], str]:
        """There is no login page."""
        return lambda _: "/"

    def _user(self, handler: Any) -> str:
        host = str(handler.request.host).lower()
        if host not in self._hosts:
            raise HTTPError(
                403,
                reason=f"This address is not allowed: add --origin http://{host}",
            )
        if isinstance(handler, WSHandler):  # bokeh has checked its signature
            return "view"
        given = handler.get_argument("token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise HTTPError(403, reason="The address needs the token that was printed with it")
        return "view"


@dataclass(frozen=True)
class Serving:
    """A server, and its address with the token."""

    server: Any
    address: str

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Serve until Ctrl-C, or until the given function returns True."""
        self.server.start()
        self.server.io_loop.asyncio_loop.set_exception_handler(_tell_but_closing)
        if until is not None:
            looking = PeriodicCallback(lambda: until() and self.server.io_loop.stop(), _LOOK)
            looking.start()
        try:
            self.server.io_loop.start()
        except KeyboardInterrupt:
            pass
        finally:
            self.server.stop()


def _tell_but_closing(loop: Any, context: dict[str, Any]) -> None:
    """Report errors in the loop, except that a browser was closed while it was written to."""
    if not isinstance(context.get("exception"), WebSocketClosedError):
        loop.default_exception_handler(context)


def themed(new_page: Callable[..., Any]) -> Callable[[], Any]:
    """Make a page for each browser, in the theme of its address; close it when it is left."""

    def page() -> Any:
        given = pn.state.session_args.get("theme", [b"default"])
        theme = "dark" if given[0] == b"dark" else "default"
        pn.config.raw_css = [Look.of(theme).css]
        # Without it, panel loads the style of later parts from its own site.
        pn.state.curdoc.template_variables["dist_url"] = get_dist_path(cdn=False)
        made = new_page(theme=theme, document=pn.state.curdoc)
        pn.state.on_session_destroyed(lambda _: made.close())
        return made.layout

    return page


def serving(
    page: Callable[[], Any],
    *,
    title: str,
    port: int = 0,
    origins: Sequence[str] = (),
    token: str | None = None,
) -> Serving:
    """Make a server of a page; each browser gets a new page.

    Parameters
    ----------
    page : callable
        Makes a page, a panel object.
    title : str
        Title of the browser window.
    port : int
        Port of the server; 0: a free one.
    origins : sequence of str
        Other addresses at which browsers open the page: those of a proxy, as
        ``https://hub.example.org``.
    token : str, optional
        Token of the address; a new one by default.

    Raises
    ------
    ValueError
        If an origin is not the address of a host, or the environment would open the page to
        others.
    OSError
        If the port is taken.
    """
    opening = [name for name in _OPENING if name in os.environ]
    if opening:
        raise ValueError(
            f"{opening[0]} is set in the environment. It would override the allowed origins. "
            f"Type: unset {opening[0]}, and name origins with --origin."
        )
    port = port or free_port()
    allowed = [f"{ADDRESS}:{port}", f"localhost:{port}", *map(host_of, origins)]
    token = secrets.token_urlsafe(24) if token is None else token
    server = pn.io.server.get_server(
        {"/": page}, port=port, address=ADDRESS, websocket_origin=allowed, title=title,
        start=False, show=False, admin=False, auth_provider=TokenProvider(token, allowed),
        sign_sessions=True, secret_key=secrets.token_urlsafe(32).encode(),
        session_token_expiration=_OPEN_FOR, unused_session_lifetime_milliseconds=_LOST_FOR,
    )  # fmt: skip
    return Serving(server, f"http://{ADDRESS}:{port}/?token={token}")


def host_of(origin: str) -> str:
    """Host of an origin, with its port if given.

    Raises
    ------
    ValueError
        If it names no host, or all.

    Examples
    --------
    >>> host_of("https://hub.example.org"), host_of("hub.example.org:8000")
    ('hub.example.org', 'hub.example.org:8000')
    """
    host = urlsplit(origin if "//" in origin else f"//{origin}").netloc.lower()
    if not host or "*" in host or "@" in host:
        raise ValueError(
            f"--origin {origin!r} names no host. Expected the address that the browser shows for "
            "the Jupyter server, as https://hub.example.org."
        )
    return host


def free_port() -> int:
    """Find a free port of this machine."""
    with socket.socket() as one:
        one.bind((ADDRESS, 0))
        return int(one.getsockname()[1])
