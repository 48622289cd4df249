"""What premailer is known to get wrong: switched off, refused, or found afterwards.

The comments name the trap. Those about the theme's own style sheet are tested as what would
happen to it; ``test_theme.py`` sees to it that the theme keeps clear of them.
"""

import logging
import re
import socket
from pathlib import Path

import pytest
from lxml import html
from premailer.cache import cache
from press import opened, person, print_edition

from briefmail.edition import inline
from briefmail.edition.inline import END_MARK, inline_css
from briefmail.errors import BriefmailError, InputError

SOURCE = Path("issues/x.md")


def page(css: str, body: str, kept: str = "") -> str:
    ignored = f'<style data-premailer="ignore">{kept}</style>' if kept else ""
    return (
        '<!DOCTYPE html>\n<html lang="gd" dir="ltr"><head><meta charset="utf-8"><title>T</title>'
        f"<style>{css}</style>{ignored}</head><body>{body}\n{END_MARK}</body></html>"
    )


def inlined(css: str, body: str, kept: str = "") -> str:
    return inline_css(page(css, body, kept), SOURCE)


def style(css: str, body: str) -> str:
    """The style that the first element of the body gets."""
    tree = html.document_fromstring(inlined(css, body))
    return str(tree.find("body")[0].get("style", ""))


def test_important_is_kept_in_what_is_not_inlined() -> None:
    """Trap 1: without it, phone and dark rules lose to the inlined value."""
    kept = (
        "@media (max-width: 480px) { .p { font-size: 20px !important } }"
        " :root { color-scheme: light dark; --x: 1 } u + .body a { color: var(--x) }"
        " [data-ogsc] .p { color: #ffffff !important } @media (prefers-color-scheme: dark) {}"
    )
    result = inlined(".p { font-size: 17px }", '<p class="p">x</p>', kept)
    assert kept in result
    in_sheet = inlined("@media (max-width: 480px) { p { color: #ff0000 !important } }", "<p>x</p>")
    assert re.search(r"color:\s*#ff0000\s*!important", in_sheet)


def test_the_cascade_of_shorthand_and_longhand_is_wrong() -> None:
    """Trap 2: where one of them comes twice, an earlier one wins. The theme keeps them apart."""
    wrong = "p { margin: 0 } .b { margin-top: 20px } .c { margin: 0 }"
    assert style(wrong, '<p class="b c">x</p>') == "margin:0; margin-top:20px"
    right = "p { margin: 0 } .b { margin: 20px 0 0 } .c { margin: 0 }"
    assert style(right, '<p class="b c">x</p>') == "margin:0"


def test_important_in_the_inlined_sheet_loses_to_a_style_attribute() -> None:
    """Trap 3: so an issue cannot bring one (see below), and the theme uses none."""
    assert "green" in style("p { color: red !important }", '<p style="color:green">x</p>')


def test_of_a_pair_of_fallbacks_only_the_last_is_kept() -> None:
    """Trap 4; it does not become a width attribute either."""
    css = ".t { width: 600px; width: min(600px, 100%) }"
    result = inlined(css, '<table class="t"><tr><td>x</td></tr></table>')
    assert "600px; width" not in result
    assert " width=" not in result


def test_width_and_height_attributes_stay_as_they_were_written() -> None:
    """Trap 5: Outlook rejects width="auto"."""
    css = "img { width: auto; height: auto } table { width: calc(100% - 2px) }"
    result = inlined(css, '<img src="cid:x" width="536" height="300" alt="x"><table></table>')
    tree = html.document_fromstring(result)
    image, table = tree.find(".//img"), tree.find(".//table")
    assert (image.get("width"), image.get("height")) == ("536", "300")
    assert table.get("width") is None


