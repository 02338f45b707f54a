"""Text detection: the detector's map becomes boxes, and boxes become what the reader looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Letterbox, Picture

PIXEL_SCORE: Final = 0.3
BOX_SCORE: Final = 0.5
MOST_LINES: Final = 40
LINE_HEIGHT: Final = 48
LINE_WIDTH: Final = 320
_UNCLIP: Final = 1.6
_SMALLEST_SIDE: Final = 3.0
_TALLEST_LINE: Final = 64.0  # pixels of the canvas; the detector takes animals for text, but never for small text
_MOST_BOXES: Final = 400
_UPRIGHT: Final = 1.5  # so many times as high as wide, a box holds a line that runs down or up
_AFTER_THE_END: Final = 127
_EARLIEST_CUT: Final = LINE_WIDTH // 3
_GAP: Final = 10  # pixels between words, when a line is 48 high

Points: TypeAlias = NDArray[np.float64]
Rectangle: TypeAlias = tuple[Sequence[float], Sequence[float], float]  # centre, sides, angle, as OpenCV has them


@dataclass(frozen=True)
class TextBox:
    """A line of text in a picture.

    Attributes:
        corners: [4, 2] x, y relative (0..1) to the upright picture: where the line begins above, ends above, ends
            below, begins below.
        score: how sure the detector is, 0..1.
    """

    corners: Points
    score: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, width, height of the upright rectangle around it, relative to the picture."""
        (left, top), (right, bottom) = self.corners.min(0).tolist(), self.corners.max(0).tolist()
        return left, top, right - left, bottom - top


def text_boxes(text_map: NDArray[np.uint8], letterbox: Letterbox) -> tuple[TextBox, ...]:
    """Turn the detector's map into lines, from top to bottom (Liao et al. 2020, section 3.5).

    The map shows the hearts of the lines, shrunk so that neighbours do not touch; each is grown back to its line.

    Args:
        text_map: [640, 640], 255 where text is for sure.
        letterbox: how the picture lies on the canvas.
    """
    part = text_map[: letterbox.height, : letterbox.width]
    hearts = cv2.dilate((part > PIXEL_SCORE * 255).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(hearts, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    size = np.asarray([letterbox.width, letterbox.height], np.float64)
    found = []
    for outline in outlines[:_MOST_BOXES]:
        rectangle = _grown(cv2.minAreaRect(outline))
        if _is_line(rectangle) and (score := _mean_inside(part, np.asarray(outline, np.int32))) >= BOX_SCORE:
            found.append(TextBox(np.clip(_corners(rectangle) / size, 0, 1), score))
    return in_reading_order(found)


def in_reading_order(boxes: Sequence[TextBox]) -> tuple[TextBox, ...]:
    """Sorts lines from top to bottom, and those that stand beside each other from left to right."""
    waiting, ordered = sorted(boxes, key=lambda box: box.bounds[1]), list[TextBox]()
    while waiting:
        _, top, _, height = waiting[0].bounds
        row = [box for box in waiting if box.bounds[1] < top + height / 2]
        ordered.extend(sorted(row, key=lambda box: box.bounds[0]))
        waiting = waiting[len(row) :]
    return tuple(ordered)


def worth_reading(boxes: Sequence[TextBox]) -> tuple[TextBox, ...]:
    """Return the largest `MOST_LINES` lines, in the order given: what is dropped are numbers in tables and grids."""
    largest = sorted(boxes, key=lambda box: -box.bounds[2] * box.bounds[3])[:MOST_LINES]
    return tuple(box for box in boxes if any(box is kept for kept in largest))


def text_area(boxes: Sequence[TextBox]) -> float:
    """Return the share of a picture, 0..1, that lines of text cover."""
    areas = (cv2.contourArea(box.corners.astype(np.float32)) for box in boxes)
    return min(1.0, float(sum(areas)))


def line_pictures(picture: Picture, box: TextBox) -> list[Picture]:
    """Cuts a line out of a picture, upright, as the reader wants it.

    Args:
        picture: UINT8 RGB [height, width, 3]; the larger, the better it can be read.
        box: where the line is.

    Returns:
        UINT8 RGB [48, 320, 3] each: one, or for a line too long for that several that follow each other.
    """
    line = _cut_out(picture, box)
    if line is None:
        return []
    width = max(1, round(line.shape[1] * LINE_HEIGHT / line.shape[0]))
    how = cv2.INTER_AREA if line.shape[0] > LINE_HEIGHT else cv2.INTER_LINEAR
    even = cv2.resize(line, (width, LINE_HEIGHT), interpolation=how)
    return [_on_canvas(part) for part in _pieces(np.asarray(even, np.uint8))]


def _mean_inside(part: NDArray[np.uint8], outline: NDArray[np.int32]) -> float:
    """Return the mean probability inside an outline."""
    left, top, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [outline], 0, (1.0,), cv2.FILLED, offset=(-left, -top))
    return float(cv2.mean(part[top : top + height, left : left + width], inside)[0]) / 255


def _grown(heart: Rectangle) -> Rectangle:
    """Grows a rectangle by what the heart was shrunk."""
    centre, (width, height), angle = heart
    distance = width * height * _UNCLIP / max(width + height, 1.0)
    return centre, (width + distance, height + distance), angle


def _is_line(rectangle: Rectangle) -> bool:
    _, (width, height), _ = rectangle
    return _SMALLEST_SIDE + 2 <= min(width, height) <= _TALLEST_LINE


def _corners(rectangle: Rectangle) -> Points:
    """Return the corners from the upper left on, clockwise."""
    corners = np.asarray(cv2.boxPoints(rectangle), np.float64)
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    (top_left, bottom_left), (top_right, bottom_right) = (side[np.argsort(side[:, 1])] for side in (left, right))
    return np.stack([top_left, top_right, bottom_right, bottom_left])


def _cut_out(picture: Picture, box: TextBox) -> Picture | None:
    """Turn a box upright; one much higher than wide is turned to the left: such lines mostly run down."""
    height, width = picture.shape[:2]
    corners = (box.corners * (width, height)).astype(np.float32)
    across = float(max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3])))
    down = float(max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1])))
    if min(across, down) < _SMALLEST_SIDE:
        return None
    size = round(across), round(down)
    target = np.asarray([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    line = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.rot90(line) if down >= _UPRIGHT * across else line, np.uint8)


def _pieces(line: Picture) -> list[Picture]:
    """Cuts a long line where its columns differ least, which is between words."""
    pieces = []
    while line.shape[1] > LINE_WIDTH:
        heart = line[LINE_HEIGHT // 6 : -LINE_HEIGHT // 6, _EARLIEST_CUT:LINE_WIDTH].astype(np.int16)
        contrast = np.convolve(np.ptp(heart, axis=0).max(1), np.ones(_GAP), "valid")
        end = _EARLIEST_CUT + len(contrast) - 1 - int(contrast[::-1].argmin()) + _GAP // 2
        pieces.append(line[:, :end])
        line = line[:, end:]
    return [*pieces, line]


def _on_canvas(line: Picture) -> Picture:
    canvas = np.full((LINE_HEIGHT, LINE_WIDTH, 3), _AFTER_THE_END, np.uint8)
    canvas[:, : line.shape[1]] = line
    return canvas
