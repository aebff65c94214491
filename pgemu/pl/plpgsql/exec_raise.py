"""RAISE, ASSERT and GET DIAGNOSTICS (pl_exec.c)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import (
    NULL_VALUE_NOT_ALLOWED,
    STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.conditions import CONDITIONS
from pgemu.pl.plpgsql.datums import Expr

OK = 0
_FIELDS = {
    "column": "column",
    "constraint": "constraint",
    "datatype": "datatype",
    "table": "table",
    "schema": "schema",
}
_STACKED = {
    "pg_exception_detail": "detail",
    "pg_exception_hint": "hint",
    "returned_sqlstate": "sqlstate",
    "column_name": "column",
    "constraint_name": "constraint",
    "pg_datatype_name": "datatype",
    "message_text": "message",
    "table_name": "table",
    "schema_name": "schema",
}
_ROUTINE = "exec_stmt_raise"
_RAISE_EXCEPTION, _ASSERT_FAILURE = "P0001", "P0004"


class Raising:
    """Mixed into Execution."""

    handler: Any
    session: Any
    error: PgError | None
    processed: int
    evaluate: Any
    assign: Any
    value_as: Any
    boolean: Any

    def _text(self, expr: Expr) -> str | None:
        value, oid, typmod = self.evaluate(expr)
        if value is None:
            return None
        text: str = self.session.output_value(oid, value, typmod)
        return text

    def _message(self, stmt: s.Raise) -> str:
        assert stmt.message is not None
        out: list[str] = []
        params = iter(stmt.params)
        text, position = stmt.message, 0
        while position < len(text):
            char = text[position]
            position += 1
            if char != "%":
                out.append(char)
            elif text[position : position + 1] == "%":
                out.append("%")
                position += 1
            else:
                shown = self._text(next(params))
                out.append("<NULL>" if shown is None else shown)
        return "".join(out)

    def run_raise(self, stmt: s.Raise) -> int:
        if stmt.level == "RERAISE":
            if self.error is None:
                raise PgError(
                    STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
                    "RAISE without parameters cannot be used outside an exception handler",
                )
            error = self.error
            error.context_of = self  # type: ignore[attr-defined]
            raise error
        fields: dict[str, str | None] = {}
        if stmt.message is not None:
            fields["message"] = self._message(stmt)
        if stmt.condition is not None:
            fields["errcode"] = _sqlstate(stmt.condition)
            if stmt.message is None:
                fields["message"] = stmt.condition
        for name, expr in stmt.options:
            value = self._text(expr)
            if value is None:
                raise PgError(NULL_VALUE_NOT_ALLOWED, "RAISE statement option cannot be null")
            if name in fields and not (
                name == "message" and stmt.message is None and stmt.condition is not None
            ):
                raise PgError(SYNTAX_ERROR, f"RAISE option already specified: {name.upper()}")
            if name == "errcode":
                fields["errcode"] = _sqlstate(value)
                fields.setdefault("default", value)
            else:
                fields[name] = value
        self._send(stmt.level, fields)
        return OK

    def _send(self, level: str, fields: dict[str, str | None]) -> None:
        code = fields.get("errcode")
        if code == "00000":  # not an error's
            code = None
        message = fields.get("message")
        more = {key: fields[key] for key in ("detail", "hint", *_FIELDS) if key in fields}
        if level == "ERROR":
            code = code or _RAISE_EXCEPTION
            if message is None:
                message = fields.get("default") or code
            raise PgError(code, message, routine=_ROUTINE, **more)  # type: ignore[arg-type]
        if message is None:
            message = fields.get("default") or code or "00000"
        default = "01000" if level == "WARNING" else "00000"
        self.session.notice(
            level,
            code or default,
            message,
            where=self.handler.context(),
            routine=_ROUTINE,
            **more,
        )

    def run_assert(self, stmt: s.Assert) -> int:
        if str(self.handler.setting("plpgsql.check_asserts", "on")) != "on":
            return OK
        if self.boolean(stmt.condition):
            return OK
        message = None
        if stmt.message is not None:
            message = self._text(stmt.message)
        raise PgError(_ASSERT_FAILURE, message if message is not None else "assertion failed")

    def run_get_diagnostics(self, stmt: s.GetDiagnostics) -> int:
        if stmt.stacked and self.error is None:
            raise PgError(
                STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
                "GET STACKED DIAGNOSTICS cannot be used outside an exception handler",
            )
        for target, item in stmt.items:
            if item == "row_count":
                self.assign(target, self.processed, 20, -1)
            elif item == "pg_context":
                self.assign(target, self.handler.context(), 25, -1)
            elif item == "result_oid":
                self.assign(target, 0, 26, -1)
            elif item == "pg_exception_context":
                assert self.error is not None
                outer = self.handler.context(skip=1)
                lines = [x for x in (self.error.where, outer) if x]
                self.assign(target, "\n".join(lines), 25, -1)
            else:
                value = getattr(self.error, _STACKED[item]) or ""
                self.assign(target, value, 25, -1)
        return OK


def _sqlstate(text: str) -> str:
    """plpgsql_recognize_err_condition."""
    if len(text) == 5 and all(c.isdigit() or "A" <= c <= "Z" for c in text):
        return text
    found = CONDITIONS.get(text)
    if found is None:
        raise PgError("42704", f'unrecognized exception condition "{text}"')
    return found[0]
