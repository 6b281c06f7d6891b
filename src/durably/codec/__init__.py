"""Values to text and back: what stands in the columns of the system database.

    value ---> JSON              the quick way, for plain values                        fast.py
    value ---> JSON              the exact way: typed values, the path to what is not   reduce.py, record.py
    text  ---> plain ---> typed  by the annotation of the parameter or the result       text.py, typed.py
    arguments                    Parameters, made once per function                     signature.py
    errors                       Failure: name, message, code, data                     failure.py

Three formats (`PortableJSON`, `SuperJSON`, `Pickle`) behind one protocol (`Codec`); `Codecs` picks by the
name in the row and knows what may be read here.

Invariants: what is encoded is equal when it is decoded to the same annotation, or refused before anything is
written; no text, however hostile, raises anything but `DecodeError`; nothing executable is decoded unless
the user named `py_pickle` (of a scheduled run's pickle, plain values are read without running it: plain.py).

Imports durably.errors, msgspec and the standard library; no asyncio, no threads, no other part of durably.
"""

from __future__ import annotations

from durably.codec.attributes import attributes_text
from durably.codec.compare import same_arguments
from durably.codec.failure import visible_errors
from durably.codec.pickled import Pickle
from durably.codec.plain import encode_scheduled, encode_scheduled_arguments
from durably.codec.portable import PortableJSON
from durably.codec.protocol import Codec
from durably.codec.registry import Codecs
from durably.codec.signature import Parameters
from durably.codec.size import fitting
from durably.codec.superjson import SuperJSON

__all__ = [
    "Codec",
    "Codecs",
    "Parameters",
    "Pickle",
    "PortableJSON",
    "SuperJSON",
    "attributes_text",
    "encode_scheduled",
    "encode_scheduled_arguments",
    "fitting",
    "same_arguments",
    "visible_errors",
]