@pytest.mark.parametrize(
    "block", ["<style>{}</style>", '<style data-premailer="ignore">{}</style>']
)
@pytest.mark.parametrize("rule", ["@import url('{}');", "@IMPORT '{}';"])
def test_an_import_is_refused_before_anything_is_fetched(block: str, rule: str) -> None:
    """Trap 6: it would be fetched over the network whatever it is told, and then dropped."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.css"
        sheet = block.format(rule.format(address))
        with pytest.raises(InputError) as caught:
            inline_css(page("", "<p>x</p>").replace("</head>", f"{sheet}</head>"), SOURCE)
        with pytest.raises(TimeoutError):
            server.accept()
    assert [problem.text for problem in caught.value.problems] == [
        "@import cannot be used in a mail's style sheet"
    ]


def test_a_linked_style_sheet_is_refused() -> None:
    """Trap 6 again, by another door."""
    link = '<link rel="stylesheet" href="https://example.org/x.css">'
    with pytest.raises(InputError, match="a linked style sheet cannot be used in a mail"):
        inline_css(page("", "<p>x</p>").replace("</head>", f"{link}</head>"), SOURCE)


def test_rules_that_cannot_be_inlined_are_safe_in_the_kept_block() -> None:
    """Trap 7: elsewhere @supports, @font-face and @keyframes are dropped without a word."""
    rules = "@supports (display: grid) { p { color: #010203 } } @font-face { font-family: X }"
    assert "@supports" not in inlined(rules, "<p>x</p>")
    assert rules in inlined("", "<p>x</p>", rules)
    left = inlined("td:nth-child(2) { color: #010203 }", "<table><tr><td>x</td></tr></table>")
    assert 'style="color' not in left


def test_modern_colours_are_no_use_in_the_inlined_sheet() -> None:
    """Trap 8: dropped or left unresolved, and nothing said; the theme has plain ones only."""
    assert style("p { color: rgb(0 0 0 / 50%); margin: 0 }", "<p>x</p>") == "margin:0"
    assert style("p { color: var(--x) }", "<p>x</p>") == "color:var(--x)"


def test_colours_keep_their_six_digits() -> None:
    """Trap 9: #112233 would become #123."""
    assert style("p { color: #112233; border: 1px solid #aabbcc }", "<p>x</p>") == (
        "color:#112233; border:1px solid #aabbcc"
    )


