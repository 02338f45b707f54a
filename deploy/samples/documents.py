"""Draws documents as flat sheets of paper: a letter and a timetable. They speak of nobody."""

from typing import Final

from PIL import Image, ImageDraw

from deploy.samples.lettering import Weight, font

_WIDTH: Final = 1240
_HEIGHT: Final = 1754
_MARGIN: Final = 130
_INK: Final = (34, 36, 44)
_BLUE: Final = (38, 74, 122)
_FAINT: Final = (120, 124, 132)
_LETTER: Final = """Madame, Monsieur,
La bibliothèque du quartier rouvre ses portes après trois mois de travaux. La salle de lecture a été \
agrandie, l'éclairage refait et le rayon jeunesse installé au rez-de-chaussée, près du jardin.
Pour fêter cette réouverture, nous vous invitons à un après-midi de lectures, de musique et de goûter. \
L'entrée est libre et les enfants sont les bienvenus. Vous pourrez aussi y retirer votre nouvelle carte, \
valable dans toutes les bibliothèques de la ville.
Les ouvrages empruntés avant les travaux peuvent être rendus jusqu'à la fin du mois, sans frais. Un bac de \
retour se trouve à gauche de l'entrée ; il est ouvert jour et nuit.
Nous remercions chacune et chacun de sa patience et nous réjouissons de vous revoir.""".splitlines()
_TRAINS: Final = (
    ("07:12", "08:49", "Ligne 1", "Voie A"), ("08:05", "09:51", "Ligne 3", "Voie C"),
    ("09:30", "11:02", "Ligne 1", "Voie A"), ("10:18", "12:26", "Ligne 5", "Voie B"),
    ("11:47", "13:20", "Ligne 1", "Voie A"), ("13:05", "14:58", "Ligne 3", "Voie C"),
    ("14:22", "15:55", "Ligne 1", "Voie D"), ("16:10", "18:21", "Ligne 5", "Voie B"),
    ("17:33", "19:06", "Ligne 1", "Voie A"), ("18:45", "20:31", "Ligne 3", "Voie C"),
    ("20:02", "21:35", "Ligne 1", "Voie A"), ("21:40", "23:12", "Ligne 1", "Voie A"),
)  # fmt: skip


def letter() -> Image.Image:
    """Draws a letter: RGB, in the proportions of A4."""
    page = _Page()
    page.line("BIBLIOTHÈQUE DU QUARTIER", "Bold", 46, _BLUE)
    page.line("Place du Marché · ouverte du mardi au samedi", "Regular", 27, (96, 100, 110))
    page.rule(_BLUE)
    page.y += 50
    page.line("Objet : réouverture et nouvelle carte", "SerifBold", 27)
    page.y += 26
    for text in _LETTER:
        page.paragraph(text, "Serif", 26)
    page.y += 30
    page.line("L'équipe de la bibliothèque", "Serif", 26)
    page.rule((190, 194, 202), at=_HEIGHT - 170)
    page.y = _HEIGHT - 150
    page.line("Prêt de livres, de disques et de jeux · Salle d'étude · Atelier du samedi", "Regular", 23, _FAINT)
    return page.image


def timetable() -> Image.Image:
    """Draws a timetable: RGB, in the proportions of A4."""
    page = _Page()
    page.line("HORAIRES D'HIVER", "Bold", 58, _BLUE)
    page.line("Gare centrale – Gare du Sud, du lundi au vendredi", "Regular", 30)
    page.y += 34
    _row(page, ("Départ", "Arrivée", "Ligne", "Quai"), "Bold", (255, 255, 255), _BLUE)
    for number, row in enumerate(_TRAINS):
        _row(page, row, "Regular", _INK, (236, 241, 247) if number % 2 else (252, 252, 250))
    page.y += 40
    page.paragraph(
        "Les trains de la ligne 5 ne circulent pas les jours fériés. Les vélos sont admis hors des heures de pointe,"
        " dans la voiture de queue. Présentez-vous sur le quai deux minutes avant le départ.",
        "Regular", 28,
    )  # fmt: skip
    return page.image


def _row(page: "_Page", cells: tuple[str, ...], weight: Weight, ink: tuple[int, ...], ground: tuple[int, ...]) -> None:
    step = (_WIDTH - 2 * _MARGIN) / len(cells)
    page.draw.rectangle((_MARGIN, page.y, _WIDTH - _MARGIN, page.y + 74), fill=ground, outline=(196, 204, 214))
    for column, text in enumerate(cells):
        page.draw.text((_MARGIN + column * step + 24, page.y + 16), text, font=font(weight, 34), fill=ink)
    page.y += 74


class _Page:
    """A sheet that is written from top to bottom."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (_WIDTH, _HEIGHT), (250, 249, 246))
        self.draw = ImageDraw.Draw(self.image)
        self.y = 130

    def line(self, text: str, weight: Weight, size: int, ink: tuple[int, ...] = _INK) -> None:
        self.draw.text((_MARGIN, self.y), text, font=font(weight, size), fill=ink)
        self.y += int(size * 1.5)

    def paragraph(self, text: str, weight: Weight, size: int) -> None:
        face, row = font(weight, size), ""
        for word in text.split(" "):
            if self.draw.textlength(f"{row} {word}", font=face) > _WIDTH - 2 * _MARGIN:
                self.line(row, weight, size)
                row = word
            else:
                row = f"{row} {word}".strip()
        self.line(row, weight, size)
        self.y += size

    def rule(self, ink: tuple[int, ...], at: int | None = None) -> None:
        y = self.y + 12 if at is None else at
        self.draw.line((_MARGIN, y, _WIDTH - _MARGIN, y), fill=ink, width=3)
        self.y = y + 14
