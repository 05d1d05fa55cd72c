"""Fill the template of the page; all data are escaped."""

from __future__ import annotations

import re
from datetime import datetime
from importlib.resources import files
from typing import Any

from hrixs.utils.provenance import __version__

_CODE = re.compile(r"(`+)(.+?)\1")


def page_text(**contents: Any) -> str:
    """Return the page with `contents`, by the names in the template."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup, escape

    def code(text: str) -> Markup:
        """Text with code between backticks."""
        parts, at = [], 0
        for match in _CODE.finditer(str(text)):
            parts += [escape(text[at : match.start()]), Markup("<code>{}</code>").format(match[2])]
            at = match.end()
        return Markup("").join([*parts, escape(str(text)[at:])])

    here = files("hrixs.reports")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"code": code, "drawing": Markup}
    template = environment.from_string(here.joinpath("page.html").read_text("utf8"))
    css = Markup(here.joinpath("page.css").read_text("utf8"))
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return template.render(**contents, css=css, version=__version__, when=when) + "\n"
