"""Settings: the values in force in one session.

Counterpart: set_config_option, push_old_value, AtEOXact_GUC, GetConfigOption and
ReportChangedGUCOptions of PostgreSQL's guc.c.  Rows come from setting.py, syntax from parse.py,
further checks from checks.py.  Reading is one dict lookup: `settings.values["work_mem"]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import NamedTuple, TypeVar

from pgemu.errors import (
    CANT_CHANGE_RUNTIME_PARAM,
    INSUFFICIENT_PRIVILEGE,
    INVALID_NAME,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.guc.checks import CHECK_HOOKS, CheckHook, check_datestyle
from pgemu.guc.parse import parse_value, raw_text, show_text
from pgemu.guc.setting import OLD_NAMES, Setting, Typed, load_settings
from pgemu.guc.stack import Level, SettingStack, State

SOURCES = (
    "default",
    "environment variable",
    "configuration file",
    "command line",
    "global",
    "database",
    "user",
    "database user",
    "client",
    "override",
    "interactive",
    "test",
    "session",
)
"""From weakest to strongest; up to 'override' they also make the value that RESET gives."""

_Value = TypeVar("_Value")

_RANK = {source: rank for rank, source in enumerate(SOURCES)}
_OVERRIDE = _RANK["override"]
_FILE = "configuration file"

EPOCH_SETTINGS = (
    "search_path",
    "role",
    "session_authorization",
    "is_superuser",
    "datestyle",
    "client_encoding",
    "timezone",
    "intervalstyle",
    "bytea_output",
    "extra_float_digits",
    "standard_conforming_strings",
    "restrict_nonsystem_relation_kind",
    "backslash_quote",
    "transform_null_equals",
    "array_nulls",
    "xmloption",
    "xmlbinary",
    "row_security",
    "default_text_search_config",
    "session_replication_role",
    "check_function_bodies",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "timezone_abbreviations",
    "enable_hashagg",
)
"""What the meaning of a statement depends on: their values together give the epoch."""

# A letter or _, then letters, digits, _ and $; whatever is not ASCII is a letter.  Written as what
# is excluded: sets with the whole of Unicode take long to compile.
_CUSTOM_NAME = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-#%-/:-@\[-^`{-\x7f]*")


class PgSettingsRow(NamedTuple):
    """A row of the view pg_settings."""

    name: str
    setting: str | None
    unit: str | None
    category: str
    short_desc: str
    extra_desc: str | None
    context: str
    vartype: str
    source: str
    min_val: str | None
    max_val: str | None
    enumvals: list[str] | None
    boot_val: str | None
    reset_val: str | None
    sourcefile: str | None
    sourceline: int | None
    pending_restart: bool


class _Overlay(dict[str, _Value]):
    """A session's own entries over those that all sessions begin with: most never change, and a
    copy of them would be each process's own memory."""

    __slots__ = ("_shared",)

    def __init__(self, shared: Mapping[str, _Value]) -> None:
        super().__init__()
        self._shared = shared

    def __missing__(self, key: str) -> _Value:
        return self._shared[key]


