"""Draws screenshots."""

import numpy as np

from inference.training.desktop_screens import draw_desktop_screen
from inference.training.phone_screens import draw_phone_screen
from inference.training.screen import Photos, Rng, Screen
from inference.training.typefaces import Typefaces
from inference.vision.pictures import Picture


def screenshot(rng: Rng, faces: Typefaces, photos: Photos) -> Picture:
    """Draws a screen.

    Args:
        rng: what chance there is in it.
        faces: the fonts to choose from.
        photos: pictures that feeds, galleries and wallpapers show.

    Returns:
        UINT8 RGB, upright (two thirds) or wide.
    """
    if rng.random() < 0.66:
        width = int(rng.integers(350, 420))
        screen = Screen(rng, faces, photos, (width, int(width * rng.uniform(1.75, 2.2))))
        draw_phone_screen(screen)
    else:
        width = int(rng.integers(860, 1180))
        screen = Screen(rng, faces, photos, (width, int(width / rng.uniform(1.3, 1.8))))
        draw_desktop_screen(screen)
    return np.asarray(screen.image)
