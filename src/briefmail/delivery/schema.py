"""The tables of this room: editions and their people, what went out, and the mark."""

from collections.abc import Sequence

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE edition (
        id          TEXT PRIMARY KEY,           -- the slug of the issue, else the stem of its file
        subject     TEXT NOT NULL,
        issue_date  TEXT,
        fingerprint TEXT NOT NULL,
        roll        INTEGER NOT NULL DEFAULT 0, -- the number of the latest roll call
        opened_at   TEXT NOT NULL,
        closed_at   TEXT,
        copied_at   TEXT,                       -- when the editor's copy was handed over
        -- The settled who were taken up again: with it the number of people ever settled never
        -- falls, as it does when a ledger is lost.
        reopened    INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE delivery (
        edition    TEXT NOT NULL REFERENCES edition (id),
        key        TEXT NOT NULL,               -- the normalised address, once in an edition
        address    TEXT NOT NULL,
        name       TEXT NOT NULL,
        fields     TEXT NOT NULL,               -- JSON, emptied when the edition closes
        line       INTEGER NOT NULL,            -- in the list of the latest roll call
        roll       INTEGER NOT NULL,            -- the latest roll call that named the person
        tried      INTEGER NOT NULL DEFAULT 0,  -- the latest roll call whose run decided on it
        state      TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
                   ('pending', 'reserved', 'claimed', 'sent', 'deferred', 'refused', 'uncertain',
                    'by_hand')),
        code       INTEGER,                     -- of the reply that decided, as status and text
        status     TEXT NOT NULL DEFAULT '',
        text       TEXT NOT NULL DEFAULT '',
        reason     TEXT NOT NULL DEFAULT '',
        message_id TEXT NOT NULL DEFAULT '',
        updated_at TEXT NOT NULL,
        PRIMARY KEY (edition, key)
    ) STRICT;
    -- Only who can be reserved is looked for by state while a run is at work. An index of
    -- everybody would be rewritten by every claim and every outcome.
    CREATE INDEX delivery_open ON delivery (edition, state, roll, tried)
        WHERE state IN ('pending', 'deferred')
    """,
    """
    CREATE TABLE frozen (
        edition     TEXT NOT NULL REFERENCES edition (id),
        fingerprint TEXT NOT NULL,
        relay       TEXT NOT NULL,              -- the host that it went to
        subject     TEXT NOT NULL,              -- the rendered source, for a difference
        html        TEXT NOT NULL,
        text        TEXT NOT NULL,
        audience    INTEGER,                    -- of the whole default list, if that was sent to
        sent_at     TEXT NOT NULL,              -- when the latest send of this version began
        PRIMARY KEY (edition, fingerprint)
    ) STRICT;
    CREATE TABLE mark (generation INTEGER NOT NULL) STRICT;
    INSERT INTO mark VALUES (0)
    """,
    # SQLite cannot change a CHECK, so the table is made anew, with its rowids: the list's order.
    """
    ALTER TABLE edition ADD COLUMN open_since TEXT; -- when it was opened, or opened again, last
    ALTER TABLE edition ADD COLUMN corrects TEXT;   -- the edition whose readers alone get this one
    UPDATE edition SET open_since = opened_at;
    CREATE TABLE delivery_anew (
        edition     TEXT NOT NULL REFERENCES edition (id),
        key         TEXT NOT NULL,
        address     TEXT NOT NULL,
        name        TEXT NOT NULL,
        fields      TEXT NOT NULL,
        line        INTEGER NOT NULL,
        roll        INTEGER NOT NULL,
        tried       INTEGER NOT NULL DEFAULT 0,
        state       TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
                    ('pending', 'reserved', 'claimed', 'sent', 'deferred', 'refused', 'uncertain',
                     'expired', 'by_hand')),
        code        INTEGER,
        status      TEXT NOT NULL DEFAULT '',
        text        TEXT NOT NULL DEFAULT '',
        reason      TEXT NOT NULL DEFAULT '',
        message_id  TEXT NOT NULL DEFAULT '',
        updated_at  TEXT NOT NULL,
        -- On the clock of the run that deferred the person, which means nothing to another run:
        -- since when it has, and when it tries again, NULL if it does not.
        waits_since REAL,
        due         REAL,
        PRIMARY KEY (edition, key)
    ) STRICT;
    INSERT INTO delivery_anew (rowid, edition, key, address, name, fields, line, roll, tried, state,
        code, status, text, reason, message_id, updated_at)
    SELECT rowid, edition, key, address, name, fields, line, roll, tried, state,
        code, status, text, reason, message_id, updated_at FROM delivery ORDER BY rowid;
    DROP TABLE delivery;
    ALTER TABLE delivery_anew RENAME TO delivery;
    CREATE INDEX delivery_open ON delivery (edition, state, roll, tried)
        WHERE state IN ('pending', 'deferred');
    CREATE INDEX delivery_due ON delivery (edition, tried, due)
        WHERE state = 'deferred' AND due IS NOT NULL
    """,
    # The worker that took a person in hand last: a row of its table, or 0 for one that is alone.
    """
    ALTER TABLE delivery ADD COLUMN worker INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE worker (
        edition     TEXT NOT NULL REFERENCES edition (id),
        name        TEXT NOT NULL,              -- the machine and the folder
        whom        TEXT NOT NULL,              -- for whom its send is, as the editor put it
        began_at    TEXT NOT NULL,
        ended_at    TEXT,                       -- by itself, or by whoever found it dead
        lease_until REAL NOT NULL,              -- seconds since 1970 by the server's clock
        session     TEXT NOT NULL               -- with the server
    ) STRICT
    """,
)
