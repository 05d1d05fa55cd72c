"""A run to look at: in a notebook's cell, or served to browsers. The same object for both."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

from hrixs.spectrometer.inputs import RunOrData
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.view.found import Kept
from hrixs.view.images import RunImages
from hrixs.view.session import Session

if TYPE_CHECKING:
    from hrixs.view.page import Page
    from hrixs.view.server import Serving


class View:
    """A run, or images in memory, to look at.

    Shown in a notebook's cell by itself; `serve` shows it to a browser. What several pages hold of
    a run they hold once, and each has settings of its own.

    Parameters
    ----------
    h : hRIXS
        Settings to begin with. They are copied, and stay as they are.
    run : run, path of images, or xarray.Dataset
    method, energy
        As of `hRIXS.process_run`.
    memory : int or str, optional
        For frames that are held, by default ``'512MB'``. A run whose images in the crop take more
        is read anew for another threshold.

    Attributes
    ----------
    images : RunImages
    page : Page
        That of the notebook.

    Raises
    ------
    ImportError
        If panel is not installed.
    MissingDataError
        If there is no such run, or no image in it.
    """

    def __init__(
        self,
        h: hRIXS,
        run: RunOrData,
        *,
        method: str = "auto",
        energy: float | None = None,
        memory: int | str | None = None,
    ) -> None:
        require_panel()
        self.images = RunImages(h, run, memory=memory, energy=energy)
        self._h, self._method = h, method
        self._kept = Kept()

    @cached_property
    def page(self) -> Page:
        """The page of the notebook."""
        return self.new_page()

    @property
    def h(self) -> hRIXS:
        """The settings, as they are on the notebook's page; for other runs."""
        return self.page.session.h

    def new_page(self, **options: Any) -> Page:
        """Another page, with the settings as they were at the beginning."""
        from hrixs.view.page import Page

        return Page(self.images, self._h, self._method, kept=self._kept, **options)

    def serving(
        self, *, port: int = 0, origins: Sequence[str] = (), token: str | None = None
    ) -> Serving:
        """Make a server, as `hrixs.view.server.serving` does; its ``run()`` serves."""
        from hrixs.view.server import serving, themed

        title = f"hrixs view {self.images.name}"
        page = themed(self.new_page)
        server = serving(page, title=title, port=port, origins=origins, token=token)
        Thread(target=self._begin, name="hrixs-view-first", daemon=True).start()
        return server

    def serve(self, *, port: int = 0, origins: Sequence[str] = ()) -> None:
        """Serve until Ctrl-C, and say where."""
        served = self.serving(port=port, origins=origins)
        print(f"{self.images.name} is shown at\n\n    {served.address}\n\nCtrl-C ends", flush=True)
        served.run()

    def _begin(self) -> None:
        """Find what the first page shows, before a browser asks."""
        with suppress(Exception):  # the page tells it
            Session(self.images, self._h, self._method, kept=self._kept).spectra()
            self.images.mean()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        import panel as pn

        pn.extension(inline=True)  # nothing is loaded from elsewhere
        return self.page.layout._repr_mimebundle_(include, exclude)


def require_panel() -> None:
    """Raise ImportError, with what to type, where panel is not installed."""
    try:
        import panel  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"the page needs the packages panel and bokeh, and {error}. Install the extra: "
            "pip install 'hrixs[view]'."
        ) from error
