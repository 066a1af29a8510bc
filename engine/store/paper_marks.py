"""The marks of papers: by which words a listed workflow or task is found in a filtered list.

A mark is a word of a kind at a document. Beside the marks stands how many documents have each
word, in each spelling, kept by the database itself with every mark that comes or goes, so that
nobody counts when a list is asked for. The newest marks that came or went stand once more in their
order, and a number moves when something joins or leaves a list, so that a reader learns what has
changed and reads nothing else again. What filters make of all that is in `filtering.py`.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.labels.change import ADDED, Item, Said
from engine.core.labels.filter import fold
from engine.core.views import TaskInfo, WorkflowInfo

CREATE = """
create table people (thing text not null, namespace text not null, name text not null,
  type text not null, word text not null, label text not null, state integer not null,
  at integer not null, primary key (thing, namespace, name, type, word)) without rowid;
create table marks (kind text not null, word text not null, document integer not null,
  label text not null, at integer not null, primary key (kind, word, document)) without rowid;
create index marks_by_document on marks (document);
create index marks_by_time on marks (kind, word, at);
create table spellings (kind text not null, word text not null, label text not null,
  documents integer not null, primary key (kind, word, label)) without rowid;
create table moves (turn integer primary key, kind text not null, word text not null,
  document integer not null, came integer not null);
create trigger mark_added after insert on marks begin
  insert into spellings values (new.kind, new.word, new.label, 1)
  on conflict do update set documents = documents + 1;
  insert into moves (kind, word, document, came) values (new.kind, new.word, new.document, 1);
end;
create trigger mark_dropped after delete on marks begin
  update spellings set documents = documents - 1
  where kind = old.kind and word = old.word and label = old.label;
  delete from spellings where kind = old.kind and word = old.word and label = old.label
  and documents = 0;
  insert into moves (kind, word, document, came) values (old.kind, old.word, old.document, 0);
end;
create trigger moves_enough after insert on moves when new.turn % 1000 = 0 begin
  delete from moves where turn <= new.turn - 5000;
end;
create table turns (thing text primary key, turn integer not null) without rowid;
insert into turns values ('workflow', 0), ('task', 0);
create trigger workflow_came after insert on workflows begin
  update turns set turn = turn + 1 where thing = 'workflow'; end;
create trigger workflow_went after delete on workflows begin
  update turns set turn = turn + 1 where thing = 'workflow'; end;
create trigger workflow_hid after update of hidden on workflows
when old.hidden <> new.hidden begin
  update turns set turn = turn + 1 where thing = 'workflow'; end;
create trigger task_came after insert on tasks begin
  update turns set turn = turn + 1 where thing = 'task'; end;
create trigger task_went after delete on tasks begin
  update turns set turn = turn + 1 where thing = 'task'; end;
"""

Mark = tuple[str, str]
"""The kind of a mark and its label."""


def workflow_marks(info: WorkflowInfo) -> list[Mark]:
    """What a listed workflow is found by."""
    categories = [("workflow.category", each) for each in info.categories]
    tags = [("workflow.tag", each) for each in info.tags]
    return [*categories, *tags, ("workflow.effect", info.effect.value)]


def task_marks(info: TaskInfo) -> list[Mark]:
    """What a task is found by."""
    tags = [("task.tag", each) for each in info.tags]
    category = [("task.category", info.category)] if info.category else []
    return [*category, *tags, ("task.effect", info.effect.value)]


def said_of(db: sqlite3.Connection, item: Item) -> list[Said]:
    """What people have said of the labels of a thing."""
    sql = (
        "select type, label, state, at from people"
        " where thing = ? and namespace = ? and name = ? order by type, word"
    )
    return [Said(*row) for row in db.execute(sql, (item.thing, item.namespace, item.name))]


def put_said(db: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> set[Item]:
    """Keep what people have said; returns the things of which it is new."""
    touched = set[Item]()
    for row in rows:
        item = Item(row["thing"], row["namespace"], row["name"])
        key = (item.thing, item.namespace, item.name, row["type"], row["word"])
        kept = (*key, row["label"], row["state"], row["at"])
        if db.execute(_SAID, kept).fetchone() is None:
            db.execute("insert or replace into people values (?, ?, ?, ?, ?, ?, ?, ?)", kept)
            touched.add(item)
    return touched


_SAID = (
    "select 1 from people where thing = ? and namespace = ? and name = ? and type = ?"
    " and word = ? and label = ? and state = ? and at = ?"
)


def forget_said(db: sqlite3.Connection) -> dict[Item, list[Said]]:
    """Forget everything that people have said; returns it."""
    rows = db.execute("select distinct thing, namespace, name from people").fetchall()
    before = {Item(*row): said_of(db, Item(*row)) for row in rows}
    db.execute("delete from people")
    return before


def put_marks(
    db: sqlite3.Connection,
    document: int,
    marks: Iterable[Mark],
    at: int = 0,
    said: Iterable[Said] = (),
) -> None:
    """Let a document have these marks and no others; what it has already stays untouched.

    `at` is when it came to have them; of those that people added, `said` knows when.
    """
    when = {(each.type, fold(each.label)): each.at for each in said if each.state == ADDED}
    wanted: dict[Mark, tuple[str, int]] = {}
    for kind, label in sorted(marks):
        if word := fold(label):
            came = when.get((kind.partition(".")[2], word), at)
            wanted.setdefault((kind, word), (label, came))
    rows = db.execute("select kind, word, label, at from marks where document = ?", (document,))
    before = {(kind, word): (label, when) for kind, word, label, when in rows}
    for key, (label, _) in before.items():
        if wanted.get(key, ("", 0))[0] != label:
            db.execute("delete from marks where document = ? and kind = ? and word = ?",
                       (document, *key))  # fmt: skip
    for key, (label, came) in wanted.items():
        if before.get(key, ("", 0))[0] != label:
            db.execute("insert into marks values (?, ?, ?, ?, ?)", (*key, document, label, came))
        elif before[key][1] != came:
            db.execute("update marks set at = ? where document = ? and kind = ? and word = ?",
                       (came, document, *key))  # fmt: skip
