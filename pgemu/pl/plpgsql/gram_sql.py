"""The grammar of PL/pgSQL: what every statement reads, and the statements around SQL
(PostgreSQL's pl_gram.y, read_sql_construct and its kin).
"""

from __future__ import annotations

from typing import Any, NoReturn

import pgparse

from pgemu.errors import (
    DATATYPE_MISMATCH,
    ERROR_IN_ASSIGNMENT,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.conditions import CONDITIONS
from pgemu.pl.plpgsql.datums import (
    Datum,
    Expr,
    IntoTarget,
    NsItem,
    PlType,
    Rec,
    RecField,
    Var,
    ns_lookup,
)
from pgemu.pl.plpgsql.scanner import Lines, Token, tokenize

_LEVELS = {
    "debug": "DEBUG1",
    "log": "LOG",
    "info": "INFO",
    "notice": "NOTICE",
    "warning": "WARNING",
    "exception": "ERROR",
}
_RAISE_OPTIONS = (
    "errcode",
    "message",
    "detail",
    "hint",
    "column",
    "constraint",
    "datatype",
    "table",
    "schema",
)
_DIAGNOSTICS = {
    False: ("row_count", "pg_context", "result_oid"),
    True: (
        "pg_exception_context",
        "pg_exception_detail",
        "pg_exception_hint",
        "returned_sqlstate",
        "column_name",
        "constraint_name",
        "pg_datatype_name",
        "message_text",
        "table_name",
        "schema_name",
    ),
}
_OPENING, _CLOSING = {"(": 1, "[": 1}, {")": 1, "]": 1}


class TokenReader:
    """The token stream, the namespace and the datums made so far."""

    def __init__(self, text: str, types: Any, result: s.PlResult, *, check_syntax: bool) -> None:
        self.text, self.types, self.result = text, types, result
        self.check_syntax = check_syntax
        self.lines = Lines(text)
        self.tokens = tokenize(text)
        self.at = 0
        self.ns: NsItem | None = None
        self.datums: list[Var | Rec] = []
        self.out_params: list[Var | Rec] = []
        self.variable_conflict = "error"
        self.print_strict_params = False
        # plpgsql.extra_warnings or extra_errors ask for shadowed_variables: (severity, setting)
        self.shadowing: tuple[str, str] | None = None

    # -- tokens ----------------------------------------------------------------------------------

    def tokens_of(self, text: str) -> list[Token]:
        return tokenize(text)

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.tokens[self.at]
        if self.at < len(self.tokens) - 1:
            self.at += 1
        return token

    def line(self, token: Token) -> int:
        return self.lines.of(token.start)

    def current_line(self) -> int:
        return self.line(self.peek())

    def at_word(self, *words: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "word" and token.value in words

    def at_op(self, *ops: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "op" and token.value in ops

    def accept_word(self, word: str) -> bool:
        if self.at_word(word):
            self.next()
            return True
        return False

    def accept_op(self, op: str) -> bool:
        if self.at_op(op):
            self.next()
            return True
        return False

    def expect_word(self, word: str) -> Token:
        if not self.at_word(word):
            self.syntax_error()
        return self.next()

    def expect_op(self, op: str) -> Token:
        if not self.at_op(op):
            self.syntax_error()
        return self.next()

    def where_of(self, token: Token) -> dict[str, Any]:
        return {"internal_query": self.text, "internal_position": token.start + 1}

    def syntax_error(self, token: Token | None = None) -> NoReturn:
        self.fail("syntax error", token or self.peek())

    def fail(self, message: str, token: Token) -> NoReturn:
        """plpgsql_yyerror."""
        if token.kind == "end":
            text = f"{message} at end of input"
        else:
            text = f'{message} at or near "{self.text[token.start : token.end]}"'
        raise PgError(SYNTAX_ERROR, text, **self.where_of(token))

    def any_name(self) -> list[str]:
        names = [self.next().value]
        while self.accept_op("."):
            names.append(self.next().value)
        return names

    # -- names -----------------------------------------------------------------------------------

    def push(self, label: str, kind: str) -> None:
        self.ns = NsItem("label", label, None, self.ns, kind)

    def new_var(self, name: str, dtype: PlType, lineno: int, *, isconst: bool = False) -> Var:
        var = Var(len(self.datums), name, dtype, lineno, isconst)
        self.datums.append(var)
        self.ns = NsItem("datum", name, var, self.ns)
        return var

    def new_datum(self, name: str, dtype: PlType, lineno: int) -> Var | Rec:
        if not dtype.is_row:
            return self.new_var(name, dtype, lineno)
        rec = Rec(len(self.datums), name, dtype, lineno)
        self.datums.append(rec)
        self.ns = NsItem("datum", name, rec, self.ns)
        return rec

    def is_datum(self, token: Token) -> bool:
        return ns_lookup(self.ns, False, [token.value])[0] is not None

    def read_datum(self) -> tuple[Datum | None, list[Token]]:
        """A possibly qualified name of a variable or of a record's field."""
        tokens = [self.next()]
        if tokens[0].kind == "param":
            return ns_lookup(self.ns, False, [tokens[0].value])[0], tokens
        if not tokens[0].is_name:
            return None, tokens
        while self.at_op(".") and self.peek(1).kind in ("word", "quoted"):
            self.next()
            tokens.append(self.next())
        datum, used = ns_lookup(self.ns, False, [t.value for t in tokens])
        if datum is None or used == len(tokens):
            return datum, tokens
        if isinstance(datum, Rec):
            # what follows the field is left: a part of it may be assigned to
            self.at -= 2 * (len(tokens) - used - 1)
            return RecField(datum, tokens[used].value), tokens[: used + 1]
        return None, tokens

    def known_datum(self) -> Datum:
        first = self.peek()
        datum, tokens = self.read_datum()
        if datum is None:
            if not first.is_name:
                self.syntax_error(first)
            self.not_a_variable(tokens)
        self.check_assignable(datum, first)
        return datum

    def not_a_variable(self, tokens: list[Token]) -> NoReturn:
        name = ".".join(t.value for t in tokens)
        raise PgError(SYNTAX_ERROR, f'"{name}" is not a known variable', **self.where_of(tokens[0]))

    def check_assignable(self, datum: Datum, token: Token) -> None:
        owner = datum.rec if isinstance(datum, RecField) else datum
        if owner.isconst:
            raise PgError(
                ERROR_IN_ASSIGNMENT,
                f'variable "{owner.refname}" is declared CONSTANT',
                **self.where_of(token),
            )

    # -- SQL -------------------------------------------------------------------------------------

    def read_expr(self, *ends: str, statement: bool = False, check: bool = True) -> Expr:
        """read_sql_construct: up to one of the tokens outside parentheses, which stays."""
        first, depth, last = self.peek(), 0, None
        while True:
            token = self.peek()
            value = token.value if token.kind in ("op", "word") else ""
            if not depth and value in ends:
                break
            if token.kind == "end" or (value == ";" and not depth):
                if depth:
                    self.fail("mismatched parentheses", token)
                if token.kind == "end":
                    self.syntax_error()
                what = "statement" if statement else "expression"
                words = [_shown(word) for word in ends if word not in ("..", "by")]
                wanted = ('" or "' if ends == (",", ")") else " or ").join(words)
                raise PgError(
                    SYNTAX_ERROR,
                    f'missing "{wanted}" at end of SQL {what}',
                    **self.where_of(token),
                )
            if value in _OPENING:
                depth += 1
            elif value in _CLOSING:
                depth -= 1
                if depth < 0:
                    self.fail("mismatched parentheses", token)
            last = self.next()
        if last is None:
            if statement:
                self.fail("missing SQL statement", first)
            self.fail("missing expression", first)
        expr = Expr(self.text[first.start : last.end], first.start, self.ns, statement)
        if check:
            self.check_expression(expr)
        return expr

    def check_expression(self, expr: Expr) -> None:
        """check_sql_expr: does the core grammar take it?"""
        if not self.check_syntax:
            return
        head = "" if expr.is_statement else "SELECT "
        try:
            pgparse.parse(head + expr.text)
        except pgparse.PGQueryError as error:
            position = max(error.position - len(head), 0)
            raise PgError(
                SYNTAX_ERROR,
                error.message,
                internal_query=self.text,
                internal_position=max(expr.location, 0) + max(position, 1),
            ) from None

    def read_using(self, end: str) -> list[Expr]:
        params: list[Expr] = []
        if self.accept_word("using"):
            params.append(self.read_expr(",", end))
            while self.accept_op(","):
                params.append(self.read_expr(",", end))
        return params

    def read_into(self) -> IntoTarget:
        """read_into_target: a record, or scalars."""
        first = self.peek()
        datum = self.known_datum()
        if isinstance(datum, Rec):
            if self.at_op(","):
                raise PgError(
                    SYNTAX_ERROR,
                    "record variable cannot be part of multiple-item INTO list",
                    **self.where_of(self.peek()),
                )
            return IntoTarget(datum)
        del first
        scalars: list[Var | RecField] = [datum]
        while self.at_op(","):
            self.next()
            token = self.peek()
            more = self.known_datum()
            if isinstance(more, Rec):
                raise PgError(
                    SYNTAX_ERROR,
                    f'"{more.refname}" is not a scalar variable',
                    **self.where_of(token),
                )
            scalars.append(more)
        return IntoTarget(None, tuple(scalars))

    def for_variable(self) -> list[tuple[Token, Datum | None]]:
        """The loop variables of FOR: known ones, or a name that is still free."""
        names: list[tuple[Token, Datum | None]] = []
        while True:
            token = self.peek()
            if not token.is_name:
                self.syntax_error()
            datum, tokens = self.read_datum()
            if datum is None and (names or len(tokens) > 1 or self.at_op(",")):
                self.not_a_variable(tokens)
            if names and isinstance(datum, Rec):
                raise PgError(
                    SYNTAX_ERROR,
                    f'"{datum.refname}" is not a scalar variable',
                    **self.where_of(token),
                )
            names.append((token, datum))
            if isinstance(datum, Rec) or not self.accept_op(","):
                return names

    def for_target(
        self,
        names: list[tuple[Token, Datum | None]],
        what: str = "loop variable of loop over rows must be a record variable or",
    ) -> IntoTarget:
        first, datum = names[0]
        if datum is None:
            more = "list of variables" if what.endswith("known variable or") else ""
            raise PgError(
                SYNTAX_ERROR,
                f"{what} {more or 'list of scalar variables'}",
                **self.where_of(first),
            )
        for token, one in names:
            if one is not None:
                self.check_assignable(one, token)
        if isinstance(datum, Rec):
            return IntoTarget(datum)
        scalars = []
        for token, one in names:
            if one is None or isinstance(one, Rec):
                self.not_a_variable([token])
            scalars.append(one)
        return IntoTarget(None, tuple(scalars))

    def check_sqlstate(self, token: Token) -> str:
        state = token.value
        if len(state) != 5 or not all(c.isdigit() or "A" <= c <= "Z" for c in state):
            self.fail("invalid SQLSTATE code", token)
        return state


class SqlStatements(TokenReader):
    """The statements around SQL."""

    def assignment_or_sql(self) -> s.Stmt:
        token = self.peek()
        start = self.at
        datum, tokens = self.read_datum()
        following = self.peek()
        is_operator = following.kind == "op" and following.value in (":=", "=", "[", ".")
        if following.value == "=" and _longer_operator(following, self.peek(1)):
            is_operator = False
        if not is_operator:
            self.at = start
            if datum is not None or token.kind == "param":
                self.syntax_error()
            return self._execsql(token)
        if datum is None:
            self.not_a_variable(tokens)
        self.check_assignable(datum, token)
        return self._assignment(token, datum, indirect=following.value in ("[", "."))

    def _assignment(self, token: Token, datum: Datum, *, indirect: bool) -> s.Stmt:
        depth = 0
        while True:
            one = self.peek()
            if one.kind == "end" or (one.value == ";" and one.kind == "op"):
                self.syntax_error()
            if one.kind == "op" and not depth and one.value in (":=", "="):
                break
            if one.kind == "op":
                depth += _OPENING.get(one.value, 0) - _CLOSING.get(one.value, 0)
            self.next()
        target = self.text[token.start : self.tokens[self.at - 1].end]
        operator = self.next()
        if self.at_op(";"):  # which fails when it runs
            expr = Expr("", operator.end, self.ns)
        else:
            expr = self.read_expr(";")
        self.expect_op(";")
        expr.prefix = self.text[token.start : expr.location]
        return s.Assign(self.line(token), datum, target, indirect, expr)

    def _execsql(self, first: Token) -> s.Stmt:
        """make_execsql_stmt: a SQL statement, perhaps with INTO."""
        into: IntoTarget | None = None
        strict = False
        cut: tuple[int, int] | None = None
        previous, depth, atomic = "", 0, False
        last = first
        while True:
            token = self.peek()
            if token.kind == "end":
                self.fail("unexpected end of function definition", token)
            if token.kind == "op" and token.value == ";" and not depth and not atomic:
                break
            word = token.value if token.kind == "word" else ""
            if word == "atomic" and previous == "begin":
                atomic = True
            elif word == "end" and atomic:
                atomic = False
            if word == "into" and previous not in ("insert", "merge") and first.value != "import":
                if into is not None:
                    self.fail("INTO specified more than once", token)
                self.next()
                strict = self.accept_word("strict")
                into = self.read_into()
                cut = (token.start, self.peek().start)
                previous = ""
                last = self.tokens[self.at - 1]
                continue
            if token.kind == "op":
                depth += _OPENING.get(token.value, 0) - _CLOSING.get(token.value, 0)
            previous = word
            last = self.next()
        self.expect_op(";")
        text = self.text[first.start : last.end]
        if cut is not None:
            text = (
                self.text[first.start : cut[0]]
                + " " * (cut[1] - cut[0])
                + self.text[cut[1] : last.end]
            ).rstrip()
        sql = Expr(text, first.start, self.ns, True)
        self.check_expression(sql)
        return s.ExecSql(self.line(first), sql, into, strict)

    def stmt_execute(self, lineno: int) -> s.Stmt:
        self.next()
        query = self.read_expr("into", "using", ";")
        into: IntoTarget | None = None
        strict = False
        params: list[Expr] = []
        while not self.at_op(";"):
            if self.at_word("into"):
                if into is not None:
                    self.syntax_error()
                self.next()
                strict = self.accept_word("strict")
                into = self.read_into()
            elif self.at_word("using"):
                if params:
                    self.syntax_error()
                self.next()
                params.append(self.read_expr(",", ";", "into"))
                while self.accept_op(","):
                    params.append(self.read_expr(",", ";", "into"))
            else:
                self.syntax_error()
        self.expect_op(";")
        return s.DynExecute(lineno, query, into, strict, params)

    def stmt_perform(self, lineno: int) -> s.Stmt:
        keyword = self.next()
        if self.at_op(";"):
            expr = Expr("", keyword.end, self.ns)
        else:
            expr = self.read_expr(";", check=False)
        self.expect_op(";")
        expr.text = "SELECT " + expr.text
        expr.location = keyword.start
        expr.is_statement = True
        self.check_expression(expr)
        return s.Perform(lineno, expr)

    def stmt_call(self, lineno: int) -> s.Stmt:
        return self._call(lineno, True)

    def stmt_do(self, lineno: int) -> s.Stmt:
        return self._call(lineno, False)

    def _call(self, lineno: int, is_call: bool) -> s.Stmt:
        expr = self.read_expr(";", statement=True)
        self.expect_op(";")
        return s.Call(lineno, expr, is_call)

    def stmt_null(self, lineno: int) -> s.Stmt:
        self.next()
        self.expect_op(";")
        return s.Null(lineno)

    def stmt_commit(self, lineno: int) -> s.Stmt:
        self.next()
        return s.Commit(lineno, self._chain())

    def stmt_rollback(self, lineno: int) -> s.Stmt:
        self.next()
        return s.Rollback(lineno, self._chain())

    def _chain(self) -> bool:
        chain = False
        if self.accept_word("and"):
            chain = not self.accept_word("no")
            self.expect_word("chain")
        self.expect_op(";")
        return chain

    def stmt_assert(self, lineno: int) -> s.Stmt:
        self.next()
        condition = self.read_expr(",", ";")
        message = self.read_expr(";") if self.accept_op(",") else None
        self.expect_op(";")
        return s.Assert(lineno, condition, message)

    def stmt_raise(self, lineno: int) -> s.Stmt:
        self.next()
        made = s.Raise(lineno, "ERROR", None, None, [], [])
        if self.accept_op(";"):
            made.level = "RERAISE"
            return made
        if self.at_word(*_LEVELS) and self.peek(1).value != "(":
            made.level = _LEVELS[self.next().value]
        token = self.peek()
        if token.kind == "string":
            made.message = self.next().value
            while self.accept_op(","):
                made.params.append(self.read_expr(",", ";", "using"))
            self._check_placeholders(made, token)
        elif token.is_name:
            if self.at_word("sqlstate"):
                self.next()
                if self.peek().kind != "string":
                    self.syntax_error()
                made.condition = self.check_sqlstate(self.next())
            else:
                name = self.next().value
                if name not in CONDITIONS:
                    raise PgError(UNDEFINED_OBJECT, f'unrecognized exception condition "{name}"')
                made.condition = name
        elif not self.at_word("using"):
            self.syntax_error()
        if self.accept_word("using"):
            made.options = self._raise_options()
        self.expect_op(";")
        return made

    def _raise_options(self) -> list[tuple[str, Expr]]:
        options: list[tuple[str, Expr]] = []
        while True:
            token = self.next()
            if token.value not in _RAISE_OPTIONS or token.kind != "word":
                self.fail("unrecognized RAISE statement option", token)
            if not self.at_op("=", ":="):
                self.fail('syntax error, expected "="', self.peek())
            self.next()
            options.append((token.value, self.read_expr(",", ";")))
            if not self.accept_op(","):
                return options

    def _check_placeholders(self, made: s.Raise, token: Token) -> None:
        assert made.message is not None
        wanted = made.message.replace("%%", "").count("%")
        if wanted < len(made.params):
            raise PgError(SYNTAX_ERROR, "too many parameters specified for RAISE")
        if wanted > len(made.params):
            raise PgError(SYNTAX_ERROR, "too few parameters specified for RAISE")

    def stmt_get(self, lineno: int) -> s.Stmt:
        first = self.next()
        stacked = False
        if self.at_word("current", "stacked"):
            stacked = self.next().value == "stacked"
        self.expect_word("diagnostics")
        items: list[tuple[Datum, str]] = []
        while True:
            token = self.peek()
            datum = self.known_datum()
            if isinstance(datum, Rec):
                self.fail(f'"{datum.refname}" is not a scalar variable', token)
            if not self.at_op("=", ":="):
                self.syntax_error()
            self.next()
            item = self.next()
            if item.value not in _DIAGNOSTICS[True] + _DIAGNOSTICS[False]:
                self.fail("unrecognized GET DIAGNOSTICS item", item)
            if item.value not in _DIAGNOSTICS[stacked]:
                which = "GET STACKED DIAGNOSTICS" if stacked else "GET CURRENT DIAGNOSTICS"
                raise PgError(
                    SYNTAX_ERROR,
                    f"diagnostics item {item.value.upper()} is not allowed in {which}",
                    **self.where_of(first),
                )
            items.append((datum, item.value))
            if not self.accept_op(","):
                break
        self.expect_op(";")
        return s.GetDiagnostics(lineno, stacked, items)

    # -- cursors ---------------------------------------------------------------------------------

    def _cursor_variable(self) -> Var:
        token = self.peek()
        datum, tokens = self.read_datum()
        if datum is None:
            self.not_a_variable(tokens) if token.kind in ("word", "quoted") else self.syntax_error(
                token
            )
        if not isinstance(datum, Var):
            raise PgError(
                DATATYPE_MISMATCH,
                "cursor variable must be a simple variable",
                **self.where_of(token),
            )
        if datum.type.oid != 1790:
            raise PgError(
                DATATYPE_MISMATCH,
                f'variable "{datum.refname}" must be of type cursor or refcursor',
                **self.where_of(token),
            )
        return datum

    def read_cursor_args(self, cursor: Var, until: str) -> list[Expr] | None:
        """The arguments of a bound cursor, in the order of its declaration."""
        names = [a.refname for a in cursor.cursor_args or ()]
        token = self.peek()
        if cursor.cursor_args is None:
            if self.at_op("("):
                raise PgError(
                    SYNTAX_ERROR,
                    f'cursor "{cursor.refname}" has no arguments',
                    **self.where_of(token),
                )
            return None
        if not self.accept_op("("):
            raise PgError(
                SYNTAX_ERROR, f'cursor "{cursor.refname}" has arguments', **self.where_of(token)
            )
        args: list[Expr | None] = [None] * len(names)
        for number in range(len(names)):
            position = number
            name = self.peek()
            if self.peek(1).kind == "op" and self.peek(1).value == ":=":
                if name.value not in names:
                    raise PgError(
                        SYNTAX_ERROR,
                        f'cursor "{cursor.refname}" has no argument named "{name.value}"',
                        **self.where_of(name),
                    )
                position = names.index(name.value)
                self.at += 2
            if args[position] is not None:
                raise PgError(
                    SYNTAX_ERROR,
                    f'value for parameter "{names[position]}" of cursor '
                    f'"{cursor.refname}" specified more than once',
                    **self.where_of(name),
                )
            args[position] = self.read_expr(",", ")")
            if self.at_op(")") and number < len(names) - 1:
                raise PgError(
                    SYNTAX_ERROR,
                    f'not enough arguments for cursor "{cursor.refname}"',
                    **self.where_of(self.peek()),
                )
            if self.at_op(",") and number == len(names) - 1:
                raise PgError(
                    SYNTAX_ERROR,
                    f'too many arguments for cursor "{cursor.refname}"',
                    **self.where_of(self.peek()),
                )
            if number < len(names) - 1:
                self.expect_op(",")
        self.expect_op(")")
        return [a for a in args if a is not None]

    def stmt_open(self, lineno: int) -> s.Stmt:
        self.next()
        cursor = self._cursor_variable()
        made = s.Open(lineno, cursor, cursor.cursor_scroll, None, None, [], None)
        if cursor.cursor_query is not None:
            made.args = self.read_cursor_args(cursor, ";")
            self.expect_op(";")
            return made
        if self.at_word("no"):
            self.next()
            self.expect_word("scroll")
            made.scroll = False
        elif self.accept_word("scroll"):
            made.scroll = True
        if not self.at_word("for"):
            self.fail('syntax error, expected "FOR"', self.peek())
        self.next()
        if self.accept_word("execute"):
            made.dynamic = self.read_expr("using", ";")
            made.params = self.read_using(";")
        else:
            made.query = self.read_expr(";", statement=True)
        self.expect_op(";")
        return made

    def stmt_fetch(self, lineno: int) -> s.Stmt:
        keyword = self.next()
        made = self._direction(lineno, False)
        if not self.at_word("into"):
            self.syntax_error()
        self.next()
        made.target = self.read_into()
        if not self.at_op(";"):
            self.syntax_error()
        self.next()
        if made.returns_multiple:
            raise PgError(
                "0A000",
                "FETCH statement cannot return multiple rows",
                **self.where_of(keyword),
            )
        return made

    def stmt_move(self, lineno: int) -> s.Stmt:
        self.next()
        made = self._direction(lineno, True)
        self.expect_op(";")
        return made

    def stmt_close(self, lineno: int) -> s.Stmt:
        self.next()
        cursor = self._cursor_variable()
        self.expect_op(";")
        return s.Close(lineno, cursor)

    def _direction(self, lineno: int, is_move: bool) -> s.Fetch:
        """read_fetch_direction and FROM/IN, then the cursor."""
        made = s.Fetch(lineno, None, "FETCH_FORWARD", 1, None, False, is_move, None)  # type: ignore[arg-type]
        token = self.peek()
        word = token.value if token.kind == "word" else ""
        direct = {
            "next": ("FETCH_FORWARD", 1),
            "prior": ("FETCH_BACKWARD", 1),
            "first": ("FETCH_ABSOLUTE", 1),
            "last": ("FETCH_ABSOLUTE", -1),
        }
        has_from = True
        if self.is_datum(token) and self.peek(1).value in ("into", ";"):
            has_from = False
        elif word in direct:
            self.next()
            made.direction, made.how_many = direct[word]
        elif word in ("absolute", "relative"):
            self.next()
            made.direction = f"FETCH_{word.upper()}"
            made.expr = self.read_expr("from", "in")
        elif word == "all":
            self.next()
            made.how_many, made.returns_multiple = 2**63 - 1, True
        elif word in ("forward", "backward"):
            self.next()
            made.direction = f"FETCH_{word.upper()}"
            self._optional_count(made)
        elif word not in ("from", "in"):
            if self.is_datum(token):
                has_from = False
            else:
                made.expr = self.read_expr("from", "in")
                made.returns_multiple = True
        if has_from:
            if not self.at_word("from", "in"):
                self.fail("expected FROM or IN", self.peek())
            self.next()
        made.cursor = self._cursor_variable()
        return made

    def _optional_count(self, made: s.Fetch) -> None:
        if self.at_word("from", "in"):
            return
        if self.accept_word("all"):
            made.how_many, made.returns_multiple = 2**63 - 1, True
            return
        made.expr = self.read_expr("from", "in")
        made.returns_multiple = True


def _longer_operator(first: Token, following: Token) -> bool:
    """The `=` is the beginning of another operator."""
    return following.start == first.end and following.value[:1] in tuple("=<>~!@#%^&|`?*/")


def _shown(token: str) -> str:
    return token.upper() if token.isalpha() else token
