"""The header of an event is written when it is hashed, and by the database when it is read."""

from engine.core.chain import GENESIS, _whole
from engine.core.log import NEW, Append, Entry
from engine.store import Store
from tests.store.journals import AT, done, lined, started

ODD = "".join(map(chr, (*range(1, 0x100), 0x2028, 0xE000, 0xFFFF, 0x1F600))) + " ''\\n{}[,"
"""Every character that something might escape, but the one that PostgreSQL does not keep."""


async def test_the_database_writes_the_header_that_was_hashed(store: Store) -> None:
    for tenant, actor in (("t", ODD), (ODD, "ann"), ("", ""), ("1", "[]")):
        await store.append(Append((Entry(NEW, 0, (started(), done())),), AT, actor, tenant))
    lines = [line for page in store.scan("journal_lines") for line in page]
    rows = [row for page in store.scan("journal_rows") for row in page]
    assert lines == [lined(row) for row in rows]
    assert _whole(GENESIS, 1, lines)
    assert (await store.verify()).intact == 8
