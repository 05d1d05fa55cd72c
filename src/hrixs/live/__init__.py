"""Trains as they come: from a Karabo bridge to spectra, a page and the terminal."""
