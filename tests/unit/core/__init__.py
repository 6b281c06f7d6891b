"""The decisions of `durably.core`: no database, no loop, milliseconds."""
