"""The class `hRIXS`: the settings of the spectrometer, and its methods on datasets."""

from __future__ import annotations

from hrixs.spectrometer.aggregation_methods import AggregationMethods
from hrixs.spectrometer.curvature_methods import CurvatureMethods
from hrixs.spectrometer.detector_methods import DetectorMethods
from hrixs.spectrometer.energy_methods import EnergyMethods


class hRIXS(CurvatureMethods, DetectorMethods, EnergyMethods, AggregationMethods):
    """The settings of the hRIXS spectrometer, and the analysis of its data.

    A drop-in replacement for ``toolbox_scs.detectors.hrixs.hRIXS``. An object holds settings and
    perhaps a dark image; the data stay in xarray datasets.

    Parameters
    ----------
    proposalNB : int or str, optional
        Number of the proposal. Not needed where runs are given by path.
    detector : {'MaranaX', 'hRIXS_det'}
        The camera whose images are analysed.

    Attributes
    ----------
    PROPOSAL : int or str or None
        Number of the proposal.
    DETECTOR : str
        Variable of the dataset that holds the images. Setting it exchanges the default `FIELDS`.
    X_RANGE, Y_RANGE : slice
        Pixels to use along the spectral line and along the energy, taken before everything else.
    THRESHOLD : float or None
        Sum of a 2x2 square above which a hit begins, in ADU; None: use `STD_THRESHOLD`.
    STD_THRESHOLD : float
        The same in standard deviations above the mean of the frame's 2x2 squares.
    DBL_THRESHOLD : float or None
        Charge of a spot above which a hit counts twice, in ADU; None: none does.
    POSITION : {'com', 'gaussian'}
        How photons are placed in their pixels: by the centre of mass of their spots, as the
        replaced class documents, or by a fit of their charge clouds, which is the better one; see
        `find_photons`.
    CLOUD_SIGMA : float or None
        For ``'gaussian'``: standard deviation of the charge cloud, in pixels; None: it is estimated
        from the first images. `estimate_cloud` sets it.
    READ_NOISE : float or array_like or None
        For ``'gaussian'``: noise of a pixel, in ADU, or an image of it, of the whole chip; None:
        estimated from each image.
    LOCAL_BACKGROUND, SPLIT_DOUBLES : bool
        For ``'gaussian'``: whether the level under each photon is fitted, and whether two photons
        in one spot are placed one by one.
    PIXEL_LIMIT, CHARGE_LIMIT : float or None
        A hit with a pixel, or with a charge, above this is a cosmic ray or the like and no photon,
        in ADU.
    BINS : int
        Bins of a spectrum made by centroiding.
    CURVE_A, CURVE_B : float
        A spectral line lies at ``y0 + (CURVE_B * x + CURVE_A) * x``, in pixels of the crop.
    USE_DARK : bool
        Whether to subtract the dark; `load_dark` switches it on.
    ENERGY_INTERCEPT, ENERGY_SLOPE : float
        Energy of a full-chip row: ``ENERGY_INTERCEPT + ENERGY_SLOPE * row``, in eV.
    FIELDS : list of str
        Mnemonics to load from a run. Add more if you like.
    EV_PER_PAIR, ELECTRONS_PER_ADU : float
        Photon energy to ADU, for `centroid_two`; the gain also for the noise of the electrons in
        ``POSITION = 'gaussian'``.
    CANDIDATE_LOW, CANDIDATE_HIGH, SINGLE_LOW, DOUBLE_LOW : float
        Fractions of a photon's charge, for `centroid_two`.
    MASK : array_like of bool or None
        True where a pixel of the chip is bad; it takes part in nothing.
    MAX_PHOTONS : int
        More hits than this in one frame are an error.
    THREADS : int or None
        Threads over frames; None: all that the CPU affinity and ``OMP_NUM_THREADS`` allow.
    aggregators : dict
        How `aggregate` treats each variable: ``{name: function(da, dim)}``. Extend it as needed.
    dark_image : numpy.ndarray or None
        Mean of the dark run's frames, the full chip.
    curvature_fit : CurvatureFit or PhotonCurvatureFit or None
        The last fit of `find_curvature`, with the uncertainties.

    Examples
    --------
    >>> from hrixs import hRIXS
    >>> h = hRIXS(3145)
    >>> h.Y_RANGE = slice(700, 900)
    >>> h.set_params(curve_a=0.0240845, curve_b=-3.6953e-7, std_threshold=3.5)
    >>> h.get_params("curve_a", "std_threshold")
    {'curve_a': 0.0240845, 'std_threshold': 3.5}
    """

    def __init__(self, proposalNB: int | str | None = None, detector: str = "MaranaX") -> None:
        super().__init__(proposalNB, detector)
