"""How long each step of the dialogue may take (RFC 5321 section 4.5.3.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait at each step, in seconds.

    The figures are the least that RFC 5321 section 4.5.3.2 allows. It gives none for making the
    connection or for the commands before MAIL, and nothing is lost by not waiting for QUIT. Each
    holds for a whole reply, however slowly its bytes come; ``block`` holds for each part of a
    message that the network takes.
    """

    connect: float = 30
    greeting: float = 300
    command: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5


PATIENCE = Timeouts()
"""What holds where nobody says otherwise."""
