"""Show a run, in a notebook cell or in a browser; one object for both."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

from hrixs.runs.run import RunLike
from hrixs.spectrometer.inputs import RunOrData
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.view.found import Kept
from hrixs.view.scans.many_images import images_of_runs
from hrixs.view.session import Session

if TYPE_CHECKING:
    from hrixs.view.page import Page
    from hrixs.view.server import Serving


class View:
    """A page that shows a run, or images in memory.

    A notebook cell shows it as its output; `serve` shows it in a browser. Several pages share the
    data of a run; each page has its own settings.

    Parameters
    ----------
    h : hRIXS
        Initial settings. They are copied and not changed.
    run : run, list of runs, path of images, or xarray.Dataset
    method, energy
        As in `hRIXS.process_run`.
    memory : int or str, optional
        Memory for frames, ``'512MB'`` by default. If the images in the crop need more, the run is
        read again for each new threshold.

    Attributes
    ----------
    images : RunImages
    page : Page
        The page of the notebook.

    Raises
    ------
    ImportError
        If panel is not installed.
    MissingDataError
        If the run does not exist, or has no image.
    """

    def __init__(
        self,
        h: hRIXS,
        run: RunOrData | Sequence[RunLike],
        *,
        method: str = "auto",
        energy: float | None = None,
        memory: int | str | None = None,
    ) -> None:
        require_panel()
        self.images = images_of_runs(h, run, memory=memory, energy=energy)
        self._h, self._method = h, method
        self._kept = Kept()

    @cached_property
    def page(self) -> Page:
        """The page of the notebook."""
        return self.new_page()

    @property
    def h(self) -> hRIXS:
        """The settings of the notebook page, to use for other runs."""
        return self.page.session.h

    def new_page(self, **options: Any) -> Page:
        """Make another page with the initial settings."""
        from hrixs.view.page import Page

        return Page(self.images, self._h, self._method, kept=self._kept, **options)

    def serving(
        self, *, port: int = 0, origins: Sequence[str] = (), token: str | None = None
    ) -> Serving:
        """Make a server, as `hrixs.view.server.serving` does; start it with its ``run()``."""
        from hrixs.view.server import serving, themed

        title = f"hrixs view {self.images.name}"
        page = themed(self.new_page)
        server = serving(page, title=title, port=port, origins=origins, token=token)
        Thread(target=self._begin, name="hrixs-view-first", daemon=True).start()
        return server

    def serve(self, *, port: int = 0, origins: Sequence[str] = ()) -> None:
        """Print the address, and serve until Ctrl-C."""
        served = self.serving(port=port, origins=origins)
        print(
            f"{self.images.name} is shown at\n\n    {served.address}\n\nPress Ctrl-C to end",
            flush=True,
        )
        served.run()

    def _begin(self) -> None:
        """Compute what the first page shows, before a browser opens it."""
        with suppress(Exception):  # the page shows the error
            Session(self.images, self._h, self._method, kept=self._kept).spectra()
            self.images.mean()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        import panel as pn

        pn.extension(inline=True)  # nothing is loaded from other sites
        return self.page.layout._repr_mimebundle_(include, exclude)


def require_panel() -> None:
    """Raise ImportError if panel is not installed."""
    try:
        import panel  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"the page needs the packages panel and bokeh: {error}. Type pip install 'hrixs[view]'."
        ) from error
