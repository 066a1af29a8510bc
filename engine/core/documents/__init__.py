"""Documents become compiled values: one module per part of a document.

`definition.py` is the way in; nothing outside the core imports from here.
"""
