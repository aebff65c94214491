"""The grammar of PL/pgSQL: blocks, declarations and control structures (PostgreSQL's pl_gram.y).

A recursive-descent parser over scanner.py.  libpg_query's own PL/pgSQL tree is not used: it drops
which block a variable belongs to, and errors come without their position.
"""

from __future__ import annotations

from typing import NoReturn

import pgparse

from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
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
    Var,
    ns_find_nearest_loop,
    ns_lookup,
    ns_lookup_label,
)
from pgemu.pl.plpgsql.extra_checks import shadowed_variable
from pgemu.pl.plpgsql.gram_sql import SqlStatements
from pgemu.pl.plpgsql.scanner import RESERVED, UNRESERVED, Token

_END_OF_DECLARATION = (";", ":=", "=", "default", "not", "collate", ",", ")")
_LOOPS = ("loop", "while", "for", "foreach")


class Parser(SqlStatements):
    """Parses one body.  types: resolves the names of data types (compile.TypeResolver)."""

    def parse_function(self) -> s.Block:
        while self.at_op("#"):
            self._compile_option()
        if self.at_op("<<") or self.at_word("declare", "begin"):
            label = self._block_label()
            block = self._block(label)
        else:
            self.syntax_error()
        self.accept_op(";")
        if self.peek().kind != "end":
            self.syntax_error()
        return block

    def _compile_option(self) -> None:
        self.expect_op("#")
        name = self.next()
        if name.value == "variable_conflict":
            value = self.next().value
            if value not in ("error", "use_variable", "use_column"):
                self.syntax_error(self.tokens[self.at - 1])
            self.variable_conflict = value
        elif name.value == "print_strict_params":
            value = self.next().value
            if value not in ("on", "off"):
                raise PgError(INTERNAL_ERROR, f"unrecognized print_strict_params option {value}")
            self.print_strict_params = value == "on"
        elif name.value in ("option", "dump"):
            if name.value == "option":
                self.next()
        else:
            self.syntax_error(name)

    def _block_label(self) -> str | None:
        if not self.accept_op("<<"):
            return None
        token = self.next()
        if not token.is_name:
            self.syntax_error(token)
        self.expect_op(">>")
        return token.value

    # -- blocks ------------------------------------------------------------------------------

    def _block(self, label: str | None) -> s.Block:
        outer = self.ns
        self.push(label or "", "block")
        variables: list[Var | Rec] = []
        while self.accept_word("declare"):
            while not self.at_word("begin", "declare"):
                made = self._declaration()
                if made is not None:
                    variables.append(made)
        begin = self.expect_word("begin")
        block = s.Block(self.line(begin), label, variables)
        block.body = self._statements("end", "exception")
        if self.accept_word("exception"):
            self._exception_section(block)
        self.expect_word("end")
        self._end_label(label)
        self.ns = outer
        return block

    def _end_label(self, label: str | None, what: str = "block") -> None:
        token = self.peek()
        if not token.is_name:
            return
        self.next()
        if label is None:
            raise PgError(
                SYNTAX_ERROR,
                f'end label "{token.value}" specified for unlabeled {what}',
                **self.where_of(token),
            )
        if label != token.value:
            raise PgError(
                SYNTAX_ERROR,
                f'end label "{token.value}" differs from {what}\'s label "{label}"',
                **self.where_of(token),
            )

    def _exception_section(self, block: s.Block) -> None:
        lineno = self.line(self.tokens[self.at - 1])
        text = self.types.plain(25)
        block.sqlstate = self.new_var("sqlstate", text, lineno, isconst=True)
        block.sqlerrm = self.new_var("sqlerrm", text, lineno, isconst=True)
        block.handlers = []
        while self.at_word("when"):
            when = self.next()
            conditions = [*self._condition()]
            while self.accept_word("or"):
                conditions += self._condition()
            self.expect_word("then")
            body = self._statements("when", "end")
            block.handlers.append(s.ExceptionHandler(self.line(when), conditions, body))
        if not block.handlers:
            self.syntax_error()

    def _condition(self) -> list[str]:
        token = self.next()
        if not token.is_name:
            self.syntax_error(token)
        if token.value == "sqlstate":
            state = self.next()
            if state.kind != "string":
                self.syntax_error(state)
            return [self.check_sqlstate(state)]
        if token.value == "others":
            return ["OTHERS"]
        found = CONDITIONS.get(token.value)
        if found is None:
            raise PgError(UNDEFINED_OBJECT, f'unrecognized exception condition "{token.value}"')
        return found

    # -- declarations --------------------------------------------------------------------------

    def _declaration(self) -> Var | Rec | None:
        name = self.next()
        if not name.is_name:
            self.syntax_error(name)
        self._check_free(name)
        lineno = self.line(name)
        if self.at_word("alias"):
            self.next()
            self.expect_word("for")
            self._alias(name.value)
            return None
        scroll: bool | None = None
        if self.at_word("no") and self.peek(1).value == "scroll":
            self.at += 2
            scroll = False
        elif self.at_word("scroll"):
            self.next()
            scroll = True
        if self.at_word("cursor"):
            return self._cursor_declaration(name.value, lineno, scroll)
        isconst = self.accept_word("constant")
        dtype, collate = self._read_type(name.value), None
        if self.accept_word("collate"):
            collating = self.peek()
            collate = self.any_name()
        notnull = False
        constraint = self.peek()
        if self.accept_word("not"):
            self.expect_word("null")
            notnull = True
        default = None
        if self.at_op(":=", "=") or self.at_word("default"):
            self.next()
            default = self.read_expr(";")
        self.expect_op(";")
        if notnull and default is None:
            raise PgError(
                "22004",
                f'variable "{name.value}" must have a default value, since it\'s declared NOT NULL',
                **self.where_of(constraint),
            )
        if collate is not None:
            if not dtype.collation:
                shown = self.types.catalog.type_name(dtype.oid)
                raise PgError(
                    DATATYPE_MISMATCH,
                    f"collations are not supported by type {shown}",
                    **self.where_of(self.tokens[self.tokens.index(collating) - 1]),
                )
            dtype = self.types.with_collation(dtype, collate)
        made = self.new_datum(name.value, dtype, lineno)
        made.isconst, made.notnull, made.default = isconst, notnull, default
        return made

    def _check_free(self, name: Token) -> None:
        if ns_lookup(self.ns, True, [name.value])[0] is not None:
            raise PgError(
                SYNTAX_ERROR,
                f'duplicate declaration at or near "{name.value}"',
                **self.where_of(name),
            )
        if self.shadowing is not None and ns_lookup(self.ns, False, [name.value])[0] is not None:
            shadowed_variable(
                self.types.session, self.shadowing[0], name.value, self.where_of(name)
            )

    def _alias(self, name: str) -> None:
        token = self.next()
        names = [token.value]
        while self.accept_op("."):
            names.append(self.next().value)
        datum, _ = ns_lookup(self.ns, False, names)
        if datum is None:
            raise PgError(
                UNDEFINED_OBJECT,
                f'variable "{".".join(names)}" does not exist',
                **self.where_of(token),
            )
        self.expect_op(";")
        self.ns = NsItem("datum", name, datum, self.ns)

    def _cursor_declaration(self, name: str, lineno: int, scroll: bool | None) -> Var:
        self.expect_word("cursor")
        outer = self.ns
        args: list[Var] | None = None
        if self.accept_op("("):
            self.push("", "other")
            args = []
            while True:
                arg = self.next()
                dtype = self._read_type(arg.value)
                made = self.new_datum(arg.value, dtype, self.line(arg))
                assert isinstance(made, Var)
                args.append(made)
                if not self.accept_op(","):
                    break
            self.expect_op(")")
        if not self.at_word("is", "for"):
            self.syntax_error()
        self.next()
        query = self.read_expr(";", statement=True)
        self.expect_op(";")
        self.ns = outer
        var = self.new_var(name, self.types.plain(1790), lineno)
        var.cursor_query, var.cursor_scroll, var.cursor_args = query, scroll, args
        var.is_cursor = True
        return var

    def _read_type(self, name: str) -> PlType:
        """read_datatype: the tokens up to what cannot belong to a type."""
        first, depth, last = self.peek(), 0, None
        while True:
            token = self.peek()
            if token.kind == "end":
                if depth:
                    self.fail("mismatched parentheses", token)
                self.fail("incomplete data type declaration", token)
            value = token.value if token.kind in ("op", "word") else ""
            if not depth and value in _END_OF_DECLARATION:
                break
            if value == "(":
                depth += 1
            elif value == ")":
                depth -= 1
            last = self.next()
        if last is None:
            self.fail("missing data type declaration", first)
        text = self.text[first.start : last.end]
        variable = self._type_of_variable(text, first)
        if variable is not None:
            return variable
        try:
            dtype: PlType = self.types.resolve(text, name)
        except PgError as error:
            at_rowtype = text.lower().endswith("%rowtype")
            error.location = error.position = None
            if error.sqlstate == SYNTAX_ERROR:
                self._bad_type(text, first)
            if not (at_rowtype or error.sqlstate == FEATURE_NOT_SUPPORTED):
                error.internal_query, error.internal_position = self.text, first.start + 1
            raise
        return dtype

    def _bad_type(self, text: str, first: Token) -> NoReturn:
        """The core grammar does not take it (typeStringToTypeName)."""
        before = "SELECT CAST(NULL AS "
        try:
            pgparse.parse(f"{before}{text})")
        except pgparse.PGQueryError as error:
            at = (error.position or 1) - 1 - len(before)
        else:
            raise PgError(
                SYNTAX_ERROR, f'invalid type name "{text}"', **self.where_of(first)
            ) from None
        token = next(t for t in self.tokens_of(text) if t.end > at or t.kind == "end")
        if token.kind == "end":
            self.fail("syntax error", token)
        near = text[token.start : token.end]
        raise PgError(
            SYNTAX_ERROR,
            f'syntax error at or near "{near}"',
            internal_query=self.text,
            internal_position=first.start + token.start + 1,
            where=f'invalid type name "{text}"',
        )

    def _type_of_variable(self, text: str, first: Token) -> PlType | None:
        """`x%TYPE` of a variable."""
        head, percent, word = text.rpartition("%")
        if not percent or word.strip().lower() not in ("type", "rowtype"):
            return None
        names = [t.value for t in self.tokens_of(head) if t.kind in ("word", "quoted")]
        names += [t.value for t in self.tokens_of(head) if t.kind == "param" and not names]
        if not names:
            return None
        datum, used = ns_lookup(self.ns, False, names)
        if not isinstance(datum, Var) or word.strip().lower() == "rowtype":
            return None
        return datum.type if used == len(names) else None

    # -- statements ----------------------------------------------------------------------------

    def _statements(self, *ends: str) -> list[s.Stmt]:
        body: list[s.Stmt] = []
        while not self.at_word(*ends):
            if self.peek().kind == "end":
                self.syntax_error()
            made = self._statement()
            if not isinstance(made, s.Null):
                body.append(made)
        return body

    def _statement(self) -> s.Stmt:
        token = self.peek()
        if self.at_op("<<"):
            label = self._block_label()
            if self.at_word("declare", "begin"):
                block = self._block(label)
                self.expect_op(";")
                return block
            if self.at_word(*_LOOPS):
                return self._loop(label)
            self.syntax_error()
        if token.kind == "word" and not self._is_assignment():
            if token.value in ("declare", "begin"):
                block = self._block(None)
                self.expect_op(";")
                return block
            if token.value in _LOOPS:
                return self._loop(None)
            reader = getattr(self, f"stmt_{token.value}", None)
            if reader is not None:
                made: s.Stmt = reader(self.line(token))
                return made
            if token.value in RESERVED or (token.value in UNRESERVED and self.peek(1).value != "."):
                self.syntax_error()
        elif token.kind not in ("word", "quoted", "param"):
            self.syntax_error()
        return self.assignment_or_sql()

    def _is_assignment(self) -> bool:
        """The word starts an assignment to a variable of that name."""
        following = self.peek(1)
        if following.kind != "op" or following.value not in (":=", "=", "[", "."):
            return False
        return ns_lookup(self.ns, False, [self.peek().value])[0] is not None

    def stmt_if(self, lineno: int) -> s.Stmt:
        self.next()
        branches = [(self.read_expr("then"), self._then())]
        otherwise: list[s.Stmt] = []
        while True:
            if self.at_word("elsif", "elseif"):
                self.next()
                branches.append((self.read_expr("then"), self._then()))
            elif self.accept_word("else"):
                otherwise = self._statements("end")
            else:
                break
        self.expect_word("end")
        self.expect_word("if")
        self.expect_op(";")
        return s.If(lineno, branches, otherwise)

    def _then(self) -> list[s.Stmt]:
        self.expect_word("then")
        return self._statements("elsif", "elseif", "else", "end")

    def stmt_case(self, lineno: int) -> s.Stmt:
        self.next()
        operand = None if self.at_word("when") else self.read_expr("when")
        variable = None
        outer = self.ns
        if operand is not None:
            variable = self.new_var(
                f"__Case__Variable_{len(self.datums)}__", self.types.plain(23), lineno
            )
        branches: list[tuple[Expr, list[s.Stmt]]] = []
        while self.accept_word("when"):
            condition = self.read_expr("then")
            if variable is not None:
                condition.text = f'"{variable.refname}" IN ({condition.text})'
                condition.location = -1
            self.expect_word("then")
            branches.append((condition, self._statements("when", "else", "end")))
        otherwise = self._statements("end") if self.accept_word("else") else None
        self.expect_word("end")
        self.expect_word("case")
        self.expect_op(";")
        self.ns = outer
        return s.Case(lineno, operand, variable, branches, otherwise)

    # -- loops ---------------------------------------------------------------------------------

    def _loop(self, label: str | None) -> s.Stmt:
        outer = self.ns
        self.push(label or "", "loop")
        token = self.next()
        lineno = self.line(token)
        made: s.Stmt
        if token.value == "loop":
            made = s.Loop(lineno, label, self._loop_body(label))
        elif token.value == "while":
            condition = self.read_expr("loop")
            self.expect_word("loop")
            made = s.While(lineno, label, condition, self._loop_body(label))
        elif token.value == "for":
            made = self._for(lineno, label)
        else:
            made = self._foreach(lineno, label)
        self.ns = outer
        return made

    def _loop_body(self, label: str | None) -> list[s.Stmt]:
        body = self._statements("end")
        self.expect_word("end")
        self.expect_word("loop")
        self._end_label(label)
        self.expect_op(";")
        return body

    def _foreach(self, lineno: int, label: str | None) -> s.Stmt:
        names = self.for_variable()
        width = 0
        if self.accept_word("slice"):
            if not self.peek().value.isdigit():
                self.syntax_error()
            width = int(self.next().value)
        self.expect_word("in")
        self.expect_word("array")
        target = self.for_target(names, "loop variable of FOREACH must be a known variable or")
        expr = self.read_expr("loop")
        self.expect_word("loop")
        return s.ForEach(lineno, label, target, width, expr, self._loop_body(label))

    def _for(self, lineno: int, label: str | None) -> s.Stmt:
        names = self.for_variable()
        self.expect_word("in")
        if self.accept_word("execute"):
            target = self.for_target(names)
            query = self.read_expr("loop", "using")
            params = self.read_using("loop")
            self.expect_word("loop")
            return s.ForExecute(lineno, label, target, query, params, self._loop_body(label))
        cursor = self._for_cursor()
        if cursor is not None:
            return self._for_over_cursor(lineno, label, names[0][0], cursor)
        return self._for_query_or_integer(lineno, label, names)

    def _for_cursor(self) -> Var | None:
        token = self.peek()
        if token.kind not in ("word", "quoted"):
            return None
        following = self.peek(1)
        if following.value not in ("loop", "("):
            return None
        datum, _ = ns_lookup(self.ns, False, [token.value])
        if isinstance(datum, Var) and datum.type.oid == 1790:
            self.next()
            if not datum.is_cursor:
                raise PgError(
                    SYNTAX_ERROR,
                    "cursor FOR loop must use a bound cursor variable",
                    **self.where_of(token),
                )
            return datum
        return None

    def _for_over_cursor(self, lineno: int, label: str | None, name: Token, cursor: Var) -> s.Stmt:
        args = self.read_cursor_args(cursor, "loop")
        rec = self.new_datum(name.value, self.types.plain(2249), self.line(name))
        assert isinstance(rec, Rec)
        self.expect_word("loop")
        target = IntoTarget(rec)
        return s.ForCursor(lineno, label, target, cursor, args, self._loop_body(label))

    def _for_query_or_integer(
        self, lineno: int, label: str | None, names: list[tuple[Token, Datum | None]]
    ) -> s.Stmt:
        reverse = False
        if self.at_word("reverse"):
            self.next()
            reverse = True
        start = self.at
        first = self.read_expr("..", "loop", check=False)
        if self.accept_op(".."):
            self.check_expression(first)
            upper = self.read_expr("loop", "by")
            step = self.read_expr("loop") if self.accept_word("by") else None
            self.expect_word("loop")
            if len(names) > 1:
                raise PgError(
                    SYNTAX_ERROR,
                    "integer FOR loop must have only one target variable",
                    **self.where_of(names[0][0]),
                )
            variable = self.new_var(names[0][0].value, self.types.plain(23), lineno)
            return s.ForInteger(
                lineno, label, variable, first, upper, step, reverse, self._loop_body(label)
            )
        if reverse:
            raise PgError(
                SYNTAX_ERROR,
                "cannot specify REVERSE in query FOR loop",
                **self.where_of(self.tokens[start - 1]),
            )
        query = Expr(first.text, first.location, first.ns, True)
        self.check_expression(query)
        target = self.for_target(names)
        self.expect_word("loop")
        return s.ForQuery(lineno, label, target, query, self._loop_body(label))

    def stmt_exit(self, lineno: int) -> s.Stmt:
        return self._exit(lineno, True)

    def stmt_continue(self, lineno: int) -> s.Stmt:
        return self._exit(lineno, False)

    def _exit(self, lineno: int, is_exit: bool) -> s.Stmt:
        keyword = self.next()
        label = None
        name = self.peek()
        if name.is_name:
            label = self.next().value
        condition = self.read_expr(";") if self.accept_word("when") else None
        self.expect_op(";")
        if label is not None:
            item = ns_lookup_label(self.ns, label)
            if item is None:
                raise PgError(
                    SYNTAX_ERROR,
                    f'there is no label "{label}" attached to any block or loop '
                    "enclosing this statement",
                    **self.where_of(name),
                )
            if item.label != "loop" and not is_exit:
                raise PgError(
                    SYNTAX_ERROR,
                    f'block label "{label}" cannot be used in CONTINUE',
                    **self.where_of(name),
                )
        elif ns_find_nearest_loop(self.ns) is None:
            message = (
                "EXIT cannot be used outside a loop, unless it has a label"
                if is_exit
                else "CONTINUE cannot be used outside a loop"
            )
            raise PgError(SYNTAX_ERROR, message, **self.where_of(keyword))
        return s.Exit(lineno, is_exit, label, condition)

    # -- RETURN --------------------------------------------------------------------------------

    def stmt_return(self, lineno: int) -> s.Stmt:
        keyword = self.next()
        if self.at_word("next") and not self.is_datum(self.peek()):
            self.next()
            return self._return_next(lineno, keyword)
        if self.at_word("query") and not self.is_datum(self.peek()):
            self.next()
            return self._return_query(lineno, keyword)
        result = self.result
        token = self.peek()
        if self.accept_op(";"):
            if not (
                result.retset
                or result.oid == 2278
                or self.out_params
                or result.is_procedure
                or result.oid == 0
            ):
                raise PgError(
                    SYNTAX_ERROR,
                    f'missing expression at or near "{token.value}"',
                    **self.where_of(token),
                )
            return s.Return(lineno, None)
        self._check_return(token)
        expr = self.read_expr(";")
        self.expect_op(";")
        return s.Return(lineno, expr)

    def _check_return(self, token: Token) -> None:
        result = self.result
        message, hint = "", None
        if result.retset:
            message = "RETURN cannot have a parameter in function returning set"
            hint = "Use RETURN NEXT or RETURN QUERY."
        elif self.out_params and not result.is_procedure:
            message = "RETURN cannot have a parameter in function with OUT parameters"
        elif result.is_procedure:
            message = "RETURN cannot have a parameter in a procedure"
        elif result.oid == 2278:
            message = "RETURN cannot have a parameter in function returning void"
        if message:
            code = SYNTAX_ERROR if result.is_procedure else DATATYPE_MISMATCH
            raise PgError(code, message, hint=hint, **self.where_of(token))

    def _return_next(self, lineno: int, keyword: Token) -> s.Stmt:
        token = self.peek()
        if not self.result.retset:
            raise PgError(
                DATATYPE_MISMATCH,
                "cannot use RETURN NEXT in a non-SETOF function",
                **self.where_of(keyword),
            )
        if self.out_params:
            if not self.accept_op(";"):
                raise PgError(
                    DATATYPE_MISMATCH,
                    "RETURN NEXT cannot have a parameter in function with OUT parameters",
                    **self.where_of(token),
                )
            return s.ReturnNext(lineno, None)
        expr = self.read_expr(";")
        self.expect_op(";")
        return s.ReturnNext(lineno, expr)

    def _return_query(self, lineno: int, keyword: Token) -> s.Stmt:
        if not self.result.retset:
            raise PgError(
                DATATYPE_MISMATCH,
                "cannot use RETURN QUERY in a non-SETOF function",
                **self.where_of(keyword),
            )
        if self.accept_word("execute"):
            dynamic = self.read_expr(";", "using")
            params = self.read_using(";")
            self.expect_op(";")
            return s.ReturnQuery(lineno, None, dynamic, params)
        query = self.read_expr(";", statement=True)
        self.expect_op(";")
        return s.ReturnQuery(lineno, query, None, [])
