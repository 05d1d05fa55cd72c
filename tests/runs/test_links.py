"""Images behind links and virtual datasets: read from where they are, or told as absent."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from extra_data import RunDirectory

import hrixs
from hrixs import MissingDataError, hRIXS
from hrixs.runs.parts import stored_pieces
from hrixs.runs.storage import stored_frames
from oracles.made_runs import (
    FRAMES,
    KEY,
    PIXELS,
    SOURCE,
    camera_files,
    outside,
    raw_run,
    replace_pixels,
    write_outside,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*is left out. the run has no:hrixs.HrixsWarning")
GZIP = {"chunks": (1, 32, 40), "compression": "gzip", "shuffle": True}


def soft(file, pixels, other):
    file["elsewhere/pixels"] = pixels
    file[PIXELS] = h5py.SoftLink("/elsewhere/pixels")


def hard(file, pixels, other):
    file["elsewhere/pixels"] = pixels
    file[PIXELS] = file["elsewhere/pixels"]


def external(file, pixels, other, **how):
    write_outside(other, pixels, **how)
    file[PIXELS] = h5py.ExternalLink(f"../{other.name}", "/pixels")


def external_gzip(file, pixels, other):
    external(file, pixels, other, **GZIP)


def link_to_a_link(file, pixels, other):
    write_outside(other, pixels)
    between = other.with_suffix(".link.h5")
    with h5py.File(between, "w") as link:
        link["pixels"] = h5py.ExternalLink(other.name, "/pixels")
    file[PIXELS] = h5py.ExternalLink(f"../{between.name}", "/pixels")


def virtual(file, pixels, other, **how):
    write_outside(other, pixels, **how)
    layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
    layout[:] = h5py.VirtualSource(f"../{other.name}", "pixels", pixels.shape)
    file.create_virtual_dataset(PIXELS, layout)


def virtual_gzip(file, pixels, other):
    virtual(file, pixels, other, **GZIP)


def virtual_shuffled_rows(file, pixels, other):
    """Two sources, the second stretch of the one first, and a row before that is not used."""
    write_outside(other, np.concatenate([pixels[:1], pixels]))
    layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
    source = h5py.VirtualSource(f"../{other.name}", "pixels", (len(pixels) + 1, *pixels.shape[1:]))
    layout[2:] = source[3:]
    layout[:2] = source[1:3]
    file.create_virtual_dataset(PIXELS, layout)


def virtual_halves(file, pixels, other):
    """Each image is put together from two parts of the chip."""
    layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
    for part in (0, 1):
        path = other.with_suffix(f".{part}.h5")
        half = np.s_[:, 16 * part : 16 * (part + 1)]
        write_outside(path, pixels[half])
        layout[half] = h5py.VirtualSource(f"../{path.name}", "pixels", pixels[half].shape)
    file.create_virtual_dataset(PIXELS, layout)


def virtual_of_virtual(file, pixels, other):
    between = other.with_suffix(".between.h5")
    write_outside(other, pixels)
    for path, name, source in (
        (between, "middle", other.name),
        (None, PIXELS, f"../{between.name}"),
    ):
        layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
        of = "pixels" if path else "middle"
        layout[:] = h5py.VirtualSource(source, of, pixels.shape)
        if path:
            with h5py.File(path, "w") as middle:
                middle.create_virtual_dataset(name, layout)
        else:
            file.create_virtual_dataset(name, layout)


def virtual_of_itself(file, pixels, other):
    file["elsewhere/pixels"] = pixels
    layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
    layout[:] = h5py.VirtualSource(".", "elsewhere/pixels", pixels.shape)
    file.create_virtual_dataset(PIXELS, layout)


ALL = [
    soft, hard, external, external_gzip, link_to_a_link, virtual, virtual_gzip,
    virtual_shuffled_rows, virtual_halves, virtual_of_virtual, virtual_of_itself,
]  # fmt: skip


@pytest.fixture(scope="module", params=ALL, ids=lambda one: one.__name__)
def run(request, tmp_path_factory):
    folder = raw_run(tmp_path_factory.mktemp("run"))
    replace_pixels(folder, request.param)
    return folder


class TestWhereItIs:
    def test_all_images(self, run):
        right = RunDirectory(run)[SOURCE, KEY].ndarray()
        np.testing.assert_array_equal(right, FRAMES)
        data = hRIXS().from_run(run)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES)
        assert data.attrs["n_skipped"] == 0
        opened = RunDirectory(run).select_trains(np.s_[1:7:2])
        np.testing.assert_array_equal(hRIXS().from_run(opened)["MaranaX"], FRAMES[1:7:2])

    def test_lazily_and_part_by_part(self, run):
        h = hRIXS()
        lazy = h.from_run(run, lazy=True)["MaranaX"]
        np.testing.assert_array_equal(lazy.compute(), FRAMES)
        np.testing.assert_array_equal(lazy[5, 3:9, 4:20], FRAMES[5, 3:9, 4:20])
        result = h.process_run(run, method="integrate", progress=False)
        expected = h.integrate(h.from_run(run))
        np.testing.assert_array_equal(result.spectrum, expected.spectrum)

    def test_the_dark(self, run):
        h = hRIXS()
        h.load_dark(run)
        np.testing.assert_allclose(h.dark_image, FRAMES.mean(axis=0), atol=3)


def test_images_are_mapped_from_the_file_that_holds_them(tmp_path):
    for make in (
        soft,
        external,
        link_to_a_link,
        virtual,
        virtual_of_virtual,
        virtual_shuffled_rows,
    ):
        folder = raw_run(tmp_path / make.__name__)
        replace_pixels(folder, make)
        path = camera_files(folder)[0]
        pieces = stored_pieces(str(path), PIXELS)
        assert all(piece.stored.offset is not None for piece in pieces), make
        holder = path if make is soft else outside(path)
        assert {h5py.File(piece.stored.path).filename for piece in pieces} >= set()
        assert all(holder.samefile(piece.stored.path) for piece in pieces), make
    assert stored_frames(str(path), PIXELS).offset is None


class TestWhereItIsNot:
    """HDF5 gives zeros for an absent source of a virtual dataset."""

    @pytest.fixture(params=["virtual", "virtual_halves", "virtual_of_virtual", "external"])
    def run(self, request, tmp_path):
        folder = raw_run(tmp_path)
        replace_pixels(folder, globals()[request.param])
        return folder

    @staticmethod
    def remove(folder, *numbers):
        """Of the second camera file, or of all, one of the files that it refers to."""
        for number in numbers:
            path = outside(camera_files(folder)[number])
            (path if path.exists() else path.with_suffix(".1.h5")).unlink()

    @pytest.mark.parametrize("lazy", [False, True])
    def test_one_source(self, run, lazy):
        self.remove(run, 1)
        with pytest.warns(hrixs.HrixsWarning, match=r"pixels-RAW-.*S00001.*which is not there"):
            data = hRIXS().from_run(run, lazy=lazy)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES[:4])
        assert data.attrs["n_skipped"] == 4

    def test_in_a_long_run(self, run):
        self.remove(run, 1)
        with pytest.warns(hrixs.HrixsWarning, match="which is not there"):
            result = hRIXS().process_run(run, method="integrate", progress=False)
        assert (result.sizes["trainId"], result.attrs["n_skipped"]) == (4, 4)
        with pytest.raises(hrixs.FaultyRunError, match="which is not there"):
            hRIXS().process_run(run, method="integrate", progress=False, strict=True)

    @pytest.mark.filterwarnings("ignore:.*which is not there:hrixs.HrixsWarning")
    def test_all_of_them(self, run):
        self.remove(run, 0, 1)
        h = hRIXS()
        for call in (h.from_run, h.load_dark, h.mean_image, h.find_curvature):
            with pytest.raises(MissingDataError, match=r"S00000.*which is not there.*S00001"):
                call(run)
        with pytest.raises(MissingDataError, match=r"S00000.*which is not there.*S00001"):
            h.process_run(run, progress=False)

    def test_a_file_behind_a_link_that_is_cut(self, tmp_path):
        folder = raw_run(tmp_path)
        replace_pixels(folder, external_gzip)
        path = outside(camera_files(folder)[1])
        with h5py.File(path) as file:
            last = file["pixels"].id.get_chunk_info(3)
        with open(path, "r+b") as file:
            file.seek(last.byte_offset)
            file.write(b"x" * last.size)
        with pytest.warns(hrixs.HrixsWarning, match=rf"1 images are skipped.*\(in .*{path.name}\)"):
            data = hRIXS().from_run(folder)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES[:7])

    def test_rows_that_no_source_gives(self, tmp_path):
        def half(file, pixels, other):
            write_outside(other, pixels)
            layout = h5py.VirtualLayout(pixels.shape, pixels.dtype)
            layout[:2] = h5py.VirtualSource(f"../{other.name}", "pixels", pixels.shape)[:2]
            file.create_virtual_dataset(PIXELS, layout)

        folder = raw_run(tmp_path)
        replace_pixels(folder, half)
        with pytest.warns(hrixs.HrixsWarning, match="no file gives its data"):
            data = hRIXS().from_run(folder)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES[[0, 1, 4, 5]])

    @pytest.mark.filterwarnings("ignore:hRIXS_delay is left out. it has no value")
    def test_slow_data(self, tmp_path):
        folder = raw_run(tmp_path, slow={"hRIXS_delay": np.arange(8.0)}, n_sequence_files=1)
        path = next(folder.glob("*DA01*"))
        name = "CONTROL/SCS_HRIXS_ACQ/MDL/SCAN/delay/value"
        with h5py.File(path, "r+") as file:
            del file[name]
            layout = h5py.VirtualLayout((8,), "f8")
            layout[:] = h5py.VirtualSource("not-there.h5", "delay", (8,))
            file.create_virtual_dataset(name, layout)
        h = hRIXS()
        h.FIELDS = ["MaranaX", "hRIXS_delay"]
        with pytest.warns(
            hrixs.HrixsWarning, match=r"hRIXS_delay.*delay of not-there.h5.*not ther"
        ):
            assert "hRIXS_delay" not in h.from_run(folder)


@pytest.fixture(scope="module")
def bitshuffled(tmp_path_factory):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    folder = raw_run(tmp_path_factory.mktemp("run"))

    def compress(file, pixels, other):
        file.create_dataset(PIXELS, data=pixels, chunks=(1, 32, 40), **hdf5plugin.Bitshuffle())

    replace_pixels(folder, compress)
    return folder


class TestCompressed:
    """Images that are compressed with a filter that HDF5 does not bring."""

    CODE = """
