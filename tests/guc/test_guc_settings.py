"""Every setting, set to sample texts, answers as PostgreSQL did (cases.jsonl, by record.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgemu.errors import PgError
from pgemu.guc import Settings
from pgemu.guc.guc_file import parse_config_text
from pgemu.guc.lists import flatten_set_variable_args, quote_identifier, split_identifier_string
from pgemu.guc.stack import Level
from pgemu.guc.timezone import zone_info


def recorded() -> Iterator[tuple[str, str, list[str | None]]]:
    text = Path(__file__).with_name("cases.jsonl").read_text()
    for line in text.split("\n"):
        if line:
            name, value, *answer = json.loads(line)
            yield name, value, answer


def answer(name: str, text: str) -> list[str | None]:
    settings = Settings()
    try:
        settings.set(name, text)
        return [settings.get(name)]
    except PgError as error:
        return [error.sqlstate, error.message, error.detail, error.hint]


def test_set_answers_as_postgresql() -> None:
    wrong = [
        (name, text, expected, got)
        for name, text, expected in recorded()
        if (got := answer(name, text)) != expected
    ]
    assert wrong == []


def test_boot_values() -> None:
    settings = Settings()
    assert settings.get("server_version") == "15.18"
    assert settings.value("server_version_num") == 150018
    assert settings.get("max_connections") == "100"
    assert settings.get("shared_buffers") == "128MB"
    assert settings.values["work_mem"] == 4096


def test_set_survives_commit_and_not_abort() -> None:
    settings = Settings()
    settings.push()
    settings.set("work_mem", "1MB")
    settings.pop(True)
    assert settings.get("work_mem") == "1MB"
    settings.push()
    settings.set("work_mem", "2MB")
    settings.pop(False)
    assert settings.get("work_mem") == "1MB"
    assert settings.source("work_mem") == "session"


@pytest.mark.parametrize("commit", [True, False])
def test_set_local_ends_with_the_transaction(commit: bool) -> None:
    settings = Settings()
    settings.push()
    settings.set("work_mem", "1MB", local=True)
    assert settings.get("work_mem") == "1MB"
    settings.pop(commit)
    assert settings.get("work_mem") == "4MB"


def test_set_then_set_local() -> None:
    settings = Settings()
    settings.push()
    settings.set("work_mem", "1MB")
    settings.set("work_mem", "2MB", local=True)
    assert settings.get("work_mem") == "2MB"
    settings.pop(True)
    assert settings.get("work_mem") == "1MB"


def test_savepoints() -> None:
    settings = Settings()
    settings.push()
    settings.set("work_mem", "1MB")
    settings.push()
    settings.set("work_mem", "2MB", local=True)
    settings.pop(True)
    assert settings.get("work_mem") == "2MB"
    settings.push()
    settings.set("work_mem", "3MB")
    settings.pop(False)
    assert settings.get("work_mem") == "2MB"
    settings.pop(True)
    assert settings.get("work_mem") == "1MB"


def test_set_local_outside_a_transaction_changes_nothing() -> None:
    settings = Settings()
    settings.set("work_mem", "1MB", local=True)
    assert settings.get("work_mem") == "4MB"


def test_function_set_clause() -> None:
    settings = Settings()
    level = settings.save_function_nest()
    settings.set("search_path", "a", action=Level.SAVE)
    settings.push()
    settings.restore_function_nest(level)
    assert settings.get("search_path") == '"$user", public'
    assert settings.depth == 0


def test_function_set_clause_masks_inner_set() -> None:
    settings = Settings()
    settings.push()
    level = settings.save_function_nest()
    settings.set("work_mem", "1MB", action=Level.SAVE)
    settings.set("enable_sort", "off")
    settings.restore_function_nest(level)
    assert settings.get("work_mem") == "4MB"
    assert settings.get("enable_sort") == "off"
    settings.pop(True)
    assert settings.get("enable_sort") == "off"


def test_reset_and_default_sources() -> None:
    settings = Settings()
    settings.set("work_mem", "1MB", source="database")
    settings.set("work_mem", "2MB", source="user")
    settings.set("work_mem", "3MB")
    settings.set("work_mem", "5MB", source="database")
    assert settings.get("work_mem") == "3MB"
    settings.reset("work_mem")
    assert settings.get("work_mem") == "2MB"
    settings.set("work_mem", "6MB")
    settings.reset_all()
    assert settings.get("work_mem") == "2MB"
    assert settings.source("work_mem") == "user"


def test_epoch_follows_what_matters() -> None:
    settings = Settings()
    first = settings.epoch
    settings.set("work_mem", "1MB")
    assert settings.epoch == first
    settings.set("search_path", "a")
    assert settings.epoch != first
    settings.reset("search_path")
    assert settings.epoch == first


def test_reports() -> None:
    settings = Settings()
    assert len(settings.changed_reports()) == 13
    assert settings.changed_reports() == []
    settings.set("timezone", "utc")
    settings.set("application_name", "x")
    settings.reset("application_name")
    assert settings.changed_reports() == [("TimeZone", "UTC")]


def test_assign_hook_also_on_restore() -> None:
    settings = Settings()
    seen: list[object] = []
    settings.assign_hooks["work_mem"] = seen.append
    settings.push()
    settings.set("work_mem", "1MB")
    settings.pop(False)
    assert seen == [1024, 4096]


def test_permissions() -> None:
    settings = Settings()
    with pytest.raises(PgError) as denied:
        settings.set("session_replication_role", "replica", superuser=False)
    assert denied.value.sqlstate == "42501"
    assert denied.value.message == 'permission denied to set parameter "session_replication_role"'
    with pytest.raises(PgError):
        settings.get("data_directory", privileged=False)


def test_plpgsql_adopts_placeholders() -> None:
    settings = Settings()
    settings.set("plpgsql.extra_errors", "all")
    settings.load_plpgsql()
    assert settings.get("plpgsql.extra_errors") == "all"
    assert settings.get("plpgsql.variable_conflict") == "error"
    with pytest.raises(PgError) as refused:
        settings.set("plpgsql.foo", "1")
    assert refused.value.detail == '"plpgsql" is a reserved prefix.'


def test_placeholder_names() -> None:
    settings = Settings()
    assert settings.get_missing_ok("my.name") is None
    settings.set("my.Name", "x")
    assert settings.get("MY.name") == "x"
    settings.reset("my.name")
    assert settings.get("my.name") == ""


def test_lists() -> None:
    settings = Settings()
    row = settings.rows_by_name["search_path"]
    assert flatten_set_variable_args(row, "search_path", ["a", "B c"]) == 'a, "B c"'
    assert split_identifier_string('A, "B""c" ,$user') == ("a", 'B"c', "$user")
    assert quote_identifier("select") == '"select"'
    with pytest.raises(PgError):
        flatten_set_variable_args(settings.rows_by_name["work_mem"], "work_mem", ["1", "2"])


def test_zone_info() -> None:
    moment = datetime(2024, 7, 1, tzinfo=UTC)
    for name, hours in {
        "<-03>+03": -3.0,
        "PST8PDT,M3.2.0,M11.1.0": -7.0,
        "<+05>-05:30": 5.5,
    }.items():
        assert moment.astimezone(zone_info(name)).utcoffset() == timedelta(hours=hours)


def test_rows_of_pg_settings() -> None:
    rows = {row.name: row for row in Settings().rows()}
    assert rows["unix_socket_permissions"].setting == "0777"
    assert rows["unix_socket_permissions"].reset_val == "511"
    assert rows["archive_command"].setting == "(disabled)"
    assert "role" not in rows


def test_config_file() -> None:
    text = "# c\nport = 1  # x\nlisten_addresses='*'\nwork_mem 1MB\na.b = 'it''s \\'q\\''\n\n"
    assert [(line.name, line.value) for line in parse_config_text(text)] == [
        ("port", "1"),
        ("listen_addresses", "*"),
        ("work_mem", "1MB"),
        ("a.b", "it's 'q'"),
    ]
    with pytest.raises(PgError):
        list(parse_config_text("port = = 1"))
