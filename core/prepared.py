"""Reads that every request makes, put together once and asked many times.

Django builds the SQL of a query anew for each use. For one row found by its key that costs ten times
what the database takes: the session, the person, the seat and the khata of a request were half of
all its CPU time. Here a QuerySet is compiled on its first use; later ones bind new values and make
the same objects, ``select_related`` included. Nothing is cached but the statement.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)


class Prepared(Generic[M]):
    """``build(**values)`` gives the QuerySet; ``first(**values)`` its first row, or None.

    ``names`` say which values are text (``str``) or numbers (``int``). Each must stand in the query
    exactly once, unchanged: filters by ``=`` on text and key columns. Anything else is an error.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], **names: type) -> None:
        self.build, self.names = build, names
        self._plan: _Plan | None = None

    def first(self, **values: Any) -> M | None:
        """The row found by these values. Raises KeyError for one that is missing."""
        if self._plan is None:  # on first use: models and database are known by then
            self._plan = _Plan(self.build, self.names)
        found: M | None = self._plan.first({name: kind(values[name]) for name, kind in self.names.items()})
        return found


class _Plan:
    """One statement, where its values go, and how a row becomes objects (as ModelIterable does it)."""

    def __init__(self, build: Callable[..., Any], names: dict[str, type]) -> None:
        marks = {
            name: f"\x01{name}" if kind is str else -(10**9) - at for at, (name, kind) in enumerate(names.items())
        }
        query = build(**marks).query.clone()
        query.clear_ordering(force=True)
        query.set_limits(high=1)
        self.compiler = query.get_compiler(using=DEFAULT_DB_ALIAS)
        self.sql, params = self.compiler.as_sql()
        for name, mark in marks.items():
            if list(params).count(mark) != 1:
                raise ValueError(f"{name} must stand in a prepared query exactly once: {self.sql}")
        at = {mark: name for name, mark in marks.items()}
        self.params = [(at.get(param), param) for param in params]
        info: Any = self.compiler.klass_info
        select: Any = self.compiler.select
        self.model = info["model"]
        self.start, self.end = info["select_fields"][0], info["select_fields"][-1] + 1
        self.columns = [column[0].target.attname for column in select[self.start : self.end]]
        self.related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self.converters = self.compiler.get_converters([column[0] for column in select])

    def first(self, values: dict[str, Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                self.sql, [constant if name is None else values[name] for name, constant in self.params]
            )
            row = cursor.fetchone()
        if row is None:
            return None
        if self.converters:
            row = next(iter(self.compiler.apply_converters([row], self.converters)))
        found = self.model.from_db(DEFAULT_DB_ALIAS, self.columns, row[self.start : self.end])
        for related in self.related:
            related.populate(row, found)
        return found
