"""Draws what telephones show: lists, chats, feeds, articles, settings, home screens and more."""

from collections.abc import Callable

from inference.training.screen import Screen
from inference.training.typefaces import words


def draw_phone_screen(screen: Screen) -> None:
    """Draws one of a dozen kinds of screen, with the bars above and below it."""
    bodies: tuple[Callable[[Screen], None], ...] = (
        _list, _chat, _feed, _article, _settings, _home, _shop, _lock, _keyboard, _gallery, _plain_list, _popup,
    )  # fmt: skip
    body = bodies[screen.rng.integers(len(bodies))]
    if body not in {_home, _lock}:
        _title_bar(screen)
    body(screen)
    _status_bar(screen)
    if screen.rng.random() < 0.6 and body not in {_lock, _keyboard}:
        _navigation(screen)


def _status_bar(screen: Screen) -> None:
    clock = f"{screen.rng.integers(0, 24)}:{screen.rng.integers(0, 60):02d}"
    screen.text(16, 5, clock, 12)
    right = screen.width - 16
    screen.draw.rectangle((right - 24, 8, right, 18), outline=screen.ink)
    screen.draw.rectangle((right - 22, 10, right - int(screen.rng.integers(2, 20)), 16), fill=screen.ink)
    for bar in range(4):
        screen.draw.rectangle((right - 50 + bar * 5, 16 - bar * 2, right - 47 + bar * 5, 18), fill=screen.ink)


def _title_bar(screen: Screen) -> None:
    coloured = screen.rng.random() < 0.4
    screen.draw.rectangle((0, 0 if coloured else 26, screen.width, 78), fill=screen.accent if coloured else screen.card)
    screen.text(16 + 22 * int(screen.rng.integers(2)), 40, words(screen.rng, 2).title(), 19)
    screen.y = 90


def _navigation(screen: Screen) -> None:
    top, count = screen.height - 52, int(screen.rng.integers(3, 6))
    screen.draw.rectangle((0, top, screen.width, screen.height), fill=screen.card)
    for number in range(count):
        x = screen.width * (number + 0.5) / count
        fill = screen.accent if number == 0 else None
        screen.draw.ellipse((x - 10, top + 8, x + 10, top + 28), outline=screen.faint, fill=fill, width=2)
        screen.text(x - 14, top + 32, words(screen.rng, 1)[:6], 9, screen.faint)


def _list(screen: Screen) -> None:
    while screen.left:
        screen.draw.ellipse((14, screen.y, 56, screen.y + 42), fill=screen.colour())
        screen.text(68, screen.y + 1, words(screen.rng, 2).title(), 14)
        screen.text(68, screen.y + 22, words(screen.rng, 7), 12, screen.faint)
        screen.draw.line((68, screen.y + 56, screen.width, screen.y + 56), fill=screen.card)
        screen.y += 64


def _plain_list(screen: Screen) -> None:
    """Nothing but lines of text, as contacts, notes and menus show."""
    rules, size = screen.rng.random() < 0.6, screen.rng.uniform(12, 20)
    count, step = int(screen.rng.integers(1, 6)), size * screen.scale * screen.rng.uniform(1.7, 3)
    while screen.left:
        screen.text(screen.width * 0.06, screen.y, words(screen.rng, count).capitalize(), size)
        if rules:
            screen.draw.line((12, screen.y + step * 0.8, screen.width - 12, screen.y + step * 0.8), fill=screen.faint)
        screen.y += step


def _popup(screen: Screen) -> None:
    """A menu or a question before something else."""
    (_feed, _list, _home)[screen.rng.integers(3)](screen)
    left, top = screen.width * screen.rng.uniform(0.04, 0.2), screen.height * screen.rng.uniform(0.2, 0.55)
    box = (left, top, screen.width - left, top + screen.height * screen.rng.uniform(0.2, 0.4))
    screen.draw.rounded_rectangle(box, 18, fill=screen.ground, outline=screen.faint)
    screen.y = top + 18
    while screen.y < box[3] - 34:
        screen.text(left + 20, screen.y, words(screen.rng, 3).capitalize(), 15)
        screen.y += 34


def _chat(screen: Screen) -> None:
    while screen.left:
        own = screen.rng.random() < 0.5
        lines = int(screen.rng.integers(1, 4))
        wide, high = screen.width * screen.rng.uniform(0.3, 0.75), 14 + 20 * lines
        left = screen.width - wide - 12 if own else 12
        fill = screen.accent if own else screen.card
        screen.draw.rounded_rectangle((left, screen.y, left + wide, screen.y + high), 15, fill=fill)
        for line in range(lines):
            text = words(screen.rng, 8)[: int(wide / 9)]
            screen.text(left + 11, screen.y + 6 + 20 * line, text, 12)
        screen.y += high + 9
    screen.draw.rounded_rectangle(
        (12, screen.height - 46, screen.width - 12, screen.height - 12), 16, fill=screen.card, outline=screen.faint
    )


