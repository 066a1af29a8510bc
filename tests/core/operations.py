"""What each operation of a pipeline does: one line an example."""

from typing import Any

ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": " Ann ", "status": "active", "amount": 10.5, "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "status": "closed", "amount": 30, "tags": ["c"]},
    {"id": 3, "name": "Cy", "status": "active", "amount": None, "tags": []},
]
CITIES: list[dict[str, Any]] = [
    {"who": 1, "city": "Rome"},
    {"who": 1, "city": "Oslo"},
    {"who": 9, "city": "Bonn"},
]

Case = tuple[dict[str, Any], Any, Any]

SHAPES: list[Case] = [
    ({"operation": "select", "fields": ["id"]}, ROWS, [{"id": 1}, {"id": 2}, {"id": 3}]),
    ({"op": "select", "fields": {"n": "name", "t": "$.tags[0]"}}, ROWS[1], {"n": "Bob", "t": "c"}),
    ({"type": "select", "fields": ["a.b", "$.c"]}, {"a": {"b": 1}}, {"b": 1, "c": None}),
    ({"operation": "select", "fields": ["id"]}, None, None),
    (
        {"operation": "map", "expression": "{ id: $.id, x: $.amount }"},
        ROWS[1],
        [{"id": 2, "x": 30}],
    ),
    ({"operation": "map", "expression": "$.id * 2"}, ROWS, [2, 4, 6]),
    ({"operation": "map", "expression": "status"}, ROWS[:1], ["active"]),
    (
        {"operation": "map", "mappings": {"a": "id", "b": {"c": "$.status"}, "d": [1, "id"]}},
        ROWS[:1],
        [{"a": 1, "b": {"c": "active"}, "d": [1, 1]}],
    ),
    (
        {"operation": "map", "mappings": {"n": 5, "e": [], "t": "'text'", "z": None}},
        [1],
        [{"n": 5, "e": [], "t": "text", "z": None}],
    ),
    ({"operation": "map", "expression": "$ + 1"}, None, []),
    ({"operation": "flatMap", "path": "$.tags"}, ROWS, ["a", "b", "c"]),
    ({"operation": "flatMap", "path": "amount"}, ROWS, [10.5, 30]),
    (
        {"operation": "enrich", "fields": {"next": "$.id + 1", "id": "'x'"}},
        [{"id": 1, "k": 2}],
        [{"id": "x", "k": 2, "next": 2}],
    ),
    ({"operation": "enrich", "fields": {"b": "a"}}, {"a": 1}, {"a": 1, "b": 1}),
    (
        {"operation": "template", "template": "{name}/{status}"},
        ROWS[1:],
        ["Bob/closed", "Cy/active"],
    ),
    ({"operation": "template", "template": "{{$.id}}: {{$.name | upper}}"}, ROWS[1], "2: BOB"),
    ({"operation": "template", "template": "{a.b}"}, [{"a": {"b": 5}}], ["5"]),
]

