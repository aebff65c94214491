"""Reading ddl.sql and writing what a statement answered, in one form for both servers."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def statements() -> list[str]:
    """The statements of ddl.sql: one a line, `--` lines are comments."""
    lines = (FOLDER / "ddl.sql").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("--")]


def answer(
    tag: str | None, error: tuple[str, str, str | None, str | None] | None, notices: list[str]
) -> str:
    """NOTICE lines, then the tag or the error."""
    lines = list(notices)
    if error is not None:
        sqlstate, message, detail, hint = error
        lines.append(f"ERROR {sqlstate}: {message}")
        lines += [f"DETAIL: {detail}"] if detail else []
        lines += [f"HINT: {hint}"] if hint else []
    else:
        lines.append(str(tag))
    return "\n".join(lines)
