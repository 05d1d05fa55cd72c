"""Noise of the camera: its level, bad pixels, false hits, thresholds, and the report on all.

Found from dark frames, or from frames with light.
"""
