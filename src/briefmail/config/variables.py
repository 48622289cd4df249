"""The variables of ``.env`` and of the environment, each with the place where it was set."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from briefmail.config.settings import SETTINGS
from briefmail.config.values import SECRET_VARIABLES
from briefmail.errors import Problem

# What briefmail reads: [smtp] under its own names, the secrets, and the key of the links to leave.
VARIABLES = (
    *(f"SMTP_{key.upper()}" for key in SETTINGS["smtp"]),
    *SECRET_VARIABLES,
    "BRIEFMAIL_SECRET",
    "BRIEFMAIL_DATABASE_URL",
)


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a variable, and where it was set."""

    value: str = field(repr=False)
    path: Path
    line: int | None = None


def read_env_file(path: Path, problems: list[Problem]) -> dict[str, Variable]:
    """Return what ``.env`` sets; nothing if there is no such file.

    A name that is nearly one of ours is a problem: a password under ``SMTP_PASWORD`` would leave
    the relay, or the sandbox, without one and say nothing.
    """
    # The parser alone, which interpolates nothing: a password with a $ in it is that password.
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        problems.append(Problem(path, None, "is not UTF-8; save it as UTF-8"))
        return {}
    except OSError as error:
        problems.append(Problem(path, None, f"cannot be read: {error.strerror}"))
        return {}
    variables: dict[str, Variable] = {}
    for binding in bindings:
        source = binding.original.string
        # A binding begins with the empty lines above it.
        line = binding.original.line + source[: -len(source.lstrip())].count("\n")
        if binding.error:
            text = "is not a line such as SMTP_HOST=smtp.example.org; is a quote left open?"
            problems.append(Problem(path, line, text))
        elif binding.key and (meant := _nearly_ours(binding.key)):
            text = f"{binding.key} is not a variable that briefmail reads; did you mean {meant}?"
            problems.append(Problem(path, line, text))
        elif binding.key and binding.value is not None:
            variables[binding.key] = Variable(binding.value, path, line)
    return variables


def _nearly_ours(name: str) -> str:
    """Return the variable that a misspelt one stands for; nothing for ours and for others'."""
    if name in VARIABLES:
        return ""
    close = difflib.get_close_matches(name.upper(), VARIABLES, n=1, cutoff=0.85)
    return close[0] if close else ""


def read_environment(environ: Mapping[str, str]) -> dict[str, Variable]:
    """Return the process environment's variables, misspelt ones as they are: others use it too."""
    return {name: Variable(value, Path("the environment")) for name, value in environ.items()}


def read_database_url(variables: Mapping[str, Variable], problems: list[Problem]) -> str:
    """Return where the memory is, "" for the folder; anything but PostgreSQL is a problem."""
    url = value_of(variables, "BRIEFMAIL_DATABASE_URL")
    if url and not is_database_url(url):
        where = variables["BRIEFMAIL_DATABASE_URL"]
        text = "BRIEFMAIL_DATABASE_URL is not an address such as postgresql://user@host/newsletter"
        problems.append(Problem(where.path, where.line, text))
    return url


def is_database_url(text: str) -> bool:
    """Whether a text looks like the address of a PostgreSQL database, as libpq has it."""
    return text.startswith(("postgresql://", "postgres://"))


def value_of(variables: Mapping[str, Variable], name: str) -> str:
    """Return what ``name`` is set to; an empty text if it is not."""
    return variables[name].value if name in variables else ""
