"""Finds the application that `module:app` or `path/to/file.py:app` names."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from durably.cli.failures import UsageError

if TYPE_CHECKING:
    from durably.app import App

__all__ = ["ImportFailed", "load"]

SHAPE = "write it as module:app or path/to/file.py:app"


class ImportFailed(UsageError):
    """The module of the application raised an error when it was imported."""


def load(target: str) -> App:
    """Import the application; UsageError says what there is instead."""
    from durably.app import App

    where, separator, attribute = target.rpartition(":")
    if not separator or not where or not attribute:
        raise UsageError(f"{target!r} names no application: {SHAPE}")
    module = _file(where) if where.endswith(".py") else _module(where)
    found = getattr(module, attribute, None)
    if not isinstance(found, App):
        raise UsageError(_instead(module, where, attribute, found))
    return found


def _instead(module: ModuleType, where: str, attribute: str, found: object) -> str:
    from durably.app import App

    apps = [name for name, value in vars(module).items() if isinstance(value, App)]
    what = (
        f"{where} has no attribute {attribute!r}"
        if found is None
        else f"{where}:{attribute} is a {type(found).__name__}, not an App"
    )
    if apps:
        return f"{what}; did you mean {', '.join(f'{where}:{name}' for name in apps)}?"
    return f'{what}; make one there: {attribute} = App("...")'


def _module(name: str) -> ModuleType:
    sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _failed(name, error) from error
        raise UsageError(
            f"there is no module {error.name!r}, neither in {os.getcwd()} nor installed: {SHAPE}"
        ) from error
    except Exception as error:
        raise _failed(name, error) from error


def _file(path: str) -> ModuleType:
    """The module of a file; its directory is where it imports its neighbours from."""
    file = Path(path).resolve()
    if not file.is_file():
        raise UsageError(f"there is no file {path}: {SHAPE}")
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _failed(path, error) from error
    return module


def _failed(name: str, error: Exception) -> ImportFailed:
    return ImportFailed(
        f"{name} cannot be imported: {_place(error)}{type(error).__name__}: {error}\n"
        "--debug shows the traceback"
    )


def _place(error: Exception) -> str:
    """The last line of the user's own that was running; '' when the error has none (a syntax error does)."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith("<frozen"):
            place = f"{file}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return place if "importlib" not in place else ""
