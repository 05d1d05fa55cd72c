from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from view_browser.browser import chromium_of_system  # leaves out tests without playwright

    with chromium_of_system() as browser:
        yield browser
