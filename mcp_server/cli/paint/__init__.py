"""Engine values laid out for a terminal: pure functions from values to rich renderables.

Every word that a document or a system outside could have written goes through `visible`.
Nothing here prints, asks the time or knows the engine; `now` and the width are arguments.
"""
