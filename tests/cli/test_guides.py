"""What the guides claim, held against the code that decides it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from engine.core.asks import MOST_EXACT
from engine.core.definition import Catalogue, parse_documents
from engine.core.documents import policies
from engine.core.errors import RETRYABLE, Failure, Kind, Move
from engine.core.ledger import VERDICTS
from engine.core.model import Effect, ForEach
from engine.core.reading import usual_retry
from engine.core.reconcile import BACKOFF
from engine.core.retry import SECOND, RetryPolicy
from engine.core.state import UNRESOLVED
from engine.core.status import MOVES, OUTCOMES, RETRYABLE_BY_HAND, TERMINAL, Status
from engine.core.version import VersionClash, next_version
from engine.shell.load import load_folder
from mcp_server.cli.root import COMMANDS, handrail
from mcp_server.cli.session import Session
from tests.tree import ROOT

GUIDES = ROOT / "docs" / "guides"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(GUIDES.glob("*.md"))}
FLAKY = Failure(Kind.TRANSIENT, "busy", "busy")


def _rows(page: str, columns: int) -> list[list[str]]:
    """The rows of the page's tables with so many columns, without their headings."""
    lines = [line for line in PAGES[page].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == columns and row[0] != "---"][1:]


def _yaml(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGES[page], re.DOTALL)


def test_there_is_a_guide_for_each_promise() -> None:
    assert list(PAGES) == ["errors", "mutations", "parallel-work", "retries", "versions"]


def test_the_states_and_words_of_a_mutation_are_those_of_the_ledger() -> None:
    told = {row[0].strip("`") for row in _rows("mutations", 2)}
    words = {verdict.replace("_", " ") for verdict in VERDICTS}
    states = UNRESOLVED | {"done", "failed"}
    assert told - {"word"} == states | words
    assert (
        f"up to {('zero', 'one', 'two', 'three', 'four', 'five')[len(BACKOFF)]} times"
        in PAGES["mutations"]
    )
    assert f"more than {MOST_EXACT} of them" in PAGES["mutations"]


def test_the_table_of_kinds_is_the_one_that_decides() -> None:
    told = {row[0].strip("`"): (row[2], row[3].strip("`")) for row in _rows("errors", 4)}
    assert told == {
        kind.value: ("yes" if kind in RETRYABLE else "no", OUTCOMES[kind].value) for kind in Kind
    }


NAMES = dict(re.findall(r'state "([^"]+)" as (\w+)', PAGES["errors"]))
ARROWS = re.findall(r"^ +(\S+) --> (\S+?)(?::|$) ?(.*)$", PAGES["errors"], re.MULTILINE)


def test_the_retry_flow_has_exactly_the_states_of_a_run() -> None:
    assert set(NAMES) - {"a new run (retry of this one)"} == {status.value for status in Status}
    known = {*NAMES.values(), "[*]"}
    assert {end for start, stop, _ in ARROWS for end in (start, stop)} == known


@pytest.mark.requirement("whose-move")
@pytest.mark.parametrize("status", Status)
def test_every_state_is_left_by_whoever_moves_it_on_or_is_the_end(status: Status) -> None:
    ways = [(stop, said) for start, stop, said in ARROWS if start == NAMES[status.value]]
    retried = "new_run" in [stop for stop, _ in ways]
    assert retried == (status in RETRYABLE_BY_HAND)
    if status in TERMINAL:
        assert {stop for stop, _ in ways} <= {"[*]", "new_run"}
    elif status is not Status.ACTIVE:
        assert all(said.startswith(MOVES[status][0].value) for _, said in ways)
    assert ways


def test_the_table_of_delays_is_computed_by_the_policy() -> None:
    policy = RetryPolicy(jitter=0)
    waits = [0, *(policy.delay(n, FLAKY, 0.5, 0) for n in range(1, policy.attempts))]
    assert policy.delay(policy.attempts, FLAKY, 0.5, 0) is None
    assert [row[1] for row in _rows("retries", 2)] == [
        f"{wait // 1_000} ms" for wait in waits if wait is not None
    ]
    assert usual_retry(Effect.MUTATION).attempts == 1
    assert usual_retry(Effect.READ) == RetryPolicy()


