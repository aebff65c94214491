"""What the configuration files say now, whether or not it is in force: the function below
pg_file_settings (PostgreSQL's guc.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pgemu.fmgr import CallContext, pg_function
from pgemu.guc.config_files import could_be_applied, read_entries
from pgemu.guc.guc_file import ConfigLine
from pgemu.guc.settings import setting_key

Row = tuple[Any, ...]


@pg_function("pg_show_all_file_settings()", context=True)
def pg_show_all_file_settings(ctx: CallContext) -> Iterator[Row]:
    """With an error among them that leaves unclear what is meant, no entry is applied."""
    cluster, guc = ctx.session.cluster, ctx.guc
    entries = read_entries((cluster.config_path, cluster.auto_config_path))
    broken = bool(entries.faults)
    lines = list(_readable(entries.lines))
    last = {line.name: line for line in lines}
    for number, line in enumerate(lines, 1):
        applied, error = False, line.error or None
        if not broken and last[line.name] is line:
            applied = could_be_applied(guc, setting_key(line.name), line)
            error = None if applied else "setting could not be applied"
        name, value = (line.name, line.value) if line.name else (None, None)
        yield line.file, line.line, number, name, value, applied, error


def _readable(lines: Iterable[ConfigLine]) -> Iterator[ConfigLine]:
    """A session gives a file up at the first line that it cannot read."""
    given_up = set()
    for line in lines:
        if line.file not in given_up:
            yield line
            if line.error and not line.name:
                given_up.add(line.file)
