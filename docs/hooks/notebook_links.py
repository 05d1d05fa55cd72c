"""Links of a notebook to other pages, which mkdocs itself mends in Markdown only."""

import logging
import re
from typing import Any

LINK = re.compile(r'href="(?P<file>[\w/.-]+\.md)(?P<anchor>#[^"]*)?"')
LOG = logging.getLogger("mkdocs.hooks.notebook_links")


def on_page_content(content: str, *, page: Any, files: Any, **_: Any) -> str:
    """Turn links to pages' sources into links to the pages."""
    if not page.file.src_uri.endswith(".ipynb"):
        return content

    def mended(found: re.Match[str]) -> str:
        target = files.get_file_from_path(found["file"])
        if target is None:
            LOG.warning("%s links to %s, which is no page.", page.file.src_uri, found["file"])
            return found[0]
        return f'href="{target.url_relative_to(page.file)}{found["anchor"] or ""}"'

    return LINK.sub(mended, content)