def test_the_guide_to_retries_names_every_field_of_a_policy_and_every_kind() -> None:
    assert all(re.search(rf"\b{field}\b", PAGES["retries"]) for field in policies.RETRY_FIELDS)
    assert all(f"`{kind}`" in PAGES["retries"] for kind in RETRYABLE)


def test_the_table_of_version_numbers_is_what_the_rule_gives() -> None:
    rows = _rows("versions", 4)
    assert len(rows) == 5
    for published, declared, content, becomes in rows:
        known = [] if published == "nothing" else [(published, "old")]
        digest = "old" if content == "same" else "new"
        found = next_version(known, None if declared == "nothing" else declared, digest)
        assert ("clash" if isinstance(found, VersionClash) else found) == becomes


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_guide_exists(page: str) -> None:
    named = re.findall(r"handrail ([a-z]+)", PAGES[page])
    assert set(named) <= set(COMMANDS)


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every line of a shell block in the guides, the reference and the README."""
    for path in (*sorted(GUIDES.glob("*.md")), ROOT / "docs" / "cli.md", ROOT / "README.md"):
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for line in re.findall(r"^(?:\S*/)?handrail .*", block, re.MULTILINE):
                yield line, shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize(("line", "words"), list(_commands()))
def test_every_command_line_in_the_documentation_can_be_parsed(
    line: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = handrail.get_command(click.Context(handrail), words[0])
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):  # a folder of an example is not here
            monkeypatch.setattr(parameter.type, "exists", False)
    context = command.make_context(words[0], words[1:], obj=Session())
    assert context.command is command, line


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGES[page]):
        assert (GUIDES / target).exists(), target


def test_whose_move_is_one_of_the_words_of_the_engine() -> None:
    said = {word for _, _, word in ARROWS if word}
    movers = {word.split(",")[0].split()[0] for word in said} & {move.value for move in Move}
    assert movers == {"engine", "clock", "outside", "person"}


def _loaded(folder: Path) -> Catalogue:
    """Every guide's documents as one folder: a page may use a task of another."""
    for page in PAGES:
        for number, text in enumerate(_yaml(page)):
            (folder / f"{page}-{number}.yaml").write_text(text, encoding="utf-8")
    raw, problems = load_folder(folder)
    assert list(problems) == []
    return parse_documents(raw, {})


def test_every_document_in_the_guides_is_free_of_errors_and_warnings(tmp_path: Path) -> None:
    catalogue = _loaded(tmp_path)
    assert catalogue.problems == ()
    kinds = sum(text.count("\nkind: ") for page in PAGES for text in _yaml(page))
    assert len(catalogue.workflows) + len(catalogue.tasks) == kinds == 7


def test_the_groups_in_the_guide_to_parallel_work_are_the_planned_ones(tmp_path: Path) -> None:
    groups = _loaded(tmp_path).workflows["default", "customer-page"].groups
    told = [tuple(row[1].split(", ")) for row in _rows("parallel-work", 2)]
    assert list(groups) == told


def test_the_policies_in_the_guide_to_retries_mean_what_they_say(tmp_path: Path) -> None:
    catalogue = _loaded(tmp_path)
    task = catalogue.tasks["default", "price-of"].retry
    assert task == RetryPolicy(
        attempts=6,
        initial=SECOND // 2,
        maximum=60 * SECOND,
        kinds=frozenset({Kind.TRANSIENT, Kind.TIMEOUT, Kind.RATE_LIMITED}),
        within=300 * SECOND,
    )
    step = catalogue.workflows["default", "price"].steps[0].retry
    assert step == RetryPolicy(attempts=3, initial=SECOND // 5)


def test_a_loop_is_one_at_a_time_unless_it_says_more(tmp_path: Path) -> None:
    loop = _loaded(tmp_path).workflows["default", "many-customers"].steps[0].for_each
    assert loop is not None
    assert loop.limit == 5
    assert ForEach(loop.items).limit == 1
    assert "`{results, itemCount, successCount, failureCount}`" in PAGES["parallel-work"]