CHOICES: list[Case] = [
    ({"operation": "filter", "condition": "$.status == 'active'"}, ROWS, [ROWS[0], ROWS[2]]),
    ({"operation": "filter", "condition": "$.amount > 1"}, ROWS, [ROWS[0], ROWS[1]]),
    (
        {"operation": "filter", "field": "status", "operator": "ne", "value": "active"},
        ROWS,
        [ROWS[1]],
    ),
    ({"operation": "filter", "field": "$.id", "operator": "eq", "value": 2.0}, ROWS, [ROWS[1]]),
    ({"operation": "filter", "field": "id", "operator": "gt", "value": 1}, ROWS, ROWS[1:]),
    ({"operation": "filter", "field": "id", "operator": "lt", "value": 2}, ROWS, ROWS[:1]),
    ({"operation": "filter", "field": "id", "operator": "gte", "value": 2}, ROWS, ROWS[1:]),
    ({"operation": "filter", "field": "amount", "operator": "<=", "value": 30}, ROWS, ROWS[:2]),
    (
        {"operation": "filter", "field": "tags", "operator": "contains", "value": "c"},
        ROWS,
        [ROWS[1]],
    ),
    (
        {"operation": "filter", "field": "name", "operator": "contains", "value": "o"},
        ROWS,
        [ROWS[1]],
    ),
    (
        {"operation": "filter", "field": "name", "operator": "startsWith", "value": "C"},
        ROWS,
        [ROWS[2]],
    ),
    (
        {"operation": "filter", "field": "name", "operator": "endsWith", "value": "b"},
        ROWS,
        [ROWS[1]],
    ),
    ({"operation": "filter", "field": "amount", "operator": "eq"}, ROWS, [ROWS[2]]),
    ({"operation": "filter", "condition": "$.missing"}, ROWS, []),
    (
        {"operation": "sortBy", "field": "$.amount", "descending": True},
        ROWS,
        [ROWS[1], ROWS[0], ROWS[2]],
    ),
    ({"operation": "sortBy", "field": "amount"}, ROWS, ROWS),
    (
        {"operation": "sortBy", "field": "status", "order": "desc"},
        ROWS,
        [ROWS[1], ROWS[0], ROWS[2]],
    ),
    ({"operation": "sortBy", "field": "$"}, [3, None, 1], [1, 3, None]),
    ({"operation": "limit", "count": 2}, ROWS, ROWS[:2]),
    ({"operation": "limit", "count": 0}, ROWS, []),
    ({"operation": "skip", "count": 2}, ROWS, ROWS[2:]),
    ({"operation": "skip", "count": 9}, ROWS, []),
    ({"operation": "first"}, [4, 5], 4),
    ({"operation": "first"}, [], None),
    ({"operation": "last"}, [4, 5], 5),
    ({"operation": "last"}, None, None),
    ({"operation": "nth", "index": 1}, [4, 5], 5),
    ({"operation": "nth", "index": -1}, [4, 5], 5),
    ({"operation": "nth", "index": 2}, [4, 5], None),
    ({"operation": "reverse"}, [1, 2], [2, 1]),
    (
        {"operation": "unique"},
        [1, 1.0, True, "1", {"a": [1]}, {"a": [1]}],
        [1, True, "1", {"a": [1]}],
    ),
    ({"operation": "unique", "field": "status"}, ROWS, ROWS[:2]),
    ({"operation": "flatten"}, [1, [2, [3]], []], [1, 2, [3]]),
    ({"operation": "flatten", "depth": 2}, [1, [2, [3]]], [1, 2, 3]),
    ({"operation": "chunk", "size": 2}, [1, 2, 3], [[1, 2], [3]]),
    ({"operation": "zip", "withArray": ["a", "b"]}, [1, 2, 3], [[1, "a"], [2, "b"]]),
]

GROUPS: list[Case] = [
    (
        {
            "operation": "aggregate",
            "aggregations": {
                "n": "count()",
                "some": "count($.amount)",
                "sum": "sum($.amount)",
                "avg": "avg($.amount)",
                "low": "min($.amount)",
                "high": "max($.name)",
            },
        },
        ROWS,
        {"n": 3, "some": 2, "sum": 40.5, "avg": 20.25, "low": 10.5, "high": "Cy"},
    ),
    (
        {
            "operation": "aggregate",
            "aggregations": {
                "sum": {"function": "sum", "field": "amount"},
                "n": {"function": "count"},
            },
        },
        ROWS,
        {"sum": 40.5, "n": 3},
    ),
    (
        {
            "operation": "aggregate",
            "aggregations": {
                "each": "sum($.id * 2) / count()",
                "who": "join(unique($.status), '+')",
                "n": "length(@)",
                "s": "sum(@[*].id)",
                "top": "max($.id) > 2 ? 'big' : 'small'",
                "large": "count($[?(@.id > 1)])",
                "tags": "count($.tags[*])",
                "ids": "$.id",
                "k": "[count(), {a: sum($.id)}]",
                "not": "!(count() == 0)",
                "neg": "-sum($.id)",
            },
        },
        ROWS,
        {
            "each": 4,
            "who": "active+closed",
            "n": 3,
            "s": 6,
            "top": "big",
            "large": 2,
            "tags": 3,
            "ids": [1, 2, 3],
            "k": [3, {"a": 6}],
            "not": True,
            "neg": -6,
        },
    ),
    (
        {"operation": "aggregate", "aggregations": {"s": "sum($)", "n": "count()"}},
        [1, 2],
        {"s": 3, "n": 2},
    ),
    (
        {
            "operation": "aggregate",
            "aggregations": {"s": "sum($.x)", "a": "avg($.x)", "m": "max($.x)"},
        },
        [],
        {"s": 0, "a": None, "m": None},
    ),
    (
        {"operation": "groupBy", "key": "$.status"},
        ROWS,
        [{"key": "active", "items": [ROWS[0], ROWS[2]]}, {"key": "closed", "items": [ROWS[1]]}],
    ),
    (
        {
            "operation": "groupBy",
            "key": "status",
            "aggregations": {"n": "count()", "sum": {"function": "sum", "field": "$.id"}},
        },
        ROWS,
        [{"key": "active", "n": 2, "sum": 4}, {"key": "closed", "n": 1, "sum": 2}],
    ),
    (
        {"operation": "groupBy", "key": "k"},
        [{"k": 1}, {"k": True}, {"k": 1.0}, {}],
        [
            {"key": 1, "items": [{"k": 1}, {"k": 1.0}]},
            {"key": True, "items": [{"k": True}]},
            {"key": None, "items": [{}]},
        ],
    ),
    (
        {"operation": "join", "leftKey": "$.id", "rightKey": "$.who", "rightData": CITIES},
        [{"id": 1}, {"id": 2}],
        [{"id": 1, "who": 1, "city": "Rome"}, {"id": 1, "who": 1, "city": "Oslo"}],
    ),
    (
        {
            "operation": "join",
            "leftKey": "id",
            "rightKey": "who",
            "rightData": CITIES[:1],
            "joinType": "left",
        },
        [{"id": 1}, {"id": 2}, {}],
        [{"id": 1, "who": 1, "city": "Rome"}, {"id": 2}, {}],
    ),
    (
        {
            "operation": "join",
            "leftKey": "id",
            "rightKey": "who",
            "rightData": CITIES,
            "joinType": "right",
            "as": "place",
        },
        [{"id": 9}],
        [{"place": CITIES[0]}, {"place": CITIES[1]}, {"id": 9, "place": CITIES[2]}],
    ),
    (
        {
            "operation": "join",
            "leftKey": "id",
            "rightKey": "id",
            "rightData": [{"id": 1, "v": "right"}, {"id": None, "v": "never"}],
        },
        [{"id": 1, "v": "left"}, {"id": None}, {}],
        [{"id": 1, "v": "right"}],
    ),
]

