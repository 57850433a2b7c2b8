"""Pictures and masks: what is read, what is done to their pixels, and what is saved.

image        Image, an encoded picture
mask         Mask, where to paint
geometry     sizes and boxes
files        picture files, read and written
header       what a file's header tells
metadata     provenance embedded and read, private metadata removed
pixels       what is done to decoded pixels
compositing  a larger canvas, and pixels that a mask preserves
"""

from limner.images.compositing import expand_canvas
from limner.images.geometry import Box, Size
from limner.images.image import Image, ImageSource
from limner.images.mask import Mask, MaskSource

__all__ = ["Box", "Image", "ImageSource", "Mask", "MaskSource", "Size", "expand_canvas"]
