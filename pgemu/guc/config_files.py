"""The configuration files' entries: read, checked, applied at start and at each reload.

Counterpart: ProcessConfigFileInternal of PostgreSQL's guc.c.  Each process applies the entries to
its own Settings; what the server was started with is kept, so that one that is made later knows
which settings wait for a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgemu.errors import PgError
from pgemu.guc.guc_file import ConfigLine, parse_config_file
from pgemu.guc.setting import load_settings
from pgemu.guc.settings import Settings, setting_key, valid_custom_name

SOURCE = "configuration file"
AUTO_FILE = "postgresql.auto.conf"


@dataclass(frozen=True)
class ConfigEntries:
    """lines: all, in order, with what is wrong with them; found: by key, the one that counts."""

    lines: tuple[ConfigLine, ...] = ()
    found: dict[str, ConfigLine] = field(default_factory=dict)

    @property
    def faults(self) -> list[ConfigLine]:
        return [line for line in self.lines if line.error]


NO_ENTRIES = ConfigEntries()


def read_entries(paths: Iterable[str]) -> ConfigEntries:
    """Of postgresql.conf and postgresql.auto.conf; files that are missing have no entries."""
    lines: list[ConfigLine] = []
    for path in paths:
        if Path(path).exists():
            lines += [_checked(line) for line in parse_config_file(Path(path))]
    found: dict[str, ConfigLine] = {}
    for line in lines:
        if line.name and not line.error:
            key = setting_key(line.name)
            found.pop(key, None)
            found[key] = line
    return ConfigEntries(tuple(lines), found) if lines else NO_ENTRIES


def _checked(line: ConfigLine) -> ConfigLine:
    name = line.name
    if line.error or setting_key(name) in load_settings() or valid_custom_name(name):
        return line
    words = "unrecognized configuration parameter"
    message = f'{words} "{name}" in file "{line.file}" line {line.line}'
    return line._replace(error=words, message=message)


def initial_settings(
    command_line: Mapping[str, str], started: ConfigEntries, now: ConfigEntries
) -> Settings:
    """Of a new process: what a restart would be needed for is as it was at the start."""
    settings = Settings(command_line)
    if started.found:
        for key, line in started.found.items():
            row = settings.rows_by_name.get(key)
            if row is not None and row.context == "postmaster":
                settings.set(line.name, line.value, source=SOURCE, context="postmaster")
                settings.origins[key] = (line.file, line.line)
                settings.file_at_start.add(key)
    if started.found or now.found:
        apply_entries(settings, now)
    return settings


def apply_entries(
    settings: Settings, entries: ConfigEntries, *, running: bool = False, starting: bool = False
) -> list[PgError | str]:
    """Put the entries in force and give what the log is to say; PgErrors are of entries that could
    not be applied.  running: in a session, whose start-up settings stay as they are; starting: of
    the server, when all can be set."""
    said: list[PgError | str] = []
    for key in sorted(settings.origins.keys() - entries.found.keys()):
        row = settings.rows_by_name.get(key)
        if row is None or (row.context == "postmaster" and key not in settings.file_at_start):
            del settings.origins[key]
        elif row.context == "postmaster":
            settings.pending_restart.add(key)
            said.append(_needs_restart(row.name))
        elif not (running and row.context in ("backend", "superuser-backend")):
            changed = settings.source(key) == SOURCE
            settings.leave_file(key)
            if changed:
                said.append(
                    f'parameter "{row.name}" removed from configuration file, reset to default'
                )
    for key, line in entries.found.items():
        try:
            text = _apply(settings, key, line, running, starting)
        except PgError as error:
            said.append(error)
        else:
            if text is not None:
                said.append(text)
    return said


def _apply(
    settings: Settings, key: str, line: ConfigLine, running: bool, starting: bool
) -> str | None:
    row = settings.rows_by_name.get(key)
    if row is not None and row.context == "internal":
        raise PgError("55P02", f'parameter "{row.name}" cannot be changed')
    if row is not None and row.context == "postmaster" and not starting:
        if settings.parse(line.name, line.value) != settings.values[key]:
            settings.pending_restart.add(key)
            raise _needs_restart(row.name)
        settings.pending_restart.discard(key)
        settings.origins[key] = (line.file, line.line)
        return None
    if running and row is not None and row.context in ("backend", "superuser-backend"):
        return None
    before = settings.values.get(key)
    context = "postmaster" if starting or not running else "sighup"
    settings.set(line.name, line.value, source=SOURCE, context=context)
    settings.origins[key] = (line.file, line.line)
    if settings.values[key] == before:
        return None
    return f'parameter "{line.name}" changed to "{line.value}"'


def could_be_applied(settings: Settings, key: str, line: ConfigLine) -> bool:
    """Whether a reload would accept the entry."""
    row = settings.rows_by_name.get(key)
    if row is None:
        return True
    if row.context == "internal":
        return False
    try:
        value = settings.parse(line.name, line.value)
    except PgError:
        return False
    return row.context != "postmaster" or value == settings.values[key]


def _needs_restart(name: str) -> PgError:
    words = "cannot be changed without restarting the server"
    return PgError("55P02", f'parameter "{name}" {words}')


def file_with_error(entries: ConfigEntries, said: Iterable[PgError | str], main: str) -> str:
    """The file that the closing line of the log names; main: postgresql.conf."""
    faults = entries.faults
    if faults:
        file = faults[-1].file
        unread = not faults[-1].name  # the file as a whole: this one is named without its folder
        return AUTO_FILE if unread and file.endswith("/" + AUTO_FILE) else file
    names = [e.message.split('"')[1] for e in said if isinstance(e, PgError) and '"' in e.message]
    lines = [entries.found[setting_key(n)] for n in names if setting_key(n) in entries.found]
    return lines[-1].file if lines else main
