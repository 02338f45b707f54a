"""Flat sheets of paper: documents of several kinds, and till receipts."""

from itertools import pairwise

import numpy as np
from PIL import Image

from inference.training.surface import Colour, Rng, Surface
from inference.training.typefaces import Typefaces, item

_STYLES = ("serif", "sans", "mono")


def document(rng: Rng, faces: Typefaces) -> Image.Image:
    """Draw a page: a letter or a typed page, an article, note by hand, a form, or a table."""
    width = 700
    height = int(width * (rng.uniform(1.2, 1.5) if rng.random() < 0.85 else rng.uniform(0.65, 1.0)))
    sheet = Surface(rng, faces, (width, height), _paper(rng, 246, 7), tuple(rng.integers(0, 75, 3).tolist()))
    sheet.margin = rng.uniform(0.04, 0.13) * width
    sheet.y = sheet.margin * rng.uniform(0.6, 1.4)
    (_letter, _article, _form, _table, _notes)[rng.choice(5, p=[0.37, 0.24, 0.16, 0.12, 0.11])](sheet)
    return sheet.image


def receipt(rng: Rng, faces: Typefaces) -> Image.Image:
    """Draw a till receipt: a shop's name, lines with prices, a total, often a bar code."""
    width, size, count = int(rng.integers(280, 400)), rng.uniform(12, 19), int(rng.integers(3, 22))
    ink = (int(rng.integers(10, 100)),) * 3
    sheet = Surface(rng, faces, (width, int(size * (count * 1.6 + 26))), _paper(rng, rng.integers(226, 256), 1), ink)
    sheet.margin = rng.uniform(0.03, 0.09) * width
    sheet.y = sheet.margin * rng.uniform(0.6, 1.4)
    style = "mono" if rng.random() < 0.75 else "sans"
    day, month, hour, minute = rng.integers((1, 1, 0, 0), (29, 13, 24, 60))
    rule = "-" * int(width / size * 1.1)
    _centred(sheet, sheet.words(2).upper(), size * rng.uniform(1.2, 2.0), style)
    for text in (
        sheet.words(3, 3).title(), f"TEL {rng.integers(100, 999)} {rng.integers(1000, 9999)}",
        f"{day:02d}/{month:02d}/20{rng.integers(19, 27)}  {hour:02d}:{minute:02d}", rule,
    ):  # fmt: skip
        _centred(sheet, text, size, style)
    total = 0.0
    for _ in range(count):
        price = float(rng.integers(50, 6000)) / 100
        number = f"{rng.integers(1, 4)} " if rng.random() < 0.6 else ""
        _priced(sheet, number + item(rng), f"{price:.2f}", size, style)
        total += price
    _centred(sheet, rule, size, style)
    _priced(sheet, ("TVA", "TAX", "VAT 20%")[rng.integers(3)], f"{total / 6:.2f}", size, style)
    _priced(sheet, "TOTAL", f"{('', '$', 'EUR ')[rng.integers(3)]}{total:.2f}", size * 1.4, style)
    if rng.random() < 0.6:
        _priced(sheet, ("CARD", "CB", "CASH")[rng.integers(3)], f"{total:.2f}", size, style)
    _centred(sheet, ("THANK YOU", "MERCI DE VOTRE VISITE", "*** MERCI ***")[rng.integers(3)], size, style)
    if rng.random() < 0.5:
        _bar_code(sheet, size)
    return sheet.image.crop((0, 0, width, int(min(sheet.y + sheet.margin, sheet.height))))


def _paper(rng: Rng, tone: float, spread: float) -> Colour:
    red, green, blue = np.clip(rng.normal(tone, spread) + rng.normal(0, 4, 3), 200, 255).astype(int).tolist()
    return red, green, blue


def _letter(sheet: Surface) -> None:
    size, style = sheet.rng.uniform(12, 30), _STYLES[sheet.rng.integers(3)]
    if sheet.chance(0.3):
        _centred(sheet, sheet.words(2).upper(), size * 1.7, "sans")
        sheet.rule(thickness=2)
    for align in (0.0, 1.0) if sheet.chance(0.6) else ():
        for _ in range(sheet.rng.integers(1, 4)):
            sheet.text(sheet.words(3).title(), size, style, align=align)
            sheet.y += size * 1.4
    _prose(sheet, size, style)


