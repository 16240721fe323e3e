"""Markdown, formulas and code become HTML that can do nothing, whatever a model writes."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from evalkit.reports.pages.rich_text import ATTRIBUTES, HTML, LONGEST_TEXT, MATHML, rich
from evalkit.tests.support.hostile_text import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st


class Elements(HTMLParser):
    """All elements with the names of their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(html: str) -> None:
    for tag, attributes in Elements(html).found:
        assert tag in HTML | MATHML
        assert set(attributes) <= ATTRIBUTES.get(tag, set())


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**жирно** и `код`", "<p><strong>жирно</strong> и <code>код</code></p>"),
        ("# Заголовок", "<h5>Заголовок</h5>"),
        ("1. раз\n2. два", "<ol>\n<li>раз</li>\n<li>два</li>\n</ol>"),
        ("~~нет~~", "<p><s>нет</s></p>"),
        ("*a* [ссылка](https://example.org)", "<p><em>a</em> ссылка</p>"),
        ("*a* <b>сырой</b> &amp;", "<p><em>a</em> &lt;b&gt;сырой&lt;/b&gt; &amp;</p>"),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert rich(text) == html


def test_tables() -> None:
    assert "<td>2</td>" in (rich("| a | b |\n|---|---|\n| 1 | 2 |") or "")


@pytest.mark.parametrize(
    "text",
    ["Корень $\\sqrt{2}$.", "Корень \\(\\sqrt{2}\\).", "$$\\sqrt{2}$$", "\\[\n\\sqrt{2}\n\\]", "- $\\sqrt{2}$"],
)
def test_formulas_become_mathml(text: str) -> None:
    html = rich(text)
    assert html is not None
    assert "<msqrt>" in html
    assert "$" not in html


def test_a_formula_over_several_lines_is_no_list() -> None:
    html = rich("Итак\n\\[\nx = 1\n- 3\n\\]\nи всё.")
    assert html is not None
    assert "<li>" not in html
    assert html.count("<math") == 1


@pytest.mark.parametrize("text", ["*цена* $5 и $10", "*цена* 5$ и 10$", "*a* $ x $ b", "**одинокий $ знак**"])
def test_money_is_no_formula(text: str) -> None:
    assert "<math" not in (rich(text) or "")


@pytest.mark.parametrize("source", ["\\left(" * 100, "{" * 200, "\\frac{1", "\\def\\a{\\a}\\a", "x" * 2000])
def test_a_formula_that_cannot_be_read_stays_as_it_was_written(source: str) -> None:
    html = rich(f"*до* ${source}$ после")
    assert html is not None
    assert source in Elements(html).text or "<math" in html
    assert "после" in html


def test_code_is_coloured_and_text() -> None:
    html = rich("```python\ndef f(x): return '<b>'\n```")
    assert html is not None
    assert '<span class="k">def</span>' in html
    assert "&lt;b&gt;" in html
    assert rich("```nonsense-language\n<b>\n```") == "<pre><code>&lt;b&gt;\n</code></pre>"


@pytest.mark.parametrize(
    "text", ["Просто текст. И ещё.", "", "2 < 3, (а) и «б»", "*" * (LONGEST_TEXT + 1), "[" * 1000]
)
def test_what_gains_nothing_or_costs_too_much_is_left(text: str) -> None:
    assert rich(text) is None


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_harmless(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        return  # never reaches a report: a run's file is UTF-8
    for wrapped in (
        text,
        f"*x* {text}",
        f"$\\text{{{text}}}$",
        f"$\\href{{{text}}}{{x}}$",
        f"```python\n{text}\n```",
        f"```{text}\nx\n```",
        f"[x]({text})",
        f"![{text}]({text})",
        f"|{text}|\n|-|\n|{text}|",
    ):
        html = rich(wrapped)
        if html is not None:
            assert_harmless(html)


PIECES = st.sampled_from(
    [
        "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\text{", "\\href{", "}", "{", "\\\\", "\\frac",
        "\\begin{matrix}", "\\end{matrix}", "<script>", "</script>", "<img src=x onerror=a>", "<!--", "-->",
        "<math>", "</math>", "<mtext>", "<style>", "javascript:a", "&lt;", "&#x3c;script&#x3e;", "`", "```",
        "\n", "\n\n", "**", "_", "|", "- ", "> ", "# ", "[", "](", ")", "x", " ", "ж",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_text_becomes_anything_but_what_is_listed(text: str) -> None:
    html = rich(text)
    if html is not None:
        assert_harmless(html)
        assert html == rich(text)
