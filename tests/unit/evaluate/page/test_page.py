"""The file that people read: whole, closed, escaped, and with nothing from outside."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.evaluate.page.demo import CHINESE, EVIL, chapter, demo_page
from vitrine.errors import InvalidInput
from vitrine_export.evaluate.page import Chapter, Page, People, Standing, Thing, write_page
from vitrine_export.evaluate.page.document import page

_VOID = {"meta", "br", "hr", "col", "img", "input", "link"}


class Read(HTMLParser):
    """What a page holds, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "closed by the end"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "out" / "report.html"
    write_page(path, demo_page())
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def read(text: str) -> Read:
    return Read(text)


def test_every_element_is_closed_and_every_link_leads_somewhere(read: Read) -> None:
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in read.named("a")]
    assert len(links) > 10
    assert all(link and link.startswith("#") and link[1:] in ids for link in links)


def test_nothing_comes_from_outside(text: str, read: Read) -> None:
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in read.tags}
    for tag, attributes in read.tags:
        assert not {"src", "srcset", "action", "data", "xlink:href"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert "//" not in " ".join(v or "" for v in attributes.values()), tag
    assert not re.search(r"url\(|@import|@font-face", text)
    (policy,) = [m["content"] for m in read.named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_titles_are_text_whatever_they_hold(text: str, read: Read) -> None:
    assert "<script" not in text
    assert EVIL in "".join(read.words), "…and are there as they were"
    chinese = [a for tag, a in read.tags if tag == "span" and a.get("lang") == "zh"]
    assert chinese, "set in a Chinese face"
    assert text.count(CHINESE) > 10
    spoilt = Chapter("half a pair \ud800 and \x07 a bell", "sessions", "quotes \" and ' and &")
    whole = page(Page("x", [spoilt, spoilt]))
    assert "\x07" not in whole
    whole.encode()
    Read(whole)


def test_what_is_not_there_is_left_out_with_a_sentence(text: str) -> None:
    full, little, nothing = (part.split("<h3>How it was measured")[0] for part in text.split("<h2>")[1:])
    assert "Left out" not in full
    told = re.search(r"Left out, as there is nothing to show: ([^<]*)", little)
    assert told
    assert told[1] == "curves by k, history and popularity; learning curves; shoppers with their windows."
    assert "<figure>" not in little
    assert "Nothing was measured." in nothing
    assert "curves by k, history and popularity (there are no queries)" in nothing
    assert "<table" not in nothing


def test_the_pipeline_is_marked_the_best_is_bold_and_published_figures_are_cited(text: str) -> None:
    first = text.split('class="rank"')[1].split("</table>", maxsplit=1)[0]
    rows = first.split("<tr")[2:]
    mine = [row for row in rows if 'class="pipeline mine"' in row]
    assert len(mine) == 1
    assert mine[0].count('class="best"') == 2
    assert first.count('class="best"') == 2
    published = [row for row in rows if 'class="published"' in row]
    assert len(published) == 2
    assert all("SIGIR, table 2" in row for row in published)
    assert "SimpleX &lt;2021&gt;" in first
    values = [float(v) for v in re.findall(r'class="value"[^>]*><span[^>]*>([0-9.]+)<', first)[::2]]
    assert values[0] == max(values)


def test_a_figure_that_nobody_knows_is_a_dash_and_not_the_best() -> None:
    full = chapter()
    nan = Standing(
        "all",
        0,
        [replace(e, values={"recall@20": float("nan")}) for e in full.standings[0].entries],
        ["recall@20"],
    )
    whole = page(Page("x", [replace(full, standings=[nan])]))
    Read(whole)
    table = whole.split('class="rank"')[1].split("</table>", maxsplit=1)[0]
    assert "nan" not in table
    assert 'class="best"' not in table


def test_a_full_chapter_with_long_windows_stays_small() -> None:
    full = chapter()
    assert full.people is not None
    long = Thing("i" * 40, "a rather long title of an item that is in many windows " * 2)
    shoppers = [
        replace(one, window=[replace(one.window[0], thing=long)] * 30, history=[long] * 20, took=[long] * 100)
        for one in full.people.shoppers
    ]
    whole = page(Page("x", [replace(full, people=replace(full.people, shoppers=shoppers))] * 4))
    assert len(whole.encode()) < 1_500_000


def test_two_pages_of_the_same_are_the_same(text: str) -> None:
    assert page(demo_page()) == text


def test_a_page_that_cannot_be_written_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot write"):
        write_page(tmp_path / "file" / "report.html", Page("x", []))


def test_a_window_is_shown_as_far_as_something_was_taken_and_folded_behind() -> None:
    full = chapter()
    assert full.people is not None
    one = full.people.shoppers[0]
    offers = [
        replace(one.window[0], thing=Thing(f"n{i}", f"number {i}"), taken=i in {3, 14}) for i in range(20)
    ]
    text = page(Page("x", [Chapter("a", "b", "c", people=People([replace(one, window=offers)]))]))
    before, behind = text.split("5 more</summary>")
    assert ">number 14<" in before
    assert ">number 15<" not in before
    assert "counter-reset:place 15" in behind
    long = replace(one, window=[replace(one.window[0], thing=Thing("n", "word " * 60))])
    text = page(Page("x", [Chapter("a", "b", "c", people=People([long]))]))
    assert text.count("word " * 50) == 1, "all of it only under the pointer"