import sys
if {blocked}:
    sys.modules["hdf5plugin"] = None
import warnings
warnings.simplefilter("ignore")
from hrixs import hRIXS
h = hRIXS()
for call in (h.from_run, h.load_dark, lambda run: h.process_run(run, progress=False)):
    try:
        call({run!r})
    except Exception as error:
        print(type(error).__name__, error)
print(h.from_run({run!r})["MaranaX"].values.sum() if not {blocked} else "")
"""

    @pytest.mark.parametrize("blocked", [False, True])
    @pytest.mark.one_in(2)
    def test_bitshuffle(self, bitshuffled, blocked):
        code = self.CODE.format(blocked=blocked, run=str(bitshuffled))
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        if not blocked:
            assert told.stdout.split() == [str(FRAMES.sum())]
            return
        lines = told.stdout.strip().splitlines()
        assert len(lines) == 3
        for line in lines:
            assert line.startswith("MissingDataError")
            assert "8 were rejected" in line
            assert "itshuffle" in line
            assert "pip install hdf5plugin" in line

    def test_a_filter_that_nobody_has(self, tmp_path):
        def compress(file, pixels, other):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_chunk((1, 32, 40))
            plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL, ())
            space = h5py.h5s.create_simple(pixels.shape)
            data = h5py.h5d.create(file.id, PIXELS.encode(), h5py.h5t.NATIVE_UINT16, space, plist)
            for k in range(len(pixels)):
                data.write_direct_chunk((k, 0, 0), b"packed")

        folder = raw_run(tmp_path)
        replace_pixels(folder, compress)
        with (
            pytest.warns(hrixs.HrixsWarning, match="filter 305"),
            pytest.raises(MissingDataError, match=r"8 were rejected.*filter 305"),
        ):
            hRIXS().from_run(folder)
        lazy = hRIXS().from_run(folder, lazy=True)["MaranaX"]
        with pytest.raises(hrixs.FaultyRunError, match="filter 305"):
            lazy.compute()
