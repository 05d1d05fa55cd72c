"""The curve that the spectral lines follow, fitted to an image or to photons."""
