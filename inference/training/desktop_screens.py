"""Draws what computers show: a web page, code, a spreadsheet, or a desktop with windows."""

from inference.training.screen import Screen
from inference.training.typefaces import words


def draw_desktop_screen(screen: Screen) -> None:
    """Draws a desktop, or the inside of one window."""
    kind = screen.rng.integers(6)
    if kind == 0:
        _desktop(screen)
        return
    if kind == 1:
        _terminal(screen)
        return
    screen.draw.rectangle((0, 0, screen.width, 36), fill=screen.card)
    for number, colour in enumerate(((255, 95, 86), (255, 189, 46), (39, 201, 63))):
        screen.draw.ellipse((10 + number * 18, 12, 22 + number * 18, 24), fill=colour)
    screen.text(90, 9, f"https://www.{words(screen.rng, 1)}.com/{words(screen.rng, 1)}", 12, screen.faint)
    screen.y = 48
    (_web_page, _code, _spreadsheet, _page_on_screen)[kind - 2](screen)


def _desktop(screen: Screen) -> None:
    if screen.rng.random() < 0.7:
        screen.photo(0, 0, screen.width, screen.height)
    else:
        screen.draw.rectangle((0, 0, screen.width, screen.height), fill=screen.colour())
    for _ in range(screen.rng.integers(1, 4)):
        _window(screen)
    screen.draw.rectangle((0, screen.height - 40, screen.width, screen.height), fill=screen.card)
    for number in range(int(screen.rng.integers(4, 11))):
        x = 12 + number * 42
        screen.draw.rounded_rectangle((x, screen.height - 34, x + 28, screen.height - 6), 6, fill=screen.colour())


def _window(screen: Screen) -> None:
    left, top = screen.rng.uniform(0.02, 0.45, 2) * (screen.width, screen.height)
    right, bottom = left + screen.width * screen.rng.uniform(0.3, 0.55), top + screen.height * 0.5
    screen.draw.rectangle((left, top, right, bottom), fill=screen.ground, outline=screen.faint)
    screen.draw.rectangle((left, top, right, top + 28), fill=screen.card)
    screen.text(left + 10, top + 6, words(screen.rng, 2).title(), 12)
    y = top + 38
    while y < bottom - 22:
        screen.text(left + 12, y, words(screen.rng, 8)[: int((right - left) / 10)], 12)
        y += 22


def _web_page(screen: Screen) -> None:
    screen.draw.rectangle((0, 38, screen.width, 92), fill=screen.accent if screen.rng.random() < 0.5 else screen.card)
    for number in range(5):
        screen.text(30 + number * 120, 54, words(screen.rng, 1).title(), 14)
    screen.y = 110
    side = screen.width * 0.62
    while screen.left:
        screen.text(30, screen.y, words(screen.rng, 5).title()[: int(side / 14)], 20)
        if screen.rng.random() < 0.6:
            screen.photo(side + 20, screen.y, screen.width - side - 50, 120)
        for line in range(5):
            screen.text(30, screen.y + 32 + line * 20, words(screen.rng, 20)[: int(side / 9)], 13)
        screen.y += 152


def _terminal(screen: Screen) -> None:
    """Lines of a shell, some coloured, often only in the upper part."""
    tone = int(screen.rng.integers(0, 46))
    screen.draw.rectangle((0, 0, screen.width, screen.height), fill=(tone, tone, tone))
    if screen.rng.random() < 0.6:
        screen.draw.rectangle((0, 0, screen.width, 26), fill=(70, 70, 74))
    screen.ink, screen.y = (225, 225, 225), 34.0
    end = screen.height * screen.rng.uniform(0.4, 1)
    while screen.left and screen.y < end:
        fill = screen.colour() if screen.rng.random() < 0.3 else None
        screen.text(8, screen.y, words(screen.rng, int(screen.rng.integers(1, 16))), 12, fill, "mono")
        screen.y += 17 * screen.scale


def _page_on_screen(screen: Screen) -> None:
    """A text document open in a program: a white page on grey, with tools above it."""
    screen.draw.rectangle(
        (0, 38, screen.width, screen.height), fill=(120, 122, 126) if screen.dark else (206, 208, 212)
    )
    for number in range(12):
        box = (14 + number * 34, 46, 36 + number * 34, 66)
        screen.draw.rectangle(box, fill=screen.colour() if screen.rng.random() < 0.4 else screen.card)
    left, right = screen.width * 0.2, screen.width * 0.8
    screen.draw.rectangle((left, 84, right, screen.height), fill=(252, 252, 252))
    screen.ink, screen.y = (25, 25, 28), 116.0
    while screen.left:
        screen.text(left + 50, screen.y, words(screen.rng, 30)[: int((right - left - 100) / 8)], 12, style="serif")
        screen.y += 19


def _code(screen: Screen) -> None:
    number, bar = 1, int(screen.rng.integers(0, 160))
    screen.draw.rectangle((0, 38, bar, screen.height), fill=screen.card)
    while screen.left:
        screen.text(bar + 8, screen.y, str(number), 12, screen.faint, "mono")
        x = bar + 46.0 + 24 * int(screen.rng.integers(0, 5))
        for _ in range(screen.rng.integers(0, 6)):
            word = words(screen.rng, 1)
            screen.text(x, screen.y, word, 13, screen.colour() if screen.rng.random() < 0.6 else None, "mono")
            x += 9 * len(word) * screen.scale + 10
        screen.y, number = screen.y + 19 * screen.scale, number + 1


def _spreadsheet(screen: Screen) -> None:
    wide, high, row = 92, 24, 0
    while screen.left:
        for column in range(screen.width // wide + 1):
            box = (column * wide, screen.y, (column + 1) * wide, screen.y + high)
            screen.draw.rectangle(box, outline=screen.card, fill=screen.card if row == 0 or column == 0 else None)
            if screen.rng.random() < 0.75:
                text = words(screen.rng, 1) if row == 0 or column == 0 else str(screen.rng.integers(99_999))
                screen.text(column * wide + 6, screen.y + 4, text[:9], 12)
        screen.y, row = screen.y + high, row + 1