class Settings:
    """See the module.  Names are looked up without regard to case."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        # all sessions share it until one of them adds a row
        self.rows_by_name: dict[str, Setting] = load_settings()
        boot = _boot_state()
        self.values: dict[str, Typed] = dict(boot.values)
        """Lower-case name -> typed value; for reading only."""
        self.check_hooks: dict[str, CheckHook] = dict(CHECK_HOOKS)
        # where the value under check comes from, for hooks that look into the catalogs
        self.check_source = "default"
        self.check_hooks["datestyle"] = self._check_datestyle
        self.assign_hooks: dict[str, Callable[[Typed], None]] = {}
        self.epoch = 0
        self.reported = boot.reported
        self._sources: _Overlay[str] = _Overlay(boot.sources)
        self._reset: _Overlay[State] = _Overlay(boot.reset)
        self._stack = SettingStack()
        # the open levels; for looking whether there are any
        self.levels = self._stack.levels
        self._reserved: set[str] = set()
        self._epochs: dict[tuple[Typed, ...], int] = {}
        self._last_reported: dict[str, str] = {}
        # keys of reported settings that may have changed since changed_reports()
        self.unreported: set[str] = set()
        self.unreported.update(name.lower() for name in self.reported)
        # of settings that a configuration file has: its path and the line
        self.origins: dict[str, tuple[str, int]] = {}
        # of those that need a restart: which the server found in a file when it started
        self.file_at_start: set[str] = set()
        self.pending_restart: set[str] = set()
        self._refresh_epoch()
        for name, text in (overrides or {}).items():
            self.set(name, text, source="command line", context="postmaster")

    def _adopt(self, key: str, row: Setting) -> None:
        if self.rows_by_name is load_settings():
            self.rows_by_name = dict(self.rows_by_name)
        self.rows_by_name[key] = row
        value = _default_of(row)
        self.values[key] = value
        self._sources[key] = row.default_source
        self._reset[key] = State(value, row.default_source)

    def _check_datestyle(self, text: str) -> str:
        current = str(self.values["datestyle"])
        return check_datestyle(text, current, default=str(self._reset["datestyle"].value))

    # Reading.

    def get(self, name: str, *, privileged: bool = True) -> str:
        """The text that SHOW gives."""
        key, row = self.find(name)
        if not privileged and "SUPERUSER_ONLY" in row.flags:
            raise PgError(
                INSUFFICIENT_PRIVILEGE,
                "must be superuser or have privileges of pg_read_all_settings"
                f' to examine "{row.name}"',
            )
        return self._shown(key, row)

    def get_missing_ok(self, name: str) -> str | None:
        """current_setting(name, true)."""
        key = setting_key(name)
        row = self.rows_by_name.get(key)
        return None if row is None else self._shown(key, row)

    def value(self, name: str) -> Typed:
        """The typed value; integers in the setting's base unit."""
        found = self.values.get(name)
        return self.values[self.find(name)[0]] if found is None else found

    def source(self, name: str) -> str:
        return self._sources[self.find(name)[0]]

    def reset_value(self, name: str) -> str:
        """The text that RESET puts in force."""
        key, row = self.find(name)
        return raw_text(row, self._reset[key].value)

    def find(self, name: str) -> tuple[str, Setting]:
        """(key, row) of a name; 42704 if there is none."""
        key = setting_key(name)
        row = self.rows_by_name.get(key)
        if row is None:
            raise PgError(UNDEFINED_OBJECT, f'unrecognized configuration parameter "{name}"')
        return key, row

    def canonical_name(self, name: str) -> str:
        """The name as pg_settings has it; one with a dot may be of a setting to come."""
        row = self.rows_by_name.get(setting_key(name))
        if row is not None:
            return row.name
        self._check_custom(name, missing_ok=False)
        return name

    def _shown(self, key: str, row: Setting) -> str:
        if key == "seed":
            return "unavailable"
        if key == "archive_command" and not self.values[key]:
            return "(disabled)"
        return show_text(row, self.values[key])

    def show_all(self, *, privileged: bool = True) -> list[tuple[str, str, str]]:
        """(name, setting, description) as SHOW ALL lists them."""
        return [
            (row.name, self._shown(key, row), row.short_desc)
            for key, row in sorted(self.rows_by_name.items())
            if _visible(row, privileged)
        ]

    def rows(self, *, privileged: bool = True) -> list[PgSettingsRow]:
        """The rows of pg_settings."""
        return [
            self._settings_row(key, row, privileged)
            for key, row in sorted(self.rows_by_name.items())
            if _visible(row, privileged)
        ]

    def _settings_row(self, key: str, row: Setting, privileged: bool) -> PgSettingsRow:
        file, line = None, None
        if privileged and self._sources[key] == _FILE:
            file, line = self.origins.get(key, (None, None))
        shown = "(disabled)" if key == "archive_command" and not self.values[key] else None
        return PgSettingsRow(
            row.name,
            shown if shown is not None else raw_text(row, self.values[key]),
            row.unit,
            row.category,
            row.short_desc,
            row.extra_desc,
            row.context,
            row.vartype,
            self._sources[key],
            row.min_val,
            row.max_val,
            list(row.enumvals) if row.vartype == "enum" else None,
            row.boot_val,
            _reset_text(row, self._reset[key].value),
            file,
            line,
            key in self.pending_restart,
        )

    # Changing.

    def set(
        self,
        name: str,
        text: str | None,
        *,
        local: bool = False,
        source: str = "session",
        superuser: bool = True,
        context: str | None = None,
        action: Level | None = None,
    ) -> None:
        """Change a setting; None is SET ... TO DEFAULT.

        context says who asks (user, backend, sighup, postmaster, internal) and follows from the
        source unless given.  action SAVE is for a function's SET clause.
        """
        key = setting_key(name)
        row = self.rows_by_name.get(key)
        if row is None:
            if text is None:
                self._check_custom(name, missing_ok=True)
                if "." not in name:
                    self.find(name)
                return
            row = self._placeholder(name)
        _check_context(row, context or _context_of(source), source, superuser)
        if text is None:
            state = self._reset[key]
        else:
            self.check_source = source
            state = State(self.parse(name, text), source)
        self._apply(key, state, action or (Level.LOCAL if local else Level.SET), text is not None)

    @contextmanager
    def replaced(self, name: str, text: str) -> Iterator[None]:
        """The setting has this value for a while; nobody else sees that it changed."""
        key = self.find(name)[0]
        held = self._state_of(key)
        self._assign(key, State(self.parse(name, text), "session"))
        try:
            yield
        finally:
            self._assign(key, held)

    def parse(self, name: str, text: str) -> Typed:
        """The typed value that a text would give; raises as set does, and changes nothing."""
        key, row = self.find(name)
        if row.vartype == "string" and key == "application_name":
            text = text.encode()[:63].decode("utf-8", "ignore")
        value = parse_value(row, text)
        hook = self.check_hooks.get(key)
        if hook is not None:
            canonical = hook(raw_text(row, value))
            value = canonical if isinstance(value, str) else parse_value(row, canonical)
        return value

    def validate(self, name: str, text: str, *, superuser: bool = True) -> None:
        """Check a setting that is to be stored: ALTER ROLE/DATABASE SET, CREATE FUNCTION SET."""
        row = self.rows_by_name.get(setting_key(name))
        if row is None or "CUSTOM_PLACEHOLDER" in row.flags:
            # what it will mean nobody knows yet: it is for those who may set everything
            self._check_custom(name, missing_ok=False)
            if not superuser:
                raise _denied(name)
            return
        _check_context(row, "user", "test", superuser)
        self.check_source = "test"
        self.parse(name, text)

    def _apply(self, key: str, state: State, action: Level, given: bool) -> None:
        rank = _RANK[state.source]
        now = State(self.values[key], self._sources[key])
        if given and rank <= _OVERRIDE:
            if rank >= _RANK[self._reset[key].source]:
                self._reset[key] = state
            if self.levels:
                self._stack.replace(key, lambda held: _RANK[held.source] <= rank, state)
            if rank < _RANK[now.source]:
                return
        elif not self._stack.save(key, now, action):
            return
        self._assign(key, state)

    def _assign(self, key: str, state: State) -> None:
        changed = self.values[key] != state.value
        self.values[key] = state.value
        self._sources[key] = state.source
        if not changed:
            return
        if key in _EPOCH_KEYS:
            self._refresh_epoch()
        if "REPORT" in self.rows_by_name[key].flags:
            self.unreported.add(key)
        hook = self.assign_hooks.get(key)
        if hook is not None:
            hook(state.value)

    def leave_file(self, key: str) -> None:
        """No configuration file has this setting any more: where its value came from one, the
        default is back."""
        del self.origins[key]
        default = _boot_state().reset.get(key) or State(
            _default_of(self.rows_by_name[key]), "default"
        )
        if self._reset[key].source == _FILE:
            self._reset[key] = default
        self._stack.replace(key, lambda held: held.source == _FILE, default)
        if self._sources[key] == _FILE:
            self._assign(key, default)

    def reset(self, name: str, *, superuser: bool = True) -> None:
        """RESET name."""
        self.set(name, None, superuser=superuser)

    def reset_all(self) -> None:
        """RESET ALL."""
        for key, row in list(self.rows_by_name.items()):
            if row.context not in ("user", "superuser") or "NO_RESET_ALL" in row.flags:
                continue
            if _RANK[self._sources[key]] > _OVERRIDE:
                self._apply(key, self._reset[key], Level.SET, False)

    # Names with a dot that nobody defined.

    def _check_custom(self, name: str, *, missing_ok: bool) -> None:
        if "." not in name:
            if missing_ok:
                return
            raise PgError(UNDEFINED_OBJECT, f'unrecognized configuration parameter "{name}"')
        if not valid_custom_name(name):
            raise PgError(
                INVALID_NAME,
                f'invalid configuration parameter name "{name}"',
                detail="Custom parameter names must be two or more simple identifiers"
                " separated by dots.",
            )
        prefix = name.split(".", 1)[0]
        if prefix in self._reserved:
            raise PgError(
                INVALID_NAME,
                f'invalid configuration parameter name "{name}"',
                detail=f'"{prefix}" is a reserved prefix.',
            )

    def check_parameter_acl_name(self, name: str) -> None:
        """check_GUC_name_for_parameter_acl: privileges are for parameters that may exist."""
        if setting_key(name) in self.rows_by_name:
            return
        if not valid_custom_name(name):
            raise PgError(INVALID_NAME, f'invalid parameter name "{name}"')

    def _placeholder(self, name: str) -> Setting:
        self._check_custom(name, missing_ok=False)
        row = Setting(
            name, "string", "user", None, "Customized Options", "", None, None, None, (),
            None, None, "default", frozenset({"CUSTOM_PLACEHOLDER", "NO_SHOW_ALL"}),
        )  # fmt: skip
        self._adopt(setting_key(name), row)
        return row

    def define(self, rows: Iterable[Setting]) -> None:
        """An extension's settings; values that placeholders held are adopted if they are valid."""
        for row in rows:
            key = row.name.lower()
            held = self.rows_by_name.get(key)
            if held is not None and "CUSTOM_PLACEHOLDER" not in held.flags:
                continue
            text = str(self.values[key]) if held is not None else None
            source = self._sources[key] if held is not None else "default"
            self._adopt(key, row)
            if text is not None and source != "default":
                self.set(row.name, text, source=source)
            self._reserved.add(row.name.split(".", 1)[0])

    def load_plpgsql(self) -> list[str]:
        """What loading plpgsql defines; the names that it takes away."""
        self.define(load_settings("plpgsql.tsv").values())
        return self.reserve_prefix("plpgsql")

    def reserve_prefix(self, prefix: str) -> list[str]:
        """MarkGUCPrefixReserved: placeholders under an extension's prefix go away."""
        self._reserved.add(prefix)
        removed = [
            row.name
            for key, row in self.rows_by_name.items()
            if "CUSTOM_PLACEHOLDER" in row.flags and key.startswith(prefix + ".")
        ]
        for name in removed:
            del self.rows_by_name[setting_key(name)]
        return removed

    # Transactions.

    def push(self) -> int:
        """A transaction, subtransaction or function with SET begins; gives the new level."""
        return self._stack.push()

    save_function_nest = push

    def pop(self, commit: bool) -> None:
        """The innermost level ends: what it must restore is restored."""
        for key, state in self._stack.pop(commit, self._state_of).items():
            if key in self.rows_by_name:
                self._assign(key, state)

    def restore_function_nest(self, level: int) -> None:
        """End the function level that save_function_nest gave, and any left open above it."""
        while self._stack.depth >= level:
            self.pop(True)

    @property
    def depth(self) -> int:
        return self._stack.depth

    def _state_of(self, key: str) -> State:
        return State(self.values[key], self._sources[key])

    # What others follow.

    def _refresh_epoch(self) -> None:
        facts = tuple(self.values[key] for key in EPOCH_SETTINGS)
        self.epoch = self._epochs.setdefault(facts, len(self._epochs) + 1)

    def changed_reports(self) -> list[tuple[str, str]]:
        """(name, SHOW text) of reported settings whose text changed since the last call."""
        if not self.unreported:
            return []
        changed = []
        for name in self.reported:
            key = name.lower()
            if key not in self.unreported:
                continue
            text = self._shown(key, self.rows_by_name[key])
            if self._last_reported.get(key) != text:
                self._last_reported[key] = text
                changed.append((name, text))
        self.unreported.clear()
        return changed


