"""Files of a run of the European XFEL: its index, faults, images and slow data.

Each image is read where it lies; what contradicts its train id is told.
"""
