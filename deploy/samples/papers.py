"""Papers as flat sheets: till receipts, a letter and a timetable. What they say is made up and names no person."""

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from deploy.samples.developing import Rng
from deploy.samples.lettering import Weight, font, wrapped

Ink = tuple[int, int, int]
_TILL_INK: Final = (46, 44, 48)
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


@dataclass(frozen=True)
class Receipt:
    """What a till printed.

    Attributes:
        shop: lines at the head; the first is large.
        goods: name and price of each line, prices in cents.
        currency: sign after the total.
        taxes: share of the total that is tax, with its name.
        foot: lines at the end.
        barcode: whether one is printed.
    """

    shop: tuple[str, ...]
    goods: tuple[tuple[str, int], ...]
    currency: str
    taxes: tuple[str, float]
    foot: tuple[str, ...]
    barcode: bool = True


RECEIPTS: Final = {
    "receipt_groceries": Receipt(
        ("ÉPICERIE DU PARC", "Fruits · Légumes · Fromages", "Caisse 02   Ticket 0417"),
        (
            ("POMMES 1,2 KG", 478), ("PAIN DE CAMPAGNE", 525), ("LAIT 2 L", 449), ("OEUFS X12", 599),
            ("FROMAGE", 874), ("TOMATES", 362), ("CAFÉ MOULU 340 G", 1149), ("RIZ 900 G", 389),
            ("CHOCOLAT NOIR", 429), ("CITRONS X4", 276),
        ),
        "$", ("TAXES", 0.05), ("CARTE DE DÉBIT", "MERCI ET À BIENTÔT"),
    ),
    "receipt_restaurant": Receipt(
        ("AUBERGE DES REMPARTS", "Cuisine du pays", "Table 7   2 couverts"),
        (
            ("2 MENU DU JOUR", 4800), ("1 SALADE DE NOIX", 1150), ("1 CARAFE DE VIN", 1400), ("2 CAFÉ", 520),
            ("1 TARTE AUX PRUNES", 780),
        ),
        "EUR", ("DONT TVA 10%", 0.0909), ("RÈGLEMENT CARTE", "MERCI DE VOTRE VISITE"), barcode=False,
    ),
    "receipt_bakery": Receipt(
        ("BOULANGERIE DU COIN", "Pains et gâteaux"),
        (("GÂTEAU CHOCOLAT 12 P.", 4250), ("BOUGIES X7", 399), ("BAGUETTE X3", 885)),
        "$", ("TAXES", 0.0), ("COMPTANT", "BONNE FÊTE !"),
    ),
    "receipt_pharmacy": Receipt(
        ("PHARMACIE CENTRALE", "Ouvert 7 jours", "Ticket 88120"),
        (("PANSEMENTS X20", 549), ("CRÈME MAINS 75 ML", 899), ("DENTIFRICE", 425), ("VITAMINE C X60", 1199)),
        "$", ("TPS+TVQ", 0.13), ("CARTE DE CRÉDIT", "CONSERVEZ CE REÇU"),
    ),
}  # fmt: skip


class Sheet:
    """A sheet that is written from top to bottom."""

    def __init__(self, size: tuple[int, int], paper: Ink, ink: Ink, *, margin: int, top: int, lead: float) -> None:
        self.image = Image.new("RGB", size, paper)
        self.draw = ImageDraw.Draw(self.image)
        self.ink, self.margin, self.y, self._lead = ink, margin, top, lead
        self.width, self.height = size
        self.right = self.width - margin

    def line(
        self, text: str, weight: Weight, size: int, ink: Ink | None = None, *, align: float = 0.0, after: str = ""
    ) -> None:
        """Write a line, 0 at the left and 0.5 centred, and another text that ends at the right margin."""
        face = font(weight, size)
        free = self.right - self.margin - self.draw.textlength(text, font=face) if align else 0
        self.draw.text((self.margin + align * free, self.y), text, font=face, fill=ink or self.ink)
        end = self.right - self.draw.textlength(after, font=face)
        self.draw.text((end, self.y), after, font=face, fill=ink or self.ink)
        self.y += int(size * self._lead)

    def paragraph(self, text: str, weight: Weight, size: int) -> None:
        """Write a text in as many lines as it takes."""
        for row in wrapped(text, font(weight, size), self.right - self.margin):
            self.line(row, weight, size)
        self.y += size

    def rule(self, ink: Ink, at: int | None = None) -> None:
        """Draw a line across."""
        y = self.y + 12 if at is None else at
        self.draw.line((self.margin, y, self.right, y), fill=ink, width=3)
        self.y = y + 14


