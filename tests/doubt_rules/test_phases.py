import pytest

from hrixs.doubt_rules.phases import few_phases


@pytest.mark.parametrize(("moved", "bins", "told"), [(0.9, 3, 1), (1.0, 3, 0), (0.0, 1, 0)])
def test_lines_that_hardly_move_over_the_columns_are_doubted(moved, bins, told):
    found = few_phases(moved, bins)
    assert len(found) == told
    assert all(one.code == "few_phases" and one.figures == {"moved": moved} for one in found)
