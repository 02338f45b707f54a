"""Writer of `ROLL.md`: what the roll is, and for each file whose picture it is made of."""

from collections.abc import Iterable
from typing import Final

from deploy.samples.credits import DRAWN, catalogue
from deploy.samples.manifest import Manifest, RollFile
from deploy.samples.metadata import MARK

LINKS: Final = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
}
_HEAD: Final = """# {mark}

These pictures are not anybody's camera roll. They are freely licensed pictures and drawings, given the names, times,
places and flaws that a phone's pictures have. No phone, person or event of that kind exists.

Every picture was cropped and scaled, and its light, colour and grain were changed; some were turned or blurred on
purpose. Each file stays under the licence of the picture that it is made of; a collage made of them keeps those
licences, so pass this list on with it.
"""
_MISSING: Final = """
The pictures of {packages} could not be had when this roll was made, so that it is smaller than it could be.
"""
_COLUMNS: Final = "\n| file | kind | picture | author | licence | from |\n| --- | --- | --- | --- | --- | --- |\n"


def notice(manifest: Manifest) -> str:
    """Return the text of `ROLL.md`."""
    parts = [_HEAD.format(mark=MARK)]
    if manifest.missing_packages:
        parts.append(_MISSING.format(packages=" and ".join(manifest.missing_packages)))
    parts.append(_COLUMNS)
    parts += [_row(row) for row in manifest.files]
    parts.append("\nLicences:\n\n")
    parts += [f"- {name}: {LINKS[name]}\n" for name in sorted(_licences(manifest.files) & LINKS.keys())]
    return "".join(parts)


def _licences(rows: Iterable[RollFile]) -> set[str]:
    return {catalogue()[row.source].licence for row in rows if row.source}


def _row(row: RollFile) -> str:
    credit = catalogue()[row.source] if row.source else DRAWN
    before = f"; {credit.changed_before} by {credit.package}" if credit.changed_before else ""
    cells = (row.file, row.kind, credit.title, credit.author, credit.licence, f"{credit.origin}{before}")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
