"""CPU time from the operating system's books, rounds, medians, and the table that is printed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from django.db import connection

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name; empty where the process has gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_ms(pids: list[int]) -> float:
    """User and system time that these processes have used so far, all threads, in ms."""
    return sum((int(stat[11]) + int(stat[12])) * _TICK_MS for pid in pids if (stat := _stat(pid)))


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdecimal()}
    found = [pid]
    for one in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == one]
    return found


def backends() -> list[int]:
    """PostgreSQL's processes for this database, where it runs on this machine; not our own."""
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        pids = [row[0] for row in cursor.fetchall()]
    return [pid for pid in pids if _is_postgres(pid)]


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in (_PROC / str(pid) / "comm").read_text()
    except OSError:
        return False


class Meter:
    """CPU time of named groups of processes over a stretch of work."""

    def __init__(self, **groups: Callable[[], list[int]]) -> None:
        self.groups = groups

    @contextmanager
    def measure(self) -> Iterator[dict[str, float]]:
        """Fills the yielded dict with the ms that each group used inside the block."""
        used: dict[str, float] = {}
        before = {name: {pid: cpu_ms([pid]) for pid in pids()} for name, pids in self.groups.items()}
        yield used
        for name, pids in self.groups.items():
            used[name] = sum(cpu_ms([pid]) - before[name].get(pid, 0.0) for pid in pids())


@dataclass
class Series:
    """One figure over the rounds."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.values.append(value)

    @property
    def median(self) -> float:
        return median(self.values)

    def show(self, digits: int = 2) -> str:
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f} [{low:,.{digits}f} – {high:,.{digits}f}]"


def ratios(product: Series, limit: Series) -> Series:
    """Round by round, so that both sides had the same minute of the machine."""
    return Series([a / b for a, b in zip(product.values, limit.values, strict=True) if b])


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` (0-1) of ``values`` do not exceed; 0 for none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def interleave(rounds: int, *steps: Callable[[], None]) -> None:
    """Every step once per round, each round starting with another one."""
    for number in range(rounds):
        shift = number % len(steps)
        for step in (*steps[shift:], *steps[:shift]):
            step()


class Report:
    """The lines of one run: figures, and ratios beside what is due now."""

    def __init__(self, title: str, rounds: int, say: Callable[[str], object]) -> None:
        self.say = say
        kind = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
        self.say(f"\n{title} · {kind} · {rounds} rounds, median [range]")

    def figure(self, name: str, text: str) -> None:
        self.say(f"  {name:<58} {text}")

    def ratio(self, name: str, series: Series, *, least: float = 0.0, most: float = 0.0) -> None:
        """A figure with a target: at ``least`` or at ``most`` this much; neither: shown only."""
        wanted = f"due ≥ {least:g}" if least else f"due ≤ {most:g}" if most else ""
        met = (series.median >= least) if least else (series.median <= most)
        verdict = f"  {wanted}: {'met' if met else 'NOT MET'}" if wanted else ""
        self.say(f"  {name:<58} {series.show(3)}{verdict}")

    def note(self, text: str) -> None:
        self.say(f"  · {text}")
