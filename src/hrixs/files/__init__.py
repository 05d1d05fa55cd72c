"""Readers and writers of files that are no runs, one a format.

Images of any camera come in through `open_images`.
"""

from hrixs.files.images import is_image_source, open_images, open_mask

__all__ = ["is_image_source", "open_images", "open_mask"]