def test_nothing_is_logged_and_no_handler_is_left(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Trap 10: cssutils writes to standard error, and more with every call."""
    import cssutils

    inlined("", "<p>x</p>")
    handlers = len(logging.getLogger("CSSUTILS").handlers), len(cssutils.log._log.handlers)
    for _ in range(3):
        inlined("p { colour: red; width: calc(; } @foo { x }", "<p>x</p>")
    assert (
        len(logging.getLogger("CSSUTILS").handlers),
        len(cssutils.log._log.handlers),
    ) == handlers
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize("depth", [190, 300, 3000])
def test_what_is_nested_too_deeply_is_found(depth: int) -> None:
    """Trap 11: libxml2 drops what lies below 256 without a word."""
    body = "<div>" * depth + "x" + "</div>" * depth + "<p>end</p>"
    if depth < 200:
        assert "<p>end</p>" in inlined("", body)
    else:
        with pytest.raises(BriefmailError, match=r"x\.md: .* when the styles were inlined"):
            inlined("", body)


def test_an_issue_nested_too_deeply_is_refused_as_a_whole(tmp_path: Path) -> None:
    """Trap 11, from the editor's side: raw HTML, and quotes within quotes."""
    with pytest.raises(BriefmailError, match="elements are nested more than 200 deep"):
        print_edition(
            tmp_path, "<div>" * 300 + "x" + "</div>" * 300 + " [l](https://example.org/)\n"
        )


def test_a_block_in_a_link_is_refused(tmp_path: Path) -> None:
    """Trap 12: the table would stand beside an empty link."""
    body = '<a href="https://example.org/x"><table><tr><td>inside</td></tr></table></a>\n'
    with pytest.raises(InputError) as caught:
        print_edition(tmp_path, body)
    assert [problem.text for problem in caught.value.problems] == [
        "the link to https://example.org/x has no words; a block cannot stand inside a link"
    ]


def test_the_two_safe_forms_for_outlook_survive() -> None:
    """Trap 13: anything in them stays as it is; the third form would break."""
    for form in (
        '<!--[if mso]><table><tr><td width="600"><v:rect fill="x"><![endif]-->',
        "<!--[if !mso]><!-->x<!--<![endif]-->",
    ):
        assert form in inlined("td { color: #010203 }", f"<p>{form}</p>")


def test_characters_and_quotes_are_the_same_text_afterwards() -> None:
    """Trap 14: entities become characters, and quotes around attributes may change."""
    body = "<p title='\"&quot;&#39;'>&nbsp;&copy;&zwnj;&amp;&lt;</p>"
    tree = html.document_fromstring(inlined("p { font-family: \"A B\", 'C' }", body))
    paragraph = tree.find(".//p")
    assert paragraph.text == "\xa0©\u200c&<"
    assert paragraph.get("title") == '""\''
    assert re.fullmatch(r"font-family:(['\"])A B\1, (['\"])C\2", paragraph.get("style"))


@pytest.mark.parametrize("doctype", ["<!DOCTYPE html>", "<!doctype html>", ""])
def test_the_doctype_and_the_attributes_of_a_document_survive(doctype: str) -> None:
    """Trap 15: a lower-case doctype is lost on the way."""
    attributes = 'lang="gd" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml"'
    body = '<div role="article" aria-label="a" lang="gd">x</div>'
    document = (
        f"{doctype}<html {attributes}><head><title>T</title></head><body>{body}</body></html>"
    )
    result = inline_css(document, SOURCE)
    assert result.startswith("<!DOCTYPE html>\n")
    assert result.count("<!DOCTYPE") + result.count("<!doctype") == 1
    assert attributes in result
    assert body in result


def test_braces_are_left_alone() -> None:
    """Trap 16: the option that claims to protect them does not."""
    body = '<p>{{ x }}</p><a href="https://example.org/?a={b}">x</a>'
    assert "<p>{{ x }}</p>" in inlined("", body)


def test_a_crash_within_names_the_stage() -> None:
    """Trap 17: one cache for three functions; a style that is no style."""
    cache.clear()  # when it is full of what earlier tests used often, it keeps nothing new
    with pytest.raises(BriefmailError, match=r"the styles of x\.md could not be inlined") as caught:
        inlined("b { color: red }", '<b style="b">x</b>')
    assert caught.value.hint == "look at what changed last in templates/email/"


def test_an_issue_cannot_bring_a_style_attribute(tmp_path: Path) -> None:
    """Traps 3 and 17: it is taken out before."""
    edition = print_edition(tmp_path, '<b style="b">x</b> <p style="color:red!important">y</p>\n')
    assert "red" not in opened(edition.message_for(person())).html


def test_hover_is_not_written_into_a_style() -> None:
    """Trap 18: style="{..} :hover{..}" is no style."""
    result = inlined(
        "a { color: #010203 } a:hover { color: #040506 }", '<a href="https://x/">x</a>'
    )
    assert 'style="color:#010203"' in result
    assert "{" not in str(html.document_fromstring(result).find(".//a").get("style"))


def test_addresses_are_left_alone() -> None:
    """Trap 19: no base address is put before them."""
    body = (
        '<a href="bm00000000e0000x">a</a><a href="mailto:a@b.org?subject=x%20y">b</a>'
        '<a href="tel:+44">c</a><a href="#x">d</a><img src="cid:a@b" alt="x">'
    )
    tree = html.document_fromstring(inlined("", body))
    assert tree.xpath("//@href | //@src") == [
        "bm00000000e0000x", "mailto:a@b.org?subject=x%20y", "tel:+44", "#x", "cid:a@b",
    ]  # fmt: skip


def test_classes_stay_for_the_kept_rules() -> None:
    """Trap 20: without them, dark mode and phones have nothing to hold on to."""
    result = inlined(".p { color: #010203 }", '<p class="p">x</p>', ".p { color: #ffffff }")
    assert '<p class="p" style="color:#010203">' in result


def test_an_escaped_nul_is_reported_and_not_a_crash() -> None:
    """Trap 21."""
    try:
        result = inlined('p { font-family: "\\0" }', "<p>x</p>")
    except BriefmailError as error:
        assert "could not be inlined" in error.message  # noqa: PT017
    else:
        assert "\0" not in result


# --- found afterwards -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lose", "what"),
    [
        (("bm00000000e0000x", ""), "a merge field was lost or doubled"),
        (("bm00000000e0000x", "bm00000000e0000xbm00000000e0000x"), "a merge field was lost"),
        (("bm00000000e0000x", "bm00000000e0001x"), "a merge field was lost or doubled"),
        ((' href="https://example.org/"', ""), "a link was lost"),
        ((END_MARK, ""), "the end of the mail was lost"),
    ],
)
def test_what_is_lost_on_the_way_is_found(
    monkeypatch: pytest.MonkeyPatch, lose: tuple[str, str], what: str
) -> None:
    """Whoever does the inlining: slots, links and the end are counted before and after."""
    monkeypatch.setattr(inline, "_premailer", lambda page: page.replace(*lose))
    body = '<p>bm00000000e0000x</p><a href="https://example.org/">x</a>'
    with pytest.raises(BriefmailError, match=what) as caught:
        inlined("", body)
    assert caught.value.hint
    assert "not well nested" in caught.value.hint


def test_slots_survive_in_every_place() -> None:
    """Text, attributes, addresses, title, comments."""
    tokens = [f"bm00000000e{n:04}x" for n in range(9)]
    places = (
        '<p title="{}" lang="{}" aria-label="{}">{}</p><a href="{}">{}</a><!--{}-->'
        '<a href="https://example.org/{}/?q={}">x</a>'
    )
    result = inlined("p { color: #010203 }", places.format(*tokens))
    assert re.findall(r"bm00000000e\d{4}x", result) == tokens
