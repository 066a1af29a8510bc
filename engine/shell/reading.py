"""Reads the folders into what the process keeps of them: only what changed, piece by piece.

What `parse_documents` does for all documents together is done here for those of changed files
and for whatever looked for one of their names, directly or through others; the rest stands. So
a catalogue of any size is read in bounded memory, and one changed file costs what depends on
it. Connectors come first, then tasks, then workflows, and last the workflows that start others,
each after those that it starts.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from engine.core.check import check_flow
from engine.core.definition import (
    RawDocument,
    canonical,
    finished,
    headed,
    needs_acceptance,
    needs_of,
    tell_duplicate,
)
from engine.core.describe import task_info, workflow_info
from engine.core.documents.bundle import connectors_of
from engine.core.documents.callers import circles, stranded, tell_circle, tell_stranded
from engine.core.documents.connectors import read_connector
from engine.core.documents.effects import settled_task
from engine.core.documents.graph import sort
from engine.core.documents.header import CONNECTOR, TASK, WORKFLOW, Header, read_header
from engine.core.documents.known import Known
from engine.core.documents.names import EVERY, Key, Names
from engine.core.documents.raw import Report
from engine.core.documents.tasks import read_task
from engine.core.documents.workflows import read_workflow
from engine.core.impact.uses import task_uses, uses_of
from engine.core.model import Task, Workflow
from engine.shell.folders import Folders, Functions
from engine.shell.load import load_file
from engine.shell.registers import Callees, Effects, Promised, Register
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import BROKEN, GOOD, SECOND, Papers

_LOG = logging.getLogger("handrail.engine")
_NOUNS = {CONNECTOR: "connector", TASK: "task", WORKFLOW: "workflow"}
_KINDS = {noun: kind for kind, noun in _NOUNS.items()}
AT_ONCE = 50
"""Workflows that are handed over together."""

RECENT = 128
"""Compiled documents that are kept for those that look them up. A thousand would spare a
twentieth of the time, and leave the process eight megabytes larger."""


class Reading:
    """One reading of the folders into `papers`, inside one transaction of theirs."""

    def __init__(self, papers: Papers, folders: Folders, functions: Functions) -> None:
        self._papers, self._folders, self._functions = papers, folders, functions
        self.reached = ""
        self._fresh = False
        self._touched: set[tuple[str, str]] = set()
        self._todo: list[tuple[str, str]] = []
        self._dirty: set[int] = set()
        self._starters: list[tuple[int, Key]] = []
        self._registers: dict[str, Any] = {
            "connector": Register(papers, CONNECTOR, self._load),
            "task": Register(papers, TASK, self._load),
            "workflow": Promised(papers),
        }
        self._load_kept = lru_cache(maxsize=RECENT)(self._compiled)

    def read(self, again: Iterable[int] = ()) -> Iterator[list[Workflow]]:
        """Read what changed and the documents `again`; the workflows, some at a time.

        Between two it can be left for good; then nothing of it may be committed.
        """
        yield from self._compare()
        self._dirty.update(again)
        self._spread()
        for document in self._dirty:
            self._papers.unread(document)
        for kind in (CONNECTOR, TASK):
            for document in self._papers.unread_of(kind):
                self._read(document, kind)
                yield []
        yield from self._workflows()
        self._papers.tidy()

    # -- what changed ----------------------------------------------------------------------

    def _compare(self) -> Iterator[list[Workflow]]:
        before = self._papers.files()
        self._fresh = not before
        for path, file in before.items():
            if path not in self._folders.files:
                self._touch(self._papers.names_in(file.id))
                self._papers.drop_documents(file.id)
                self._papers.drop_file(file.id)
        for place, (path, mark) in enumerate(self._folders.files.items()):
            known = before.get(path)
            if known is None or known.mark != mark:
                self._file(path, place, mark)
                self.reached = f"{place + 1:,} of {len(self._folders.files):,} files"
                yield []
            elif known.place != place:
                self._papers.move_file(known.id, place)

    def _file(self, path: str, place: int, mark: str) -> None:
        loaded = load_file(Path(path))
        file = self._papers.put_file(path, place, mark, loaded.problems)
        before = self._papers.names_in(file)
        self._papers.drop_documents(file)
        for raw in loaded.documents:
            self._document(file, raw)
        after = self._papers.names_in(file)
        if not self._fresh:
            self._touch(before ^ after)
        for kind, namespace, name, _ in before & after:
            same = self._papers.named(kind, namespace, name)
            self._dirty.update(paper.id for paper in same)

    def _document(self, file: int, raw: RawDocument) -> None:
        report = Report(raw)
        header = headed(report)
        if header is None:
            document, _ = self._papers.put_document(file, raw.index, ("", "", ""), "null", {})
            self._papers.settle(document, BROKEN, report.problems, ())
            return
        text = canonical(report.raw.value)
        key = (header.kind, *header.key)
        self._papers.put_document(file, raw.index, key, text, raw.lines)

    def _touch(self, names: Iterable[tuple[str, str, str, bytes]]) -> None:
        for kind, _, name, _ in names:
            self._note(kind, name)

    def _note(self, kind: str, name: str) -> None:
        noun = _NOUNS[kind]
        for one in ((noun, name), (noun, EVERY)):
            if one not in self._touched:
                self._touched.add(one)
                self._todo.append(one)

    def _spread(self) -> None:
        """Whatever looked for a name that was touched is read again, and so on."""
        while self._todo:
            noun, name = self._todo.pop()
            if name != EVERY:
                same = self._papers.having(_KINDS[noun], name)
                self._dirty.update(document for document, _ in same)
            for document, kind, own in self._papers.users(noun, name):
                self._dirty.add(document)
                self._note(kind, own)

    # -- reading ---------------------------------------------------------------------------

    def _header(self, document: int) -> Header:
        file, number, value, lines = self._papers.raw(document)
        # Not `headed`: what was kept is a copy already, and known to be JSON of a bearable depth.
        header = read_header(Report(RawDocument(file, number, value, lines)))
        assert header is not None, "only documents that say what they are have a kind"
        return header

    def _known(self, asked: set[tuple[str, str]]) -> Known:
        names = {noun: Names(noun, register, asked) for noun, register in self._registers.items()}
        return Known(self._functions, names["connector"], names["task"], names["workflow"])

    def _first(self, header: Header, document: int) -> int | None:
        """The earlier good document of the same name."""
        for paper in self._papers.named(header.kind, *header.key):
            if paper.id == document:
                return None
            if paper.state == GOOD:
                return paper.id
        return None

    def _read(self, document: int, kind: str) -> None:
        header, asked = self._header(document), set[tuple[str, str]]()
        first = self._first(header, document)
        if first is not None:
            tell_duplicate(header, self._header(first))
            self._papers.settle(document, SECOND, header.report.problems, asked)
            return
        known = self._known(asked)
        found: Any = _READERS[kind](header, known)
        state = BROKEN if found is None else GOOD
        self._papers.settle(document, state, header.report.problems, asked)
        if isinstance(found, Task):
            if found.workflow is not None:
                self._starters.append((document, header.key))
            called = ((one.namespace, one.name) for one in connectors_of(found, known))
            self._papers.put_task(document, task_info(found, ()), task_uses(found, called))

    def _load(self, kind: str, key: Key) -> Any:
        return self._load_kept(kind, key)

    def _compiled(self, kind: str, key: Key) -> Any:
        for paper in self._papers.named(kind, *key):
            if paper.state == GOOD:
                return _READERS[kind](self._header(paper.id), self._known(set()))
        raise KeyError(key)

    # -- workflows ---------------------------------------------------------------------------

    def _workflows(self) -> Iterator[list[Workflow]]:
        callers: dict[Key, tuple[int, set[Key]]] = {}
        total = self._papers.count(WORKFLOW)
        alone = (self._workflow(each, callers) for each in self._papers.unread_of(WORKFLOW))
        behind = (self._caller(*each) for each in self._in_order(callers))
        ready: list[Workflow] = []
        for number, workflow in enumerate(chain(alone, behind), 1):
            if workflow is not None:
                ready.append(workflow)
            if number % AT_ONCE == 0:
                self.reached = f"{number:,} of {total:,} workflows"
                yield ready
                ready = []
        self._settle_tasks()
        yield ready

    def _workflow(self, document: int, callers: dict[Key, tuple[int, set[Key]]]) -> Workflow | None:
        header, asked = self._header(document), set[tuple[str, str]]()
        first = self._first(header, document)
        if first is not None or header.key in callers:
            other = callers[header.key][0] if first is None else first
            tell_duplicate(header, self._header(other))
            self._papers.settle(document, SECOND, header.report.problems, asked)
            return None
        known = self._known(asked)
        workflow = read_workflow(header, known)
        needs = set() if workflow is None else needs_of(workflow)
        if workflow is None or needs:
            self._papers.settle(document, BROKEN, header.report.problems, asked)
            if workflow is not None:
                callers[header.key] = (document, needs)
            return None
        return self._finish(document, header, workflow, known, asked)

    def _in_order(self, callers: dict[Key, tuple[int, set[Key]]]) -> Iterator[tuple[int, Key]]:
        needs = {key: wanted for key, (_, wanted) in callers.items()}
        for key, shown in circles(needs).items():
            self._tell(callers[key][0], lambda report, shown=shown: tell_circle(report, shown))
            del needs[key]
        good = self._papers.effect
        for key, missing in stranded(needs, lambda key: good(*key) is not None).items():
            self._tell(
                callers[key][0], lambda report, missing=missing: tell_stranded(report, missing)
            )
            del needs[key]
        inside = {key: wanted & needs.keys() for key, wanted in needs.items()}
        for key in sort(inside).order:
            yield callers[key][0], key

    def _tell(self, document: int, tell: Any) -> None:
        header, asked = self._header(document), set[tuple[str, str]]()
        read_workflow(header, self._known(asked))
        tell(header.report)
        self._papers.settle(document, BROKEN, header.report.problems, asked)

    def _caller(self, document: int, key: Key) -> Workflow:
        header, asked = self._header(document), set[tuple[str, str]]()
        known = self._known(asked)
        workflow = read_workflow(header, known)
        assert workflow is not None, "it was read without an error before"
        return self._finish(document, header, workflow, known, asked)

    def _finish(
        self,
        document: int,
        header: Header,
        workflow: Workflow,
        known: Known,
        asked: set[tuple[str, str]],
    ) -> Workflow:
        workflow = finished(workflow, header, known, Effects(self._papers))
        check_flow(workflow, header.report, Callees(self._load))
        self._papers.settle(document, GOOD, header.report.problems, asked)
        info = workflow_info(workflow)
        standing = Standing(
            document, *header.key, workflow.version or "", workflow.digest,
            workflow.effect.value, needs_acceptance(workflow),
        )  # fmt: skip
        self._papers.put_workflow(standing, info_text(info), uses_of(workflow))
        return workflow

    def _settle_tasks(self) -> None:
        """A task that starts a workflow has its effect, which is known only now."""
        for document, key in self._starters:
            task = settled_task(self._load(TASK, key), Effects(self._papers))
            self._papers.put_task(document, task_info(task, ()))


_READERS: Mapping[str, Any] = {
    CONNECTOR: lambda header, known: read_connector(header),
    TASK: read_task,
    WORKFLOW: read_workflow,
}
