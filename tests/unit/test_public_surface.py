"""The names that users may import: listed, present, and not more."""

from __future__ import annotations

import importlib
import subprocess
import sys
from inspect import isclass, isroutine
from types import ModuleType

import pytest

from durably import errors

MODULES = ["durably", "durably.errors", "durably.types"]
HEAVY = {"sqlalchemy", "asyncpg", "pydantic", "attrs", "typer", "rich", "starlette", "cryptography", "dbos"}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def test_all_names_exist_once(module: ModuleType) -> None:
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_everything_public_is_documented(module: ModuleType) -> None:
    public = {name: getattr(module, name) for name in module.__all__}
    documentable = {name: value for name, value in public.items() if isroutine(value) or isclass(value)}
    assert [name for name, value in documentable.items() if not (value.__doc__ or "").strip()] == []


def test_every_error_is_in_the_tree() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    interruptions = [error.__name__ for error in classes if not issubclass(error, errors.DurablyError)]
    assert interruptions == ["ArgumentsIgnored", "ContinueAsNew", "RunInterrupted"]


def test_importing_durably_imports_no_friend_of_users() -> None:
    program = "import sys, durably; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