_EPOCH_KEYS = frozenset(EPOCH_SETTINGS)


def setting_key(name: str) -> str:
    """What the dicts of settings are keyed by."""
    key = name.lower()
    return OLD_NAMES.get(key, key)


def valid_custom_name(name: str) -> bool:
    """valid_custom_variable_name: simple identifiers with dots between them."""
    return "." in name and all(_CUSTOM_NAME.fullmatch(part) for part in name.split("."))


def _visible(row: Setting, privileged: bool) -> bool:
    return "NO_SHOW_ALL" not in row.flags and (privileged or "SUPERUSER_ONLY" not in row.flags)


class _Boot(NamedTuple):
    """What every new Settings starts with."""

    values: dict[str, Typed]
    sources: dict[str, str]
    reset: dict[str, State]
    reported: tuple[str, ...]


@cache
def _boot_state() -> _Boot:
    rows = load_settings()
    values = {key: _default_of(row) for key, row in rows.items()}
    sources = {key: row.default_source for key, row in rows.items()}
    reset = {key: State(values[key], source) for key, source in sources.items()}
    for name in ("isolation", "read_only", "deferrable"):
        sources[f"transaction_{name}"] = "override"
    reported = tuple(row.name for row in rows.values() if "REPORT" in row.flags)
    return _Boot(values, sources, reset, reported)