def _feed(screen: Screen) -> None:
    while screen.left:
        screen.draw.ellipse((12, screen.y, 44, screen.y + 32), fill=screen.colour())
        screen.text(54, screen.y + 6, words(screen.rng, 2).title(), 13)
        high = screen.width * screen.rng.uniform(0.5, 1.0)
        screen.photo(0, screen.y + 42, screen.width, high)
        screen.y += high + 50
        for number in range(3):
            screen.draw.ellipse((14 + 34 * number, screen.y, 34 + 34 * number, screen.y + 20), outline=screen.ink)
        screen.text(14, screen.y + 26, words(screen.rng, 9), 12)
        screen.y += 62


def _article(screen: Screen) -> None:
    screen.text(16, screen.y, words(screen.rng, 4).title(), 22, style="serif")
    screen.y += 40
    if screen.rng.random() < 0.5:
        screen.photo(0, screen.y, screen.width, 170)
        screen.y += 184
    while screen.left:
        for _ in range(screen.rng.integers(2, 7)):
            screen.text(16, screen.y, words(screen.rng, 14), 13)
            screen.y += 20 * screen.scale
        screen.y += 12


def _settings(screen: Screen) -> None:
    while screen.left:
        screen.draw.rounded_rectangle((14, screen.y, 40, screen.y + 26), 6, fill=screen.colour())
        screen.text(54, screen.y + 3, words(screen.rng, 2).capitalize(), 14)
        right, on = screen.width - 16, screen.rng.random() < 0.5
        fill = screen.accent if on else screen.faint
        screen.draw.rounded_rectangle((right - 42, screen.y + 2, right, screen.y + 24), 11, fill=fill)
        knob = right - 20 if on else right - 40
        screen.draw.ellipse((knob, screen.y + 4, knob + 18, screen.y + 22), fill=(250, 250, 250))
        screen.y += 46


def _home(screen: Screen) -> None:
    if screen.rng.random() < 0.8:
        screen.photo(0, 0, screen.width, screen.height)
    screen.ink = (250, 250, 250)
    screen.y = 60
    _icons(screen, 4, screen.height - 60)


def _icons(screen: Screen, columns: int, bottom: float) -> None:
    cell = screen.width / columns
    side = min(60.0, cell * 0.62)
    while screen.y < bottom - cell:
        for column in range(columns):
            if screen.rng.random() < 0.85:
                left = column * cell + (cell - side) / 2
                box = (left, screen.y, left + side, screen.y + side)
                screen.draw.rounded_rectangle(box, side / 4, fill=screen.colour())
                inner = (left + side * 0.3, screen.y + side * 0.3, left + side * 0.7, screen.y + side * 0.7)
                screen.draw.ellipse(inner, fill=screen.colour())
                screen.text(left, screen.y + side + 3, words(screen.rng, 1)[:7], 10)
        screen.y += cell


def _shop(screen: Screen) -> None:
    half = screen.width / 2
    while screen.left:
        for column in range(2):
            screen.photo(column * half + 8, screen.y, half - 16, half - 30)
            screen.text(column * half + 10, screen.y + half - 26, words(screen.rng, 3)[:18], 12)
            price = f"{screen.rng.integers(100, 9900) / 100:.2f} EUR"
            screen.text(column * half + 10, screen.y + half - 6, price, 13, screen.accent)
        screen.y += half + 26


def _lock(screen: Screen) -> None:
    screen.photo(0, 0, screen.width, screen.height)
    screen.ink = (250, 250, 250)
    clock = f"{screen.rng.integers(0, 24)}:{screen.rng.integers(0, 60):02d}"
    screen.text(screen.width * 0.24, screen.height * 0.12, clock, 64)
    screen.y = screen.height * 0.4
    for _ in range(screen.rng.integers(1, 5)):
        box = (12, screen.y, screen.width - 12, screen.y + 66)
        screen.draw.rounded_rectangle(box, 14, fill=(60, 62, 70) if screen.dark else (228, 230, 236))
        fill = (240, 240, 240) if screen.dark else (30, 30, 30)
        screen.text(26, screen.y + 8, words(screen.rng, 2).title(), 13, fill)
        screen.text(26, screen.y + 34, words(screen.rng, 7), 12, fill)
        screen.y += 76


def _keyboard(screen: Screen) -> None:
    top = screen.height * 0.64
    screen.height, whole = int(top), screen.height
    _chat(screen)
    screen.height = whole
    screen.draw.rectangle((0, top, screen.width, whole), fill=screen.card)
    high = (whole - top - 50) / 4
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm", " ")):
        wide = screen.width / 10.4
        left = (screen.width - wide * len(keys)) / 2 if keys != " " else screen.width * 0.25
        for number, key in enumerate(keys):
            x, y = left + number * wide, top + 10 + row * high
            right = x + wide - 5 if keys != " " else screen.width * 0.75
            screen.draw.rounded_rectangle((x, y, right, y + high - 8), 5, fill=screen.ground)
            screen.text(x + wide * 0.28, y + high * 0.2, key, 15)


def _gallery(screen: Screen) -> None:
    columns = int(screen.rng.integers(3, 6))
    side = screen.width / columns
    while screen.y < screen.height:
        for column in range(columns):
            screen.photo(column * side, screen.y, side - 3, side - 3)
        screen.y += side
        if screen.rng.random() < 0.2:
            screen.text(12, screen.y + 6, words(screen.rng, 2).title(), 14)
            screen.y += 36
