"""A run served as a page: what ``hrixs view`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import panel as pn

from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.view.images import RunImages
from hrixs.view.kept import Kept
from hrixs.view.look import Look
from hrixs.view.page import Page
from hrixs.view.server import Serving, serving
from hrixs.view.session import Session


def page_maker(images: RunImages, h: hRIXS, method: str = "auto") -> Callable[[], Any]:
    """Make pages of a run, one for each browser, which share the photons that were found."""
    kept = Kept()

    def begin() -> None:
        with suppress(Exception):  # the page tells it
            Session(images, h, method, kept=kept).spectra()
            images.mean()

    Thread(target=begin, name="hrixs-view-first", daemon=True).start()

    def make() -> Any:
        arguments = pn.state.session_args.get("theme", [b"default"])
        theme = "dark" if arguments[0] == b"dark" else "default"
        pn.config.raw_css = [Look.of(theme).css]
        page = Page(images, h, method, kept=kept, theme=theme, document=pn.state.curdoc)
        pn.state.on_session_destroyed(lambda _: page.close())
        return page.layout

    return make


def serve_run(
    run: Any,
    h: hRIXS,
    *,
    method: str = "auto",
    memory: int | str | None = None,
    port: int = 0,
    origins: Sequence[str] = (),
    token: str | None = None,
) -> Serving:
    """Make the server of a run's page.

    Parameters
    ----------
    run : run, path of images, or xarray.Dataset
    h : hRIXS
        Settings that pages begin with.
    method, memory
        As of `hRIXS.process_run`; the memory is for frames that are held.
    port, origins, token
        As of `serving`.
    """
    images = RunImages(h, run, memory=memory)
    title = f"hrixs view {images.name}"
    options: dict[str, Any] = {"port": port, "origins": origins, "token": token}
    return serving(page_maker(images, h, method), title=title, **options)
