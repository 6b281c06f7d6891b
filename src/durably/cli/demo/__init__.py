"""`durably demo`: a worker is killed in the middle of its work, and another goes on where it stopped.

ticket_authority   the application that the workers run; worth reading as an example
purchases          what the client knows of it: a declaration, and what is bought
story              what happens, in order
worker, journal    the worker process; the side file in which step bodies note that they ran
evidence, claims   what the database says afterwards, and what must be true of it
display, command   what is seen of it; the command itself
"""

from __future__ import annotations

from durably.cli.demo.command import app

__all__ = ["app"]
