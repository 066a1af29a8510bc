"""The operations of a transform pipeline, one small function each, and how they are read.

An operation is compiled once from its options and then maps a value to a new value. None
changes what it is given. The table of all of them is in `table.py`; `engine.core.transform`
is the door.
"""
