"""Draws till receipts as flat sheets of paper. Shops, goods and numbers are made up and name nobody."""

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from deploy.samples.developing import Rng
from deploy.samples.lettering import Weight, font

_WIDTH: Final = 760
_MARGIN: Final = 46
_INK: Final = (46, 44, 48)
_LEAD: Final = 40


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


def receipt(name: str, rng: Rng) -> Image.Image:
    """Draws one of `RECEIPTS`: a narrow sheet, RGB."""
    content = RECEIPTS[name]
    sheet = _Till(len(content.shop) + len(content.goods) + len(content.foot) + 10)
    for number, line in enumerate(content.shop):
        sheet.centred(line, "MonoBold" if number == 0 else "Mono", 44 if number == 0 else 27)
    sheet.rule()
    for good, cents in content.goods:
        sheet.priced(good, cents, "Mono", 29)
    sheet.rule()
    _sums(sheet, content)
    for line in content.foot:
        sheet.centred(line, "Mono", 28)
    if content.barcode:
        sheet.bars(rng)
    return sheet.cut()


def _sums(sheet: "_Till", content: Receipt) -> None:
    total = sum(cents for _, cents in content.goods)
    tax, share = content.taxes
    inside = content.currency == "EUR"
    if share:
        sheet.priced(tax, round(total * share), "Mono", 27)
    sheet.priced(f"TOTAL {content.currency}", total + (0 if inside else round(total * share)), "MonoBold", 42)
    sheet.y += 14


class _Till:
    """A paper strip that is printed from top to bottom."""

    def __init__(self, lines: int) -> None:
        self._image = Image.new("RGB", (_WIDTH, lines * _LEAD + 560), (246, 244, 240))
        self._draw = ImageDraw.Draw(self._image)
        self.y = 54

    def centred(self, text: str, weight: Weight, size: int) -> None:
        face = font(weight, size)
        self._draw.text(((_WIDTH - self._draw.textlength(text, font=face)) / 2, self.y), text, font=face, fill=_INK)
        self.y += int(size * 1.45)

    def priced(self, text: str, cents: int, weight: Weight, size: int) -> None:
        face, price = font(weight, size), f"{cents / 100:.2f}".replace(".", ",")
        self._draw.text((_MARGIN, self.y), text, font=face, fill=_INK)
        right = _WIDTH - _MARGIN - self._draw.textlength(price, font=face)
        self._draw.text((right, self.y), price, font=face, fill=_INK)
        self.y += int(size * 1.42)

    def rule(self) -> None:
        for x in range(_MARGIN, _WIDTH - _MARGIN, 16):
            self._draw.line((x, self.y + 16, x + 9, self.y + 16), fill=_INK, width=2)
        self.y += 38

    def bars(self, rng: Rng) -> None:
        x = _MARGIN + 90
        self.y += 22
        while x < _WIDTH - _MARGIN - 90:
            wide = int(rng.integers(2, 8))
            self._draw.rectangle((x, self.y, x + wide, self.y + 92), fill=_INK)
            x += wide + int(rng.integers(3, 8))
        self.y += 108

    def cut(self) -> Image.Image:
        return self._image.crop((0, 0, _WIDTH, min(self.y + 70, self._image.height)))
