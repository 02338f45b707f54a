"""Draws flat sheets of paper: documents of several kinds, and receipts."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from inference.training.typefaces import Typefaces, fitted, item, words

Rng = np.random.Generator
Colour = tuple[int, int, int]


class Sheet:
    """A sheet being written from top to bottom."""

    def __init__(self, rng: Rng, faces: Typefaces, size: tuple[int, int], paper: Colour, ink: Colour) -> None:
        self.rng, self.faces, self.ink = rng, faces.narrowed(rng), ink
        self.width, self.height = size
        self.image = Image.new("RGB", size, paper)
        self.draw = ImageDraw.Draw(self.image)
        self.margin = int(rng.uniform(0.04, 0.13) * self.width)
        self.y = float(self.margin * rng.uniform(0.6, 1.4))

    @property
    def room(self) -> float:
        """Pixels left above the lower margin."""
        return self.height - self.margin - self.y

    def line(self, text: str, size: float, *styles: str, align: float = 0.0, fill: Colour | None = None) -> None:
        """Writes one line; `align` is 0 at the left margin, 0.5 centred, 1 at the right margin."""
        font = self.faces.pick(self.rng, size, *styles)
        free = self.width - 2 * self.margin - self.draw.textlength(text, font=font)
        self.draw.text((self.margin + align * free, self.y), text, font=font, fill=fill or self.ink)
        self.y += size * 1.4

    def paragraph(self, left: float, width: float, size: float, lines: int, *styles: str) -> None:
        """Fills lines with words between two edges."""
        font = self.faces.pick(self.rng, size, *styles)
        for number in range(lines):
            if self.room < size:
                return
            text = words(self.rng, int(width / size * 0.6) + 3)
            reach = width * (self.rng.uniform(0.3, 0.9) if number == lines - 1 else self.rng.uniform(0.9, 1.0))
            text = fitted(text, reach, font)
            self.draw.text((left, self.y), text, font=font, fill=self.ink)
            self.y += size * 1.42
        self.y += size * self.rng.uniform(0.3, 1.2)

    def rule(self, thickness: int = 1) -> None:
        """Draws a line across the sheet."""
        self.draw.line((self.margin, self.y, self.width - self.margin, self.y), fill=self.ink, width=thickness)
        self.y += 6


def document(rng: Rng, faces: Typefaces) -> Image.Image:
    """Draws a page: a letter, an article, a form, a table, notes by hand, or a typed page."""
    width = 700
    shade = rng.normal(246, 7)
    paper = tuple(int(v) for v in np.clip(shade + rng.normal(0, 4, 3), 205, 255))
    ink = tuple(int(v) for v in rng.integers(0, 75, 3))
    height = int(width * rng.choice([rng.uniform(1.2, 1.5), rng.uniform(0.65, 1.0)], p=[0.85, 0.15]))
    sheet = Sheet(rng, faces, (width, height), paper, ink)  # type: ignore[arg-type]
    layouts: tuple[Callable[[Sheet], None], ...] = (_letter, _article, _form, _table, _notes, _typed)
    layouts[rng.choice(len(layouts), p=[0.22, 0.24, 0.16, 0.12, 0.11, 0.15])](sheet)
    return sheet.image


def receipt(rng: Rng, faces: Typefaces) -> Image.Image:
    """Draws a till receipt: a shop's name, lines with prices, a total, often a bar code."""
    width = int(rng.integers(280, 400))
    size = rng.uniform(12, 19)
    count = int(rng.integers(3, 22))
    tone = int(rng.integers(226, 256))
    paper = tuple(int(v) for v in np.clip(tone + rng.normal(0, 4, 3), 200, 255))
    ink = (int(rng.integers(10, 100)),) * 3
    sheet = Sheet(rng, faces, (width, int(size * (count * 1.6 + 26))), paper, ink)  # type: ignore[arg-type]
    sheet.margin = int(rng.uniform(0.03, 0.09) * width)
    style = "mono" if rng.random() < 0.75 else "sans"
    _receipt_head(sheet, size, style)
    total = sum(_receipt_line(sheet, size, style) for _ in range(count))
    _receipt_foot(sheet, size, style, total)
    return sheet.image.crop((0, 0, width, int(min(sheet.y + sheet.margin, sheet.height))))


