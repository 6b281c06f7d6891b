"""Decisions: plain functions on frozen data, with `now` passed in. No I/O, no asyncio, no clock, no logging.

May import only errors, types and config.
"""
