"""The order of numbered names, and which names belong together."""

import pytest

from hrixs.files.names import files_named, in_order, numbered_alike
from hrixs.utils.errors import MissingDataError


def test_numbers_are_in_their_order_and_not_in_that_of_their_digits():
    names = ["b_2.tif", "a_10.tif", "a_9.tif", "a_09.tif", "a.tif"]
    assert in_order(names) == ["a.tif", "a_09.tif", "a_9.tif", "a_10.tif", "b_2.tif"]


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (["data_1", "data_2", "data_10"], True),
        (["a/1/b", "a/2/b"], True),
        (["data_1", "dark_1"], False),
        (["data_1", "data_1_2"], False),
        (["left_1_of_2", "left_2_of_3"], False),
        (["data"], False),
        ([], False),
    ],
)
def test_names_that_differ_in_one_number(names, alike):
    assert numbered_alike(names) is alike


class TestFilesNamed:
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("s_10.tif", "s_9.tif", "log.txt", ".hidden"):
            (tmp_path / name).touch()
        (tmp_path / "below").mkdir()
        return tmp_path

    def test_a_folder_without_what_is_hidden_or_below(self, folder):
        named = files_named(folder)
        assert named == [str(folder / one) for one in ("log.txt", "s_9.tif", "s_10.tif")]

    def test_a_pattern(self, folder):
        assert files_named(f"{folder}/s_*.tif") == [f"{folder}/s_9.tif", f"{folder}/s_10.tif"]

    def test_a_file_whose_name_looks_like_a_pattern(self, folder):
        (folder / "s_[1].tif").touch()
        assert files_named(folder / "s_[1].tif") == [str(folder / "s_[1].tif")]

    def test_several_paths_in_the_order_given(self, folder):
        paths = [folder / "s_10.tif", folder / "s_9.tif"]
        assert files_named(paths) == [str(one) for one in paths]

    @pytest.mark.parametrize("name", ["gone.tif", "gone_*.tif", "below"])
    def test_nothing_there(self, folder, name):
        with pytest.raises(MissingDataError, match=f"there is no file .*{name[:4]}"):
            files_named(folder / name)
