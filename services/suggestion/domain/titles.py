"""Titles and reasons, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from services.suggestion.domain.suggestions import Idea, Kind

LANGUAGES = ("en", "fr")
_MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
}  # fmt: skip
_WEEKDAYS: Mapping[str, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_PARTS: Mapping[str, tuple[str, str, str, str]] = {
    "en": ("night", "morning", "afternoon", "evening"),
    "fr": ("nuit", "matin", "après-midi", "soir"),
}
_THEMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "trip": "Your trip", "wedding": "The wedding", "graduation": "Graduation day",
        "celebration": "Time to celebrate", "pets": "Furry friends", "food": "Good things to eat",
        "animals": "Among animals", "outdoors": "Out in the open", "flowers": "In bloom", "city": "Around town",
        "sports": "In motion", "music": "In tune", "vehicles": "On the move",
    },
    "fr": {
        "trip": "Votre voyage", "wedding": "Le mariage", "graduation": "Jour de diplôme",
        "celebration": "Jour de fête", "pets": "Nos compagnons", "food": "À table",
        "animals": "Parmi les animaux", "outdoors": "Au grand air", "flowers": "En fleurs", "city": "En ville",
        "sports": "En mouvement", "music": "En musique", "vehicles": "En route",
    },
}  # fmt: skip
_REASONS: Mapping[str, Mapping[Kind, str]] = {
    "en": {
        Kind.COLLAGE: "{count} of your best shots {when}",
        Kind.THEME: "{count} photos that share a theme, {when}",
        Kind.HIDDEN_GEM: "A good photo that nothing else shows, {when}",
        Kind.TIDY_UP: "{count} pictures that you may not need: screenshots, receipts, blurred shots",
    },
    "fr": {
        Kind.COLLAGE: "{count} de vos plus belles photos, {when}",
        Kind.THEME: "{count} photos autour d'un même thème, {when}",
        Kind.HIDDEN_GEM: "Une belle photo que rien d'autre ne montre, {when}",
        Kind.TIDY_UP: "{count} images dont vous n'avez peut-être plus besoin : captures d'écran, tickets,"
        " photos floues, quasi-doublons",
    },
}


def title(idea: Idea, language: str) -> str:
    """Return the title of an idea in a language of `LANGUAGES`."""
    if idea.kind is Kind.TIDY_UP:
        return {"en": "Tidy up your roll", "fr": "Un peu de rangement"}[language]
    if idea.kind is Kind.HIDDEN_GEM:
        return {"en": "A hidden gem", "fr": "Une perle cachée"}[language]
    named = _THEMES[language].get(idea.theme)
    if idea.kind is Kind.THEME and named:
        return named
    return _moment_title(idea, language, named)


def reason(idea: Idea, language: str) -> str:
    """Return why an idea is offered, in a language of `LANGUAGES`."""
    return _REASONS[language][idea.kind].format(count=len(idea.media), when=_when(idea, language))


def _moment_title(idea: Idea, language: str, named: str | None) -> str:
    if idea.start is None:
        return named or {"en": "A moment", "fr": "Un moment"}[language]
    weekday, part = _WEEKDAYS[language][idea.start.weekday()], _part(idea.start, language)
    moment = f"{weekday} {part}" if language == "en" else f"{weekday.capitalize()} {part}"
    return f"{named} · {moment}" if named else f"{moment}, {_day(idea.start.date(), language)}"


def _part(time: datetime, language: str) -> str:
    parts = _PARTS[language]
    return parts[0] if time.hour < 5 else parts[1] if time.hour < 12 else parts[2] if time.hour < 18 else parts[3]


def _when(idea: Idea, language: str) -> str:
    if idea.start is None or idea.end is None:
        return {"en": "from your roll", "fr": "de votre pellicule"}[language]
    first, last = _day(idea.start.date(), language), _day(idea.end.date(), language)
    if first == last:
        return {"en": f"from {first}", "fr": f"du {first}"}[language]
    return {"en": f"from {first} to {last}", "fr": f"du {first} au {last}"}[language]


def _day(day: date, language: str) -> str:
    month = _MONTHS[language][day.month - 1]
    if language == "fr":
        return f"{'1er' if day.day == 1 else day.day} {month}"
    return f"{day.day} {month}"