def _default_of(row: Setting) -> Typed:
    text = row.default_val
    if row.vartype == "string":
        return text or ""
    if row.vartype == "enum":
        return text or ""
    if row.vartype == "bool":
        return text == "on"
    if row.vartype == "integer":
        return int(text or 0)
    return float(text or 0)


def _reset_text(row: Setting, value: Typed) -> str | None:
    if row.vartype == "integer":
        return str(value)
    return raw_text(row, value)


def _context_of(source: str) -> str:
    if source == "configuration file":
        return "sighup"
    if source in ("command line", "environment variable", "default", "override"):
        return "postmaster"
    return "backend" if source == "client" else "user"


def _check_context(row: Setting, asked: str, source: str, superuser: bool) -> None:
    """Who may change a setting of this context, and when."""
    refuse = partial(_refusal, row.name)
    match row.context:
        case "internal":
            if asked not in ("internal",) and source not in ("default", "override"):
                raise refuse("cannot be changed")
        case "postmaster":
            if asked not in ("postmaster", "internal"):
                raise refuse("cannot be changed without restarting the server")
        case "sighup":
            if asked not in ("sighup", "postmaster", "internal"):
                raise refuse("cannot be changed now")
        case "backend" | "superuser-backend":
            if row.context == "superuser-backend" and asked == "backend" and not superuser:
                raise _denied(row.name)
            if asked == "user" and source != "client":
                raise refuse("cannot be set after connection start")
        case "superuser":
            if asked in ("user", "backend") and not superuser:
                raise _denied(row.name)


def _refusal(name: str, words: str) -> PgError:
    return PgError(CANT_CHANGE_RUNTIME_PARAM, f'parameter "{name}" {words}')


def _denied(name: str) -> PgError:
    return PgError(INSUFFICIENT_PRIVILEGE, f'permission denied to set parameter "{name}"')
