"""The look of an edition: the packaged theme, the folder's own templates over it, Jinja2.

A file ``templates/email/footer.html`` in the newsletter's folder takes the place of the packaged
one of the same name. Templates see what :class:`Page` documents. Recipients' values are not
there: where one belongs, a template writes a slot (``{{ slots.unsubscribe_url }}``), which is
filled for each recipient later.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from briefmail.config import Config
from briefmail.config import Theme as ThemeSettings
from briefmail.errors import InputError, Problem
from briefmail.issue import Content, Issue

TEMPLATES = "templates/email"
RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"}


@dataclass(frozen=True, slots=True)
class Words:
    """The theme's own words in one language, and its way of writing a date."""

    lang: str
    texts: Mapping[str, str]
    months: tuple[str, ...]
    date_format: str

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def date(self, day: dt.date) -> str:
        """Write a date as people write it: "24 August 2016"."""
        return self.date_format.format(day=day.day, month=self.months[day.month - 1], year=day.year)


@dataclass(frozen=True, slots=True)
class Page:
    """What ``page.html`` and everything that it includes can use.

    ``newsletter`` and ``theme`` are the toml's tables (colours and fonts with the theme's own
    in the place of those that are not set). ``issue`` has ``title``, ``date``, ``introduction``,
    ``sections`` and whatever else stands in the front matter. ``words`` are the texts of
    ``words/<lang>.toml``. ``slots`` are ``unsubscribe_url`` and ``email``. ``lang`` and ``dir``
    go on the page and on its wrapper. ``logo`` is an address for ``src``, or empty.
    """

    newsletter: Any
    issue: Mapping[str, Any]
    theme: Mapping[str, Any]
    words: Words
    slots: Mapping[str, str]
    lang: str
    dir: str
    preheader: str
    logo: str


class Theme:
    """The templates of one newsletter."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._own = config.root / TEMPLATES
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(
                [FileSystemLoader(self._own), PackageLoader("briefmail", TEMPLATES)]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["html"] = as_markup
        self._environment.filters["statements"] = statements

    def page(self, issue: Issue, slots: Mapping[str, str], preheader: str) -> str:
        """Render the whole mail as HTML, slots and tokens in it, styles not yet inlined."""
        lang = self._lang(issue)
        words = self.words(issue)
        page = Page(
            newsletter=self._config.newsletter,
            issue=self._issue(issue, words),
            theme=settings(self._config.theme, self._own),
            words=words,
            slots=slots,
            lang=lang,
            dir="rtl" if lang.split("-")[0].lower() in RIGHT_TO_LEFT else "ltr",
            preheader=preheader,
            logo=self._config.theme.logo,
        )
        return self.render("page.html", **{name: getattr(page, name) for name in page.__slots__})

    def words(self, issue: Issue) -> Words:
        """Return the theme's words in the language of an issue."""
        return load_words(self._lang(issue), self._own)

    def _lang(self, issue: Issue) -> str:
        return issue.lang or self._config.newsletter.lang

    def render(self, template: str, **values: Any) -> str:
        """Render one template. Raises :class:`InputError` with its file and line."""
        try:
            return self._environment.get_template(template).render(**values)
        except TemplateSyntaxError as error:
            path = Path(error.filename or self._own / (error.name or template))
            raise InputError([Problem(path, error.lineno, str(error.message))]) from error
        except (TemplateError, TypeError, ValueError) as error:
            raise InputError([_template_problem(error, self._own / template)]) from error

    def _issue(self, issue: Issue, words: Words) -> dict[str, Any]:
        return {
            **issue.extra,
            "title": issue.title,
            "subject": issue.subject,
            "date": words.date(issue.date) if issue.date else "",
            "introduction": issue.introduction,
            "sections": issue.sections,
            "stories": issue.stories,
            # With a story's own headline as the title, the title is not shown twice.
            "titled_by_story": any(story.level == 1 for story in issue.stories),
        }


def as_markup(content: Content) -> Markup:
    """Filter ``html``: the clean HTML of running text, for a template."""
    return Markup(content.html)  # noqa: S704 -- cleaned when the issue was read


def statements(tokens: tuple[str, ...]) -> Markup:
    """Filter ``statements``: the conditions around a story or section, as comments."""
    return Markup("".join(f"<!--{token}-->" for token in tokens))  # noqa: S704 -- our tokens


def settings(chosen: ThemeSettings, own: Path) -> dict[str, Any]:
    """The theme's settings: what the toml sets, over ``defaults.toml`` of the theme."""
    defaults = _toml("defaults.toml", own)
    values = {name: getattr(chosen, name) for name in chosen.__slots__}
    return {**values, **defaults, **{name: value for name, value in values.items() if value != ""}}


def load_words(lang: str, own: Path) -> Words:
    """The theme's words in ``lang``; English where it has none."""
    for candidate in (lang, lang.split("-", maxsplit=1)[0], "en"):
        try:
            table = _toml(f"words/{candidate.lower()}.toml", own)
        except FileNotFoundError:
            continue
        return Words(candidate, table["texts"], tuple(table["months"]), table["date"])
    raise AssertionError("the English words are packaged")


def _toml(name: str, own: Path) -> dict[str, Any]:
    """Read a toml of the theme, the folder's own before the packaged one."""
    if (own / name).exists():
        try:
            return tomllib.loads((own / name).read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError([Problem(own / name, None, f"is not TOML: {error}")]) from error
    packaged = resources.files("briefmail").joinpath(TEMPLATES).joinpath(name)
    return tomllib.loads(packaged.read_text("utf-8"))


def _template_problem(error: Exception, path: Path) -> Problem:
    """Find the line of a template that an error came through."""
    line, traceback = None, error.__traceback__
    while traceback:
        filename = traceback.tb_frame.f_code.co_filename
        if filename.endswith((".html", ".css")):
            path, line = Path(filename), traceback.tb_lineno
        traceback = traceback.tb_next
    return Problem(path, line, str(error))
