"""Requirements and tests, held together both ways."""

import ast
from collections import Counter
from collections.abc import Iterator

from tests.requirements import REQUIREMENTS
from tests.tree import place, sources, syntax


def _claims() -> Iterator[tuple[str, str]]:
    """Each id that a test names, and where."""
    for path in sources("tests"):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{place(path)}:{node.lineno}"
                    yield str(argument.value), f"{place(path)}:{node.lineno}"


def test_ids_are_unique() -> None:
    assert [one for one, times in Counter(r.id for r in REQUIREMENTS).items() if times > 1] == []


def test_every_requirement_is_proved_by_a_test() -> None:
    proved = {name for name, _ in _claims()}
    assert [r.id for r in REQUIREMENTS if r.id not in proved] == []


def test_every_test_that_names_a_requirement_names_a_known_one() -> None:
    known = {r.id for r in REQUIREMENTS}
    assert [f"{at} {name}" for name, at in _claims() if name not in known] == []