def _article(sheet: Surface) -> None:
    size = sheet.rng.uniform(11, 20)
    _centred(sheet, sheet.words(4).title(), size * sheet.rng.uniform(1.4, 2.2), "serif")
    columns, top, style = (
        int(sheet.rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])),
        sheet.y + size,
        _STYLES[sheet.rng.integers(2)],
    )
    edges = np.linspace(sheet.margin, sheet.right + 18, columns + 1)
    for left, after in pairwise(edges):
        sheet.y = top
        while sheet.room > 3 * size:
            if sheet.chance(0.1) and sheet.room > 9 * size:
                sheet.box((left, sheet.y, after - 18, sheet.y + 8 * size), sheet.colour(90, 230))
                sheet.y += 9 * size
            sheet.lines(int(sheet.rng.integers(3, 9)), size, style, left=left, right=after - 18)
            sheet.y += size * sheet.rng.uniform(0.3, 1.2)


def _form(sheet: Surface) -> None:
    size = sheet.rng.uniform(12, 18)
    _centred(sheet, sheet.words(3).upper(), size * 1.5, "sans")
    sheet.rule()
    left = sheet.margin + sheet.width * 0.32
    while sheet.room > 3 * size:
        sheet.y += size * sheet.rng.uniform(0.5, 1.2)
        sheet.text(sheet.words(2, 2).title() + ":", size)
        bottom = sheet.y + size * 1.4
        sheet.box((left, sheet.y if sheet.chance(0.5) else bottom, sheet.right, bottom), outline=sheet.ink)
        if sheet.chance(0.6):
            sheet.text(
                sheet.words(3, 3), size, "hand" if sheet.chance(0.5) else "mono", left=left + 5, ink=(20, 30, 110)
            )
        sheet.y = bottom


def _table(sheet: Surface) -> None:
    size = sheet.rng.uniform(11, 17)
    _centred(sheet, sheet.words(3).title(), size * 1.8, "sans")
    sheet.lines(3, size)
    high, style = size * 1.7, "sans" if sheet.chance(0.5) else "mono"
    edges = np.linspace(sheet.margin, sheet.right, int(sheet.rng.integers(4, 8)))
    for row in range(int(min(sheet.rng.integers(6, 26), sheet.room / high - 1))):
        for column, (left, right) in enumerate(pairwise(edges)):
            sheet.box((left, sheet.y, right, sheet.y + high), outline=sheet.ink)
            text = f"{sheet.rng.integers(10_000) / 100:.2f}" if row and column else sheet.words(1)
            sheet.text(text, size, style, left=left + 4, right=right)
        sheet.y += high
    sheet.y += size
    _prose(sheet, size, "sans")


def _notes(sheet: Surface) -> None:
    size = sheet.rng.uniform(18, 34)
    if sheet.chance(0.6):
        for y in range(int(size * 2), sheet.height, int(size * 1.42)):
            sheet.draw.line((0, y, sheet.width, y), fill=(170, 190, 220))
    sheet.ink = (25, 35, 120) if sheet.chance(0.5) else (20, 20, 25)
    _prose(sheet, size, "hand")


def _prose(sheet: Surface, size: float, style: str) -> None:
    bottom = sheet.height * (1 if sheet.chance(0.6) else sheet.rng.uniform(0.4, 0.9))
    while sheet.room > 3 * size and sheet.y < bottom:
        if sheet.chance(0.12):
            sheet.text(sheet.words(3, 3).title(), size * 1.25, style)
            sheet.y += size * 1.75
        sheet.lines(int(sheet.rng.integers(2, 9)), size, style)
        sheet.y += size * sheet.rng.uniform(0.3, 1.2)


def _centred(sheet: Surface, text: str, size: float, style: str) -> None:
    sheet.text(text, size, style, align=0.5)
    sheet.y += size * 1.4


def _priced(sheet: Surface, left: str, right: str, size: float, style: str) -> None:
    sheet.text(left, size, style, right=sheet.margin + 0.7 * (sheet.right - sheet.margin))
    sheet.text(right, size, style, align=1.0)
    sheet.y += size * 1.45


def _bar_code(sheet: Surface, size: float) -> None:
    x = sheet.margin * 2
    while x < sheet.width - sheet.margin * 2:
        wide, gap = sheet.rng.integers(1, 5, 2)
        sheet.box((x, sheet.y, x + wide, sheet.y + size * 3), sheet.ink)
        x += wide + gap
    sheet.y += size * 3.4