def letter() -> Image.Image:
    """Draw a letter: RGB, in the proportions of A4."""
    page = _page()
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
    page.rule((190, 194, 202), at=page.height - 170)
    page.y = page.height - 150
    page.line("Prêt de livres, de disques et de jeux · Salle d'étude · Atelier du samedi", "Regular", 23, _FAINT)
    return page.image


def timetable() -> Image.Image:
    """Draw a timetable: RGB, in the proportions of A4."""
    page = _page()
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


def receipt(name: str, rng: Rng) -> Image.Image:
    """Draw one of `RECEIPTS`: a narrow sheet, RGB."""
    content = RECEIPTS[name]
    rows = len(content.shop) + len(content.goods) + len(content.foot) + 10
    sheet = Sheet((760, rows * 40 + 560), (246, 244, 240), _TILL_INK, margin=46, top=54, lead=1.45)
    for number, line in enumerate(content.shop):
        sheet.line(line, *(("Mono", 27) if number else ("MonoBold", 44)), align=0.5)
    _dashes(sheet)
    for good, cents in content.goods:
        _priced(sheet, good, cents, "Mono", 29)
    _dashes(sheet)
    total, (tax, share) = sum(cents for _, cents in content.goods), content.taxes
    if share:
        _priced(sheet, tax, round(total * share), "Mono", 27)
    due = total if content.currency == "EUR" else total + round(total * share)
    _priced(sheet, f"TOTAL {content.currency}", due, "MonoBold", 42)
    sheet.y += 14
    for line in content.foot:
        sheet.line(line, "Mono", 28, align=0.5)
    if content.barcode:
        _bars(sheet, rng)
    return sheet.image.crop((0, 0, sheet.width, min(sheet.y + 70, sheet.height)))


def _page() -> Sheet:
    return Sheet((1240, 1754), (250, 249, 246), _INK, margin=130, top=130, lead=1.5)


def _row(page: Sheet, cells: tuple[str, ...], weight: Weight, ink: Ink, ground: Ink) -> None:
    step = (page.right - page.margin) / len(cells)
    page.draw.rectangle((page.margin, page.y, page.right, page.y + 74), fill=ground, outline=(196, 204, 214))
    for column, text in enumerate(cells):
        page.draw.text((page.margin + column * step + 24, page.y + 16), text, font=font(weight, 34), fill=ink)
    page.y += 74


def _priced(sheet: Sheet, text: str, cents: int, weight: Weight, size: int) -> None:
    top = sheet.y
    sheet.line(text, weight, size, after=f"{cents / 100:.2f}".replace(".", ","))
    sheet.y = top + int(size * 1.42)


def _dashes(sheet: Sheet) -> None:
    for x in range(sheet.margin, sheet.right, 16):
        sheet.draw.line((x, sheet.y + 16, x + 9, sheet.y + 16), fill=sheet.ink, width=2)
    sheet.y += 38


def _bars(sheet: Sheet, rng: Rng) -> None:
    x = sheet.margin + 90
    sheet.y += 22
    while x < sheet.right - 90:
        wide = int(rng.integers(2, 8))
        sheet.draw.rectangle((x, sheet.y, x + wide, sheet.y + 92), fill=sheet.ink)
        x += wide + int(rng.integers(3, 8))
    sheet.y += 108
