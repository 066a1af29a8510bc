"""Every example in a docstring is run."""

import doctest
import importlib

import pytest

from tests.tree import module, place, sources

WITH_EXAMPLES = [
    path for path in sources("engine", "mcp_server") if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", [module(path) for path in WITH_EXAMPLES])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


def test_there_are_examples() -> None:
    assert any(place(path).startswith("engine/core/") for path in WITH_EXAMPLES)
