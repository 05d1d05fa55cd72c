"""A frame of the camera: its crop, dark and mask, and datasets of images.

What may be given as frames is brought to a form that the core reads in place.
"""
