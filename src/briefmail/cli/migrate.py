"""``briefmail migrate-to``."""

import click

from briefmail.cli import output
from briefmail.cli.context import Settings


@click.command("migrate-to")
@click.argument("url")
@click.pass_obj
def migrate_to(settings: Settings, url: str) -> None:
    """Copy the newsletter's memory to the empty PostgreSQL database at URL.

    Every row is held against the original. From then on BRIEFMAIL_DATABASE_URL=URL in .env makes
    several machines send one issue together. A password is better kept in ~/.pgpass than in URL.
    """
    done = settings.newsletter().migrate_to(url)
    for table, rows in done.rows.items():
        if rows:
            output.result(f"{rows:,} rows of {table} copied, and the same there")
    output.note("now set BRIEFMAIL_DATABASE_URL to that address in .env, on each machine")
    output.note("the file .briefmail/store.sqlite3 is as it was: keep it, and do not send from it")
