"""Prompts of a latent model's styles, turned into the token ids that `latent.json` holds.

    python -m inference.restyling.prompts TOKENIZER STYLES > latent.json

TOKENIZER is the folder that comes with the model (`vocab.json`, `merges.txt`, `tokenizer_config.json`); STYLES is a
TOML file with `sampler`, if need be `prediction` and `scaling_factor`, and a table `[styles]` of name = "prompt". It is
run once, by hand: the server needs no tokenizer.
Source: byte pairs as CLIP uses them (Radford et al., Learning Transferable Visual Models From Natural Language
Supervision, ICML 2021).
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from inference.restyling.diffusion.errors import RestylerMisconfigured
from inference.restyling.diffusion.latent_settings import PROMPT_LENGTH, parse_settings

BEGIN: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
_WORD: Final = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
_END_OF_WORD: Final = "</w>"


class PromptTokenizer:
    """Tells the token ids of prompts.

    Args:
        vocabulary: token -> id.
        merges: pairs of tokens that become one, the most frequent first.
        padding: the token that fills up short prompts.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: list[tuple[str, str]], padding: str) -> None:
        self._ids = vocabulary
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._padding = padding
        self._letters = _letters_of_bytes()

    def ids(self, prompt: str) -> list[int]:
        """Return 77 token ids.

        Raises:
            RestylerMisconfigured: the prompt is too long, or the vocabulary lacks a token.
        """
        tokens = [BEGIN, *self._tokens(prompt), END]
        if len(tokens) > PROMPT_LENGTH:
            raise RestylerMisconfigured(
                f"the prompt has {len(tokens) - 2} tokens; shorten it to {PROMPT_LENGTH - 2}", field="styles"
            )
        tokens += [self._padding] * (PROMPT_LENGTH - len(tokens))
        missing = next((token for token in tokens if token not in self._ids), None)
        if missing is not None:
            raise RestylerMisconfigured(f"vocab.json has no token {missing!r}", field="vocab.json")
        return [self._ids[token] for token in tokens]

    def _tokens(self, prompt: str) -> Iterator[str]:
        for word in _WORD.findall(prompt.lower()):
            letters = [self._letters[byte] for byte in word.encode()]
            yield from self._merged([*letters[:-1], letters[-1] + _END_OF_WORD])

    def _merged(self, parts: list[str]) -> list[str]:
        """Join the most frequent pair everywhere, again and again."""
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            parts = _joined(parts, best)
        return parts


def read_tokenizer(folder: Path) -> PromptTokenizer:
    """Read a tokenizer's files.

    Raises:
        RestylerMisconfigured: one is missing or unreadable.
    """
    try:
        vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
        lines = (folder / "merges.txt").read_text("utf-8").splitlines()
        padding = json.loads((folder / "tokenizer_config.json").read_text("utf-8")).get("pad_token", END)
    except (OSError, ValueError) as error:
        raise RestylerMisconfigured(f"{folder} is no folder of a CLIP tokenizer: {error}", field=str(folder)) from error
    merges = [(first, second) for first, _, second in (line.partition(" ") for line in lines[1:]) if second]
    return PromptTokenizer(vocabulary, merges, padding["content"] if isinstance(padding, dict) else padding)


def settings_table(tokenizer: PromptTokenizer, wishes: Mapping[str, object]) -> dict[str, object]:
    """Return what `latent.json` has to hold.

    Args:
        tokenizer: of the model.
        wishes: the settings, with `styles` as name -> prompt.

    Raises:
        RestylerMisconfigured: a setting cannot be.
    """
    prompts = wishes.get("styles")
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str) for prompt in prompts.values()):
        raise RestylerMisconfigured('give a table [styles] with name = "prompt"', field="styles")
    styles = [{"name": name, "input_ids": tokenizer.ids(prompt)} for name, prompt in prompts.items()]
    table = {**wishes, "styles": styles}
    parse_settings(table)
    return table


def _joined(parts: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _letters_of_bytes() -> dict[int, str]:
    """Return the printable letter that stands for each byte: itself, or one above 255 for those that do not print."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + index) for index, byte in enumerate(others)}


def _main(tokenizer: Path, styles: Path) -> int:
    try:
        table = settings_table(read_tokenizer(tokenizer), tomllib.loads(styles.read_text("utf-8")))
    except (RestylerMisconfigured, OSError, tomllib.TOMLDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(table) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2])))
