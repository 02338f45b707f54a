"""Names of tags for people, in the languages that the analysis answers in; the stable name is the English one."""

from collections.abc import Mapping
from typing import Final

ENGLISH: Final = "en"
_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "aircraft": "avion",
        "animal": "animal",
        "beach": "plage",
        "bicycle": "vélo",
        "bird": "oiseau",
        "boat": "bateau",
        "book": "livre",
        "bridge": "pont",
        "building": "bâtiment",
        "butterfly": "papillon",
        "camping": "camping",
        "car": "voiture",
        "cat": "chat",
        "celebration": "fête",
        "clothing": "vêtements",
        "dessert": "dessert",
        "document": "document",
        "dog": "chien",
        "drink": "boisson",
        "farm animal": "animal de la ferme",
        "fish": "poisson",
        "flower": "fleur",
        "food": "nourriture",
        "fruit": "fruit",
        "garden": "jardin",
        "graduation": "remise de diplôme",
        "home": "maison",
        "horse": "cheval",
        "insect": "insecte",
        "landscape": "paysage",
        "meal": "repas",
        "monument": "monument",
        "motorcycle": "moto",
        "mountain": "montagne",
        "mushroom": "champignon",
        "music": "musique",
        "pet": "animal de compagnie",
        "place of worship": "lieu de culte",
        "plant": "plante",
        "reptile": "reptile",
        "screen": "écran",
        "sea life": "vie marine",
        "snow": "neige",
        "sports": "sport",
        "street": "rue",
        "swimming": "natation",
        "tool": "outil",
        "toy": "jouet",
        "train": "train",
        "vegetable": "légume",
        "vehicle": "véhicule",
        "water": "eau",
        "wedding": "mariage",
        "wildlife": "faune sauvage",
    },
}
LANGUAGES: Final = (ENGLISH, *_LABELS)


def tag_label(name: str, language: str) -> str:
    """Return what people read for a tag.

    Args:
        name: The tag's stable name; one that has no other label is its own.
        language: One of `LANGUAGES`.
    """
    return _LABELS.get(language, {}).get(name, name)
