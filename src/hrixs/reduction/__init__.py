"""Stacks and runs of any length reduced to spectra: here, lazily, or on a cluster."""
