"""Prompts become token ids, with a vocabulary small enough to do it by hand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference.restyling.diffusion.errors import RestylerMisconfigured
from inference.restyling.diffusion.latent_settings import parse_settings
from inference.restyling.prompts import BEGIN, END, PromptTokenizer, read_tokenizer, settings_table

TOKENS = ["!", "o", "i", "l", "l</w>", "oi", "oil</w>", "t</w>", "oi" + "l", ",</w>", "2</w>", "'s</w>", "é</w>"]
MERGES = [("o", "i"), ("oi", "l</w>"), ("'", "s</w>"), ("Ã", "©</w>")]
VOCABULARY = {token: number for number, token in enumerate([*TOKENS, BEGIN, END, "Ã©</w>"])}


@pytest.fixture
def tokenizer() -> PromptTokenizer:
    return PromptTokenizer(VOCABULARY, MERGES, "!")


def _words(tokenizer: PromptTokenizer, prompt: str) -> list[str]:
    names = {number: token for token, number in VOCABULARY.items()}
    ids = tokenizer.ids(prompt)
    assert len(ids) == 77
    assert ids[0] == VOCABULARY[BEGIN]
    end = ids.index(VOCABULARY[END])
    assert set(ids[end + 1 :]) <= {VOCABULARY["!"]}
    return [names[number] for number in ids[1:end]]


def test_pairs_are_joined_in_the_order_of_their_rank(tokenizer: PromptTokenizer) -> None:
    assert _words(tokenizer, "oil") == ["oil</w>"]
    assert _words(tokenizer, "oilt") == ["oi", "l", "t</w>"]
    assert _words(tokenizer, "oill") == ["oi", "l", "l</w>"]


def test_case_and_spaces_mean_nothing_and_marks_and_digits_stand_alone(tokenizer: PromptTokenizer) -> None:
    assert _words(tokenizer, "  OIL,\n oil22 ") == ["oil</w>", ",</w>", "oil</w>", "2</w>", "2</w>"]
    assert _words(tokenizer, "oil's") == ["oil</w>", "'s</w>"]


def test_letters_beyond_ascii_are_told_by_their_bytes(tokenizer: PromptTokenizer) -> None:
    assert _words(tokenizer, "é") == ["Ã©</w>"]


def test_a_prompt_that_is_too_long_is_refused(tokenizer: PromptTokenizer) -> None:
    assert len(_words(tokenizer, "oil " * 75)) == 75
    with pytest.raises(RestylerMisconfigured, match="76 tokens; shorten it to 75"):
        tokenizer.ids("oil " * 76)


def test_a_vocabulary_that_lacks_a_token_is_refused(tokenizer: PromptTokenizer) -> None:
    with pytest.raises(RestylerMisconfigured, match="no token 'z</w>'"):
        tokenizer.ids("z")


def _write(folder: Path) -> Path:
    (folder / "vocab.json").write_text(json.dumps(VOCABULARY), "utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES), ""]
    (folder / "merges.txt").write_text("\n".join(lines), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "!"}}), "utf-8")
    return folder


def test_a_tokenizers_files_and_a_table_of_prompts_make_the_settings(tmp_path: Path) -> None:
    wishes = {"sampler": "turbo", "styles": {"oil": "oil, oil", "two": "2"}}

    settings = parse_settings(settings_table(read_tokenizer(_write(tmp_path)), wishes))

    assert settings.styles == ("oil", "two")
    assert settings.input_ids[1][:4] == (VOCABULARY[BEGIN], VOCABULARY["2</w>"], VOCABULARY[END], VOCABULARY["!"])


@pytest.mark.parametrize("missing", ["vocab.json", "merges.txt", "tokenizer_config.json"])
def test_a_folder_that_is_no_tokenizer_is_refused(tmp_path: Path, missing: str) -> None:
    (_write(tmp_path) / missing).unlink()

    with pytest.raises(RestylerMisconfigured, match="no folder of a CLIP tokenizer"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"sampler": "turbo"}, r"table \[styles\]"),
        ({"sampler": "turbo", "styles": {"oil": 3}}, r"table \[styles\]"),
        ({"sampler": "euler", "styles": {"oil": "oil"}}, "choose one of turbo, lcm"),
    ],
)
def test_wishes_that_cannot_be_are_refused(tokenizer: PromptTokenizer, wishes: dict[str, object], words: str) -> None:
    with pytest.raises(RestylerMisconfigured, match=words):
        settings_table(tokenizer, wishes)


def test_the_program_prints_what_latent_json_holds(tmp_path: Path) -> None:
    (tmp_path / "styles.toml").write_text('sampler = "lcm"\n[styles]\noil = "oil"\n', "utf-8")
    arguments = [
        sys.executable,
        "-m",
        "inference.restyling.prompts",
        str(_write(tmp_path)),
        str(tmp_path / "styles.toml"),
    ]

    ended = subprocess.run(
        arguments, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=True
    )

    assert parse_settings(json.loads(ended.stdout)).sampler == "lcm"
