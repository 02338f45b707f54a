"""Labels of evidence: what a signal found, said to people in English and in French."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.suggestion.domain.suggestions import Evidence, Signal

# The French names of tags are those that the analysis service answers; a contract test holds the two together.
_TAGS_FR: Mapping[str, str] = {
    "wedding": "mariage", "graduation": "remise de diplôme", "celebration": "fête", "dog": "chien", "cat": "chat",
    "pet": "animal de compagnie", "food": "nourriture", "drink": "boisson", "dessert": "dessert", "meal": "repas",
    "fruit": "fruit", "vegetable": "légume", "bird": "oiseau", "wildlife": "faune sauvage",
    "farm animal": "animal de la ferme", "reptile": "reptile", "insect": "insecte", "butterfly": "papillon",
    "sea life": "vie marine", "fish": "poisson", "horse": "cheval", "mountain": "montagne", "beach": "plage",
    "water": "eau", "landscape": "paysage", "snow": "neige", "camping": "camping", "garden": "jardin",
    "flower": "fleur", "plant": "plante", "building": "bâtiment", "monument": "monument",
    "place of worship": "lieu de culte", "street": "rue", "bridge": "pont", "sports": "sport",
    "swimming": "natation", "music": "musique", "vehicle": "véhicule", "car": "voiture", "motorcycle": "moto",
    "boat": "bateau", "aircraft": "avion", "train": "train", "bicycle": "vélo",
}  # fmt: skip
_NAMED: Mapping[str, Mapping[tuple[Signal, str], str]] = {
    "en": {
        (Signal.FACES, "people"): "people in the picture",
        (Signal.QUALITY, "good"): "sharp and well exposed",
        (Signal.QUALITY, "blurred"): "blurred",
        (Signal.KIND, "clutter"): "screenshots, receipts and documents",
        (Signal.LIKENESS, "near-duplicates"): "near-duplicates",
    },
    "fr": {
        (Signal.FACES, "people"): "des personnes sur la photo",
        (Signal.QUALITY, "good"): "nettes et bien exposées",
        (Signal.QUALITY, "blurred"): "floues",
        (Signal.KIND, "clutter"): "captures d'écran, tickets et documents",
        (Signal.LIKENESS, "near-duplicates"): "quasi-doublons",
    },
}


def label(evidence: Evidence, language: str) -> str:
    """Return what was found, in a language of `titles.LANGUAGES`."""
    counted = _COUNTED.get(evidence.signal)
    if counted is not None:
        return counted(int(evidence.value), language)
    if evidence.signal is Signal.TAG:
        return _TAGS_FR.get(evidence.value, evidence.value) if language == "fr" else evidence.value
    return _NAMED[language].get((evidence.signal, evidence.value), evidence.value)


def _within(minutes: int, language: str) -> str:
    hours = round(minutes / 60)
    span = _number(minutes, "minute") if minutes < 120 else _number(hours, {"en": "hour", "fr": "heure"}[language])
    return f"within {span}" if language == "en" else f"en {span}"


def _away(days: int, language: str) -> str:
    return (
        _number(days, "day") + " away from home" if language == "en" else _number(days, "jour") + " loin de chez vous"
    )


def _number(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


_COUNTED: Mapping[Signal, Callable[[int, str], str]] = {Signal.TIME: _within, Signal.PLACE: _away}
