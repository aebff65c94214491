"""The context manager of one statement's SQLite write transaction."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class WriteStatement:
    """What TransactionManager.write() gives: the statement's end is end_write, or abort_write when
    it raises."""

    __slots__ = ("_xact",)

    def __init__(self, xact: Any) -> None:
        self._xact = xact

    def __enter__(self) -> None:
        self._xact.begin_write()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            try:
                self._xact.end_write()
            except BaseException:
                if self._xact.write_depth:
                    self._xact.abort_write()
                raise
        else:
            self._xact.abort_write()
