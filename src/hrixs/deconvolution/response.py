"""Response of pixels to a spectrum: a banded matrix that is the same for each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Distance, in widths of the cloud, beyond which there is no charge.
_REACH = 4.5


@dataclass(frozen=True)
class Response:
    """Blur by cloud and pixel, and the basis of the spectrum: Gaussians at the centres of its bins.

    The light in phase ``p`` and row ``r`` is ``pixels[p, r] * sum(kernel[p] * g[r * n : ...])``
    with ``n`` bins per row. Bins begin `margin` rows before the first row.

    Attributes
    ----------
    cloud_sigma, basis_sigma : float
        Widths, in pixels.
    offsets, spreads : numpy.ndarray, shape (phases,)
        As in `Phases`.
    oversample : int
        Bins per row.
    """

    cloud_sigma: float
    basis_sigma: float
    offsets: FloatArray
    spreads: FloatArray
    oversample: int

    @property
    def margin(self) -> int:
        """Distance in rows from which light can reach a pixel."""
        widest = np.hypot(np.hypot(self.cloud_sigma, self.basis_sigma), 0.3)
        return int(np.ceil(_REACH * widest))

    @cached_property
    def kernel(self) -> FloatArray:
        """Part of the light of a Gaussian that a pixel receives, shape (phases, bins)."""
        from scipy.special import ndtr

        n_bins = (2 * self.margin + 2) * self.oversample
        middles = -self.margin - 0.5 + (np.arange(n_bins) + 0.5) / self.oversample
        away = self.offsets[:, None] - middles
        sigma = np.hypot(np.hypot(self.cloud_sigma, self.basis_sigma), self.spreads)[:, None]
        return np.asarray(ndtr((away + 0.5) / sigma) - ndtr((away - 0.5) / sigma))

    @cached_property
    def in_bins(self) -> FloatArray:
        """Part of a Gaussian in its own bin and the bins beside it, shape (2 n + 1,)."""
        from scipy.special import ndtr

        n = int(np.ceil(_REACH * self.basis_sigma * self.oversample + 0.5))
        edges = (np.arange(-n, n + 2) - 0.5) / self.oversample / self.basis_sigma
        return np.diff(ndtr(edges))

    def n_bins(self, n_rows: int) -> int:
        """Number of bins that are fitted, including those outside the rows."""
        return (n_rows + 2 * self.margin + 1) * self.oversample

    def inner(self, n_rows: int) -> slice:
        """The bins within the rows."""
        return slice(self.margin * self.oversample, (self.margin + n_rows) * self.oversample)

    def seen(self, g: FloatArray, n_rows: int) -> FloatArray:
        """Light per pixel, shape (phases, rows)."""
        windows = sliding_window_view(g, self.kernel.shape[1])[:: self.oversample]
        return np.asarray(self.kernel @ windows[:n_rows].T)

    def back(self, values: FloatArray) -> FloatArray:
        """The transpose of `seen`."""
        n = self.oversample
        shares = values.T @ self.kernel
        total = np.zeros((self.n_bins(values.shape[1]) // n, n))
        for block in range(shares.shape[1] // n):
            total[block : block + len(shares)] += shares[:, block * n : (block + 1) * n]
        return total.ravel()

    def normal(self, weights: FloatArray) -> FloatArray:
        """Lower bands of ``seen.T @ diag(weights) @ seen``, shape (bands, bins)."""
        n, width = self.oversample, self.kernel.shape[1]
        products = self.kernel[:, :, None] * self.kernel[:, None, :]
        rows = (weights.T @ products.reshape(len(products), -1)).reshape(-1, width, width)
        bands = np.zeros((width, self.n_bins(weights.shape[1]) // n, n))
        for low in range(width):
            block, place = divmod(low, n)
            bands[: width - low, block : block + len(rows), place] += rows[:, low:, low].T
        return bands.reshape(width, -1)

    def spread_out(self, g: FloatArray) -> FloatArray:
        """Light in each bin, from the Gaussians at the centres of the bins."""
        return np.asarray(np.convolve(g, self.in_bins, "same"))
