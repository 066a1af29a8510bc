"""Named statements, and the whole difference between the databases.

A statement lives in `sql/*.sql` under a header and is written in words that every database
understands; where one must differ it is given again for that database, and the budget of such
overrides is counted by a test:

    -- name: run_ended by run
    -- name: journal_keep @sqlite

`by run` promises that the statement touches no row but those that belong to the value of
`:run`. The writer needs that promise to carry out many such writes in one go (`bulk.py`); a
statement without it keeps its place among all others that touch the same tables.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import count
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType

from engine.core.log import Param

_HEADER = re.compile(r"^-- name: (\w+)(?: by (\w+))?(?: @(\w+))?[ \t]*\n", re.MULTILINE)
_PARAM = re.compile(r":(\w+)")
_TABLE = re.compile(r"\b(?:from|join|into|update)\s+(?!set\b|of\b|skip\b)(\w+)", re.IGNORECASE)


_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """What one database says differently: `words` fill the {placeholders} of the files.

    `param` stands for a parameter; `{}` in it is the parameter's number, beginning with 1.
    """

    name: str
    param: str
    words: Mapping[str, str]


_HEADED = ("position", "stream", "version", "schema", "at", "tenant", "kind", "actor")
"""The columns of the header of an event, see engine/core/chain.py."""

_BLOB = "case typeof({0}) when 'blob' then json_array(quote({0})) else {0} end"
"""A blob is no JSON; this is none of what is written, either."""

SQLITE = Dialect(
    "sqlite",
    "?",
    MappingProxyType(
        {
            "key": "integer primary key",
            "bytes": "blob",
            "skip_locked": "",
            "streams": "json_each(:streams)",
            "header": f"cast(json_array({', '.join(_HEADED)}) as blob)",
            "any_header": f"cast(json_array({', '.join(map(_BLOB.format, _HEADED))}) as blob)",
            "body": "cast(body as blob)",
            "commitment": "iif(body >= x'', x'', commitment)",  # a blob is above any text
        }
    ),
)

_POSTGRES_HEADER = "convert_to('[' || {} || ',' || {} || ']', 'UTF8')".format(
    " || ',' || ".join(_HEADED[:5]),
    " || ',' || ".join(f"to_json({name})" for name in _HEADED[5:]),
)

POSTGRES = Dialect(
    "postgres",
    "${}",
    MappingProxyType(
        {
            "key": "bigint primary key",
            "bytes": "bytea",
            "skip_locked": "for update skip locked",
            "streams": "(select cast(value as bigint) as value"
            " from json_array_elements_text(cast(:streams as json))) listed",
            "header": _POSTGRES_HEADER,
            "any_header": _POSTGRES_HEADER,
            "body": "convert_to(body, 'UTF8')",
            "commitment": "commitment",
        }
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A statement ready for one driver. `places` are its parameters in the order of their values,
    `names` the same as a set, `tables` what it touches."""

    name: str
    text: str
    places: tuple[str, ...]
    names: frozenset[str]
    tables: frozenset[str]
    owner: str | None
    returns: bool
    _take: Callable[[Mapping[str, Param]], tuple[Param, ...]]

    def bind(self, params: Mapping[str, Param]) -> tuple[Param, ...]:
        """The values in their places; raises TypeError when a name is missing or unknown."""
        try:
            values = self._take(params)
        except KeyError as error:
            raise TypeError(f"{self.name} needs {error}") from None
        if len(params) != len(self.names):
            raise TypeError(f"{self.name} takes {sorted(self.names)}, not {sorted(params)}")
        return values


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: a numbered file, never edited once it has been released."""

    number: int
    name: str
    digest: str
    statements: tuple[str, ...]


@cache
def statements(dialect: Dialect) -> Mapping[str, Statement]:
    """Every named statement, compiled once for `dialect`; raises ValueError for a bad file."""
    found: dict[str, Statement] = {}
    for file in sorted(_SQL.glob("*.sql")):
        for statement in compiled(file.read_text(encoding="utf-8"), dialect):
            if statement.name in found:
                raise ValueError(f"two statements are called {statement.name!r}")
            found[statement.name] = statement
    _check_owners(found)
    return MappingProxyType(found)


@cache
def migrations(dialect: Dialect) -> tuple[Migration, ...]:
    """The steps of the schema in order; raises ValueError when their numbers have a gap."""
    found = sorted((_SQL / "schema").glob("*.sql"))
    steps = tuple(_migration(at.name, at.read_text(encoding="utf-8"), dialect) for at in found)
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise ValueError("the schema files are not numbered 001, 002, ...")
    return steps


def _migration(file: str, text: str, dialect: Dialect) -> Migration:
    number, _, name = file.removesuffix(".sql").partition("_")
    digest = sha256(text.replace("\r\n", "\n").encode()).hexdigest()
    texts = tuple(statement.text for statement in compiled(text, dialect))
    return Migration(int(number), name, digest, texts)


def compiled(text: str, dialect: Dialect) -> Iterator[Statement]:
    """The statements of one file for `dialect`, overrides in the place of what they override."""
    chosen: dict[str, Statement] = {}
    for name, owner, only, body in sections(text):
        if only in ("", dialect.name) and (only or name not in chosen):
            chosen[name] = _statement(name, owner, body, dialect)
    yield from chosen.values()


def sections(text: str) -> Iterator[tuple[str, str, str, str]]:
    """The parts of a file: name, owner parameter, database of an override, text.

    >>> list(sections("-- name: gone by run\\ndelete from due where run = :run\\n"))
    [('gone', 'run', '', 'delete from due where run = :run')]
    """
    parts = _HEADER.split(text)[1:]
    for name, owner, only, body in zip(*(parts[i::4] for i in range(4)), strict=True):
        yield name, owner or "", only or "", re.sub(r"--.*", "", body).strip().rstrip(";")


def _statement(name: str, owner: str, body: str, dialect: Dialect) -> Statement:
    for word, meaning in dialect.words.items():
        body = body.replace(f"{{{word}}}", meaning)
    places = tuple(_PARAM.findall(body))
    if owner and owner not in places:
        raise ValueError(f"{name} is by {owner!r} but has no such parameter")
    tables = frozenset(found.lower() for found in _TABLE.findall(body))
    returns = re.match(r"select|with|values", body) or re.search(r"\breturning\b", body)
    numbers = count(1)
    text = _PARAM.sub(lambda _: dialect.param.format(next(numbers)), body).strip()
    names = frozenset(places)
    return Statement(
        name, text, places, names, tables, owner or None, bool(returns), _taker(places)
    )


def _taker(places: tuple[str, ...]) -> Callable[[Mapping[str, Param]], tuple[Param, ...]]:
    """`itemgetter` returns a bare value for one name and refuses none at all."""
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda _: ()
    (name,) = places
    return lambda params: (params[name],)


def _check_owners(found: Mapping[str, Statement]) -> None:
    """Owners are compared by value, so a table may have one sort of owner only."""
    owners: dict[str, str] = {}
    for statement in found.values():
        for table in statement.tables if statement.owner else ():
            if owners.setdefault(table, statement.owner or "") != statement.owner:
                raise ValueError(f"{statement.name}: the rows of {table} have two sorts of owner")