def _letter(sheet: Sheet) -> None:
    size = sheet.rng.uniform(12, 21)
    if sheet.rng.random() < 0.5:
        sheet.line(words(sheet.rng, 2).upper(), size * 1.7, "sans", align=float(sheet.rng.choice([0.0, 0.5])))
        sheet.rule(2)
    for align in (0.0, 1.0):
        for _ in range(sheet.rng.integers(2, 4)):
            sheet.line(words(sheet.rng, 3).title(), size, "serif", "sans", align=align)
    sheet.y += size
    _paragraphs(sheet, size, "serif", "sans")


def _article(sheet: Sheet) -> None:
    size = sheet.rng.uniform(11, 20)
    sheet.line(words(sheet.rng, 4).title(), size * sheet.rng.uniform(1.4, 2.2), "serif", "sans", align=0.5)
    columns = int(sheet.rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    gap, top = 18, sheet.y + size
    wide = (sheet.width - 2 * sheet.margin - gap * (columns - 1)) / columns
    for column in range(columns):
        sheet.y, left = top, sheet.margin + column * (wide + gap)
        while sheet.room > 3 * size:
            if sheet.rng.random() < 0.1 and sheet.room > 9 * size:
                grey = tuple(int(v) for v in sheet.rng.integers(90, 230, 3))
                sheet.draw.rectangle((left, sheet.y, left + wide, sheet.y + 8 * size), fill=grey)
                sheet.y += 9 * size
            sheet.paragraph(left, wide, size, int(sheet.rng.integers(3, 9)), "serif", "sans")


def _form(sheet: Sheet) -> None:
    size = sheet.rng.uniform(12, 18)
    sheet.line(words(sheet.rng, 3).upper(), size * 1.5, "sans", align=0.5)
    sheet.rule()
    while sheet.room > 3 * size:
        top = sheet.y
        sheet.line(words(sheet.rng, 2).title() + ":", size, "sans")
        right, left = sheet.width - sheet.margin, sheet.margin + sheet.width * 0.32
        if sheet.rng.random() < 0.5:
            sheet.draw.rectangle((left, top, right, top + size * 1.4), outline=sheet.ink)
        else:
            sheet.draw.line((left, top + size * 1.3, right, top + size * 1.3), fill=sheet.ink)
        if sheet.rng.random() < 0.6:
            font = sheet.faces.pick(sheet.rng, size, "hand", "mono")
            sheet.draw.text((left + 5, top), words(sheet.rng, 3), font=font, fill=(20, 30, 110))
        sheet.y = top + size * sheet.rng.uniform(1.9, 2.6)


def _table(sheet: Sheet) -> None:
    size = sheet.rng.uniform(11, 17)
    sheet.line(words(sheet.rng, 3).title(), size * 1.8, "sans", "serif")
    sheet.paragraph(sheet.margin, sheet.width - 2 * sheet.margin, size, 3, "sans")
    columns = int(sheet.rng.integers(3, 7))
    wide, high = (sheet.width - 2 * sheet.margin) / columns, size * 1.7
    font = sheet.faces.pick(sheet.rng, size, "sans", "mono")
    for row in range(int(min(sheet.rng.integers(6, 26), sheet.room / high - 1))):
        for column in range(columns):
            left = sheet.margin + column * wide
            text = words(sheet.rng, 1) if column == 0 or row == 0 else f"{sheet.rng.integers(10_000) / 100:.2f}"
            sheet.draw.rectangle((left, sheet.y, left + wide, sheet.y + high), outline=sheet.ink)
            sheet.draw.text((left + 4, sheet.y + 2), text[: int(wide / size * 1.6)], font=font, fill=sheet.ink)
        sheet.y += high
    sheet.y += size
    _paragraphs(sheet, size, "sans")


def _notes(sheet: Sheet) -> None:
    size = sheet.rng.uniform(18, 34)
    if sheet.rng.random() < 0.6:
        for y in range(int(size * 2), sheet.height, int(size * 1.42)):
            sheet.draw.line((0, y, sheet.width, y), fill=(170, 190, 220))
    sheet.ink = ((25, 35, 120), (20, 20, 25))[sheet.rng.integers(2)]
    _paragraphs(sheet, size, "hand")


def _typed(sheet: Sheet) -> None:
    size = sheet.rng.uniform(12, 30)
    style = ("mono", "sans", "serif")[sheet.rng.integers(3)]
    if sheet.rng.random() < 0.4:
        for _ in range(sheet.rng.integers(3, 9)):
            sheet.line(words(sheet.rng, int(sheet.rng.integers(1, 4))), size, style)
        sheet.y += size
    _paragraphs(sheet, size, style)


def _paragraphs(sheet: Sheet, size: float, *styles: str) -> None:
    style = styles[sheet.rng.integers(len(styles))]
    bottom = sheet.height * (1 if sheet.rng.random() < 0.6 else sheet.rng.uniform(0.4, 0.9))
    while sheet.room > 3 * size and sheet.y < bottom:
        if sheet.rng.random() < 0.12:
            sheet.line(words(sheet.rng, 3).title(), size * 1.25, style)
        sheet.paragraph(sheet.margin, sheet.width - 2 * sheet.margin, size, int(sheet.rng.integers(2, 9)), style)


def _receipt_head(sheet: Sheet, size: float, style: str) -> None:
    rng = sheet.rng
    sheet.line(words(rng, int(rng.integers(1, 3))).upper(), size * rng.uniform(1.2, 2.0), style, align=0.5)
    for text in (words(rng, 3).title(), f"TEL {rng.integers(100, 999)} {rng.integers(1000, 9999)}"):
        sheet.line(text, size, style, align=0.5)
    day, month, hour, minute = rng.integers((1, 1, 0, 0), (29, 13, 24, 60))
    sheet.line(f"{day:02d}/{month:02d}/20{rng.integers(19, 27)}  {hour:02d}:{minute:02d}", size, style, align=0.5)
    sheet.line("-" * int(sheet.width / size * 1.1), size, style, align=0.5)


def _receipt_line(sheet: Sheet, size: float, style: str) -> float:
    price = float(sheet.rng.integers(50, 6000)) / 100
    font = sheet.faces.pick(sheet.rng, size, style)
    left = f"{sheet.rng.integers(1, 4)} {item(sheet.rng)}" if sheet.rng.random() < 0.6 else item(sheet.rng)
    _price_line(sheet, left[: int(sheet.width / size * 0.9)], f"{price:.2f}", font, size)
    return price


def _receipt_foot(sheet: Sheet, size: float, style: str, total: float) -> None:
    rng = sheet.rng
    sheet.line("-" * int(sheet.width / size * 1.1), size, style, align=0.5)
    font = sheet.faces.pick(rng, size, style)
    _price_line(sheet, ("TVA", "TAX", "VAT 20%")[rng.integers(3)], f"{total / 6:.2f}", font, size)
    sign = ("", "$", "EUR ")[rng.integers(3)]
    large = sheet.faces.pick(rng, size * 1.4, style)
    _price_line(sheet, "TOTAL", f"{sign}{total:.2f}", large, size * 1.4)
    if rng.random() < 0.6:
        _price_line(sheet, ("CARD", "CB", "CASH")[rng.integers(3)], f"{total:.2f}", font, size)
    sheet.line(("THANK YOU", "MERCI DE VOTRE VISITE", "*** MERCI ***")[rng.integers(3)], size, style, align=0.5)
    if rng.random() < 0.5:
        _bar_code(sheet, size)


def _price_line(sheet: Sheet, left: str, right: str, font: object, size: float) -> None:
    end = sheet.width - sheet.margin - sheet.draw.textlength(right, font=font)  # type: ignore[arg-type]
    sheet.draw.text((sheet.margin, sheet.y), left, font=font, fill=sheet.ink)  # type: ignore[arg-type]
    sheet.draw.text((end, sheet.y), right, font=font, fill=sheet.ink)  # type: ignore[arg-type]
    sheet.y += size * 1.45


def _bar_code(sheet: Sheet, size: float) -> None:
    x = float(sheet.margin * 2)
    while x < sheet.width - sheet.margin * 2:
        wide = int(sheet.rng.integers(1, 5))
        sheet.draw.rectangle((x, sheet.y, x + wide, sheet.y + size * 3), fill=sheet.ink)
        x += wide + int(sheet.rng.integers(1, 5))
    sheet.y += size * 3.4
