import pytest

from view.scan_run import ScanRuns, write_scans


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> ScanRuns:
    return write_scans(tmp_path_factory.mktemp("scans"), per_step=3)
