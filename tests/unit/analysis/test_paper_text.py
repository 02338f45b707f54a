import pytest

from services.analysis.domain.paper_text import paper_text, say_the_same

LETTER = ("Swimming club, spring term", "Certificate for Anna Berg", "50 m in 0:58,3", "Thank you!")


def same(*lines: str) -> bool:
    one, other = paper_text(LETTER), paper_text(lines)
    assert say_the_same(one, other) == say_the_same(other, one)
    return say_the_same(one, other)


def test_a_paper_says_the_same_as_itself() -> None:
    assert same(*LETTER)


@pytest.mark.parametrize(
    "lines",
    [
        ("SWIMMING CLUB spring term", "Certificate for Anna Berg", "50 m in 0:58.3", "Thank you"),
        ("Swimming club, spring term", "Certificate for Anna Berg 50 m in 0:58,3", "Thankyou!"),
        ("Swimmlng club, spring term", "Certificat for Anna Berg", "50 m in 0:58,3", "Thank you!"),
        ("Thank you!", "Swimming club, spring term", "50 m in 0:58,3", "Certificate for Anna Berg"),
        ("Swimming club, spring term", "Certificate for Ànna Berg", "50 m in 0:58,3", "Thank you!"),
    ],
    ids=["case and stops", "lost breaks and blanks", "misread letters", "another order", "accents"],
)
def test_what_the_reader_mistakes_is_no_difference(lines: tuple[str, ...]) -> None:
    assert same(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ("Swimming club, spring term", "Certificate for Emma Berg", "50 m in 0:58,3", "Thank you!"),
        ("Swimming club, spring term", "Certificate for Anne Berg", "50 m in 0:58,3", "Thank you!"),
        ("Swimming club, spring term", "Certificate for Anna Berg", "50 m in 0:53,8", "Thank you!"),
        ("Swimming club, spring term", "Certificate for Anna Berg", "50 m in 0:58,3"),
        ("Swimming club, autumn term", "Certificate for Anna Berg", "50 m in 0:58,3", "Thank you!"),
        (),
    ],
    ids=["another name", "another letter", "another time", "a line less", "another term", "nothing"],
)
def test_another_name_or_figure_is_another_paper(lines: tuple[str, ...]) -> None:
    assert not same(*lines)


def test_of_two_papers_on_which_nothing_was_read_it_is_not_known() -> None:
    assert not say_the_same(paper_text(()), paper_text(("", " - ")))


def test_a_blank_between_figures_may_be_lost() -> None:
    assert say_the_same(paper_text(("14/11/2026 18:06", "Milk 1L")), paper_text(("14/11/202618:06", "Milk1L")))
    assert not say_the_same(paper_text(("14/11/2026 18:06",)), paper_text(("14/11/202619:06",)))


def test_figures_of_every_script_and_amounts_within_words_count() -> None:
    assert not say_the_same(paper_text(("Gate B12",)), paper_text(("Gate B21",)))
    assert not say_the_same(paper_text(("合計 100円",)), paper_text(("合計 900円",)))
