"""Measurements against a stated limit, taken in the same run, round by round.

``manage.py bench`` makes a database of its own, fills it, measures and drops it again. Every figure is a
ratio or CPU time: on a shared machine the same program does three times as much in the next minute.
docs/performance.md says what each one means and what came out.
"""