ELEMENTS: list[Case] = [
    ({"operation": "uppercase"}, ["a", None], ["A", None]),
    ({"operation": "uppercase"}, "a", "A"),
    ({"operation": "uppercase", "field": "name"}, ROWS[1:2], [{**ROWS[1], "name": "BOB"}]),
    (
        {"operation": "uppercase", "field": "$.a.b"},
        {"a": {"b": "x", "c": 1}},
        {"a": {"b": "X", "c": 1}},
    ),
    ({"operation": "uppercase", "field": "missing"}, [{"a": 1}, None], [{"a": 1}, None]),
    ({"operation": "lowercase"}, ["A"], ["a"]),
    ({"operation": "trim", "field": "name"}, ROWS[0], {**ROWS[0], "name": "Ann"}),
    ({"operation": "split", "delimiter": "-"}, ["a-b", "c", None], [["a", "b"], ["c"], None]),
    ({"operation": "split", "delimiter": ","}, "a,b", ["a", "b"]),
    ({"operation": "concat", "delimiter": "-"}, [["a", "b"], ["c"], "d"], ["a-b", "c", "d"]),
    ({"operation": "concat", "delimiter": "-"}, ["a", 1, None], "a-1-"),
    ({"operation": "concat", "field": "tags"}, ROWS[0], {**ROWS[0], "tags": "ab"}),
    ({"operation": "replace", "oldValue": "a", "newValue": "b"}, ["banana"], ["bbnbnb"]),
    ({"operation": "replace", "oldValue": "a"}, "banana", "bnn"),
    ({"operation": "substring", "start": 1, "length": 2}, ["abcd", "a"], ["bc", ""]),
    ({"operation": "substring", "start": -2}, "abcd", "cd"),
    ({"operation": "round", "decimals": 1}, [1.25, -1.25, 3, None], [1.3, -1.3, 3, None]),
    ({"operation": "round"}, 2.5, 3),
    ({"operation": "floor"}, [1.9, -1.1], [1, -2]),
    ({"operation": "ceil"}, [1.1], [2]),
    ({"operation": "abs"}, [-1, 2.5], [1, 2.5]),
    ({"operation": "clamp", "min": 0, "max": 10}, [-5, 5, 50, None], [0, 5, 10, None]),
    ({"operation": "clamp", "max": 1}, [0.5, 2], [0.5, 1]),
    ({"operation": "scale", "factor": 1.5}, [2, None], [3.0, None]),
    ({"operation": "scale", "factor": 2, "field": "amount"}, ROWS[1], {**ROWS[1], "amount": 60}),
    ({"operation": "percentage", "total": 200}, [50], [25.0]),
    ({"operation": "percentage"}, [1, 3], [25.0, 75.0]),
    ({"operation": "percentage", "field": "n"}, [{"n": 1}, {"n": 1}], [{"n": 50.0}, {"n": 50.0}]),
]

CHANCES: list[Case] = [
    ({"operation": "shuffle", "seed": 1}, [1, 2, 3, 4, 5], [1, 5, 3, 2, 4]),
    ({"operation": "randomOne", "seed": 1}, [1, 2, 3, 4, 5], 1),
    ({"operation": "randomOne", "seed": 1}, [], None),
    ({"operation": "randomN", "count": 2, "seed": 1}, [1, 2, 3, 4, 5], [1, 5]),
    ({"operation": "randomN", "count": 9, "seed": 1}, [1], [1]),
]

CASES = SHAPES + CHOICES + GROUPS + ELEMENTS + CHANCES
