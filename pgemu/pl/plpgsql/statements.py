"""The statements of PL/pgSQL as the grammar makes them (PLpgSQL_stmt_* of plpgsql.h).

`what` is how CONTEXT lines call a statement (plpgsql_stmt_typename).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pgemu.pl.plpgsql.datums import Datum, Expr, IntoTarget, Rec, Var


@dataclass(eq=False, slots=True)
class Stmt:
    lineno: int
    what: ClassVar[str] = ""

    def label_of_context(self) -> str:
        return self.what


@dataclass(eq=False, slots=True)
class ExceptionHandler:
    lineno: int
    # SQLSTATEs; "OTHERS" for others
    conditions: list[str]
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class Block(Stmt):
    what: ClassVar[str] = "statement block"
    label: str | None = None
    variables: list[Var | Rec] = field(default_factory=list)
    body: list[Stmt] = field(default_factory=list)
    handlers: list[ExceptionHandler] | None = None
    sqlstate: Var | None = None
    sqlerrm: Var | None = None


@dataclass(eq=False, slots=True)
class Assign(Stmt):
    what: ClassVar[str] = "assignment"
    target: Datum
    # raw indirection (subscripts, fields) behind the target, if any, as text before :=
    target_text: str
    indirect: bool
    expr: Expr


@dataclass(eq=False, slots=True)
class If(Stmt):
    what: ClassVar[str] = "IF"
    branches: list[tuple[Expr, list[Stmt]]]
    otherwise: list[Stmt]


@dataclass(eq=False, slots=True)
class Case(Stmt):
    what: ClassVar[str] = "CASE"
    operand: Expr | None
    variable: Var | None
    branches: list[tuple[Expr, list[Stmt]]]
    otherwise: list[Stmt] | None


@dataclass(eq=False, slots=True)
class Loop(Stmt):
    what: ClassVar[str] = "LOOP"
    label: str | None
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class While(Stmt):
    what: ClassVar[str] = "WHILE"
    label: str | None
    condition: Expr
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class ForInteger(Stmt):
    what: ClassVar[str] = "FOR with integer loop variable"
    label: str | None
    variable: Var
    lower: Expr
    upper: Expr
    step: Expr | None
    reverse: bool
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class ForQuery(Stmt):
    what: ClassVar[str] = "FOR over SELECT rows"
    label: str | None
    target: IntoTarget
    query: Expr
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class ForExecute(Stmt):
    what: ClassVar[str] = "FOR over EXECUTE statement"
    label: str | None
    target: IntoTarget
    query: Expr
    params: list[Expr]
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class ForCursor(Stmt):
    what: ClassVar[str] = "FOR over cursor"
    label: str | None
    target: IntoTarget
    cursor: Var
    args: list[Expr] | None
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class ForEach(Stmt):
    what: ClassVar[str] = "FOREACH over array"
    label: str | None
    target: IntoTarget
    slice: int
    expr: Expr
    body: list[Stmt]


@dataclass(eq=False, slots=True)
class Exit(Stmt):
    is_exit: bool
    label: str | None
    condition: Expr | None

    def label_of_context(self) -> str:
        return "EXIT" if self.is_exit else "CONTINUE"


@dataclass(eq=False, slots=True)
class Return(Stmt):
    what: ClassVar[str] = "RETURN"
    expr: Expr | None


@dataclass(eq=False, slots=True)
class ReturnNext(Stmt):
    what: ClassVar[str] = "RETURN NEXT"
    expr: Expr | None


@dataclass(eq=False, slots=True)
class ReturnQuery(Stmt):
    what: ClassVar[str] = "RETURN QUERY"
    query: Expr | None
    dynamic: Expr | None
    params: list[Expr]


@dataclass(eq=False, slots=True)
class Raise(Stmt):
    what: ClassVar[str] = "RAISE"
    level: str
    condition: str | None
    message: str | None
    params: list[Expr]
    options: list[tuple[str, Expr]]


@dataclass(eq=False, slots=True)
class Assert(Stmt):
    what: ClassVar[str] = "ASSERT"
    condition: Expr
    message: Expr | None


@dataclass(eq=False, slots=True)
class ExecSql(Stmt):
    what: ClassVar[str] = "SQL statement"
    sql: Expr
    into: IntoTarget | None
    strict: bool


@dataclass(eq=False, slots=True)
class DynExecute(Stmt):
    what: ClassVar[str] = "EXECUTE"
    query: Expr
    into: IntoTarget | None
    strict: bool
    params: list[Expr]


@dataclass(eq=False, slots=True)
class Perform(Stmt):
    what: ClassVar[str] = "PERFORM"
    expr: Expr


@dataclass(eq=False, slots=True)
class Call(Stmt):
    expr: Expr
    is_call: bool

    def label_of_context(self) -> str:
        return "CALL" if self.is_call else "DO"


@dataclass(eq=False, slots=True)
class GetDiagnostics(Stmt):
    stacked: bool
    items: list[tuple[Datum, str]]

    def label_of_context(self) -> str:
        return "GET STACKED DIAGNOSTICS" if self.stacked else "GET DIAGNOSTICS"


@dataclass(eq=False, slots=True)
class Open(Stmt):
    what: ClassVar[str] = "OPEN"
    cursor: Var
    scroll: bool | None
    query: Expr | None
    dynamic: Expr | None
    params: list[Expr]
    args: list[Expr] | None


@dataclass(eq=False, slots=True)
class Fetch(Stmt):
    cursor: Var
    direction: str
    how_many: int
    expr: Expr | None
    returns_multiple: bool
    is_move: bool
    target: IntoTarget | None

    def label_of_context(self) -> str:
        return "MOVE" if self.is_move else "FETCH"


@dataclass(eq=False, slots=True)
class Close(Stmt):
    what: ClassVar[str] = "CLOSE"
    cursor: Var


@dataclass(eq=False, slots=True)
class Commit(Stmt):
    what: ClassVar[str] = "COMMIT"
    chain: bool


@dataclass(eq=False, slots=True)
class Rollback(Stmt):
    what: ClassVar[str] = "ROLLBACK"
    chain: bool


@dataclass(eq=False, slots=True)
class Null(Stmt):
    what: ClassVar[str] = "NULL"


@dataclass(eq=False)
class Function:
    """A compiled function: what exec.py runs."""

    signature: str
    name: str
    body: Block
    datums: list[Var | Rec]
    args: list[Var | Rec]
    out_params: list[Var | Rec]
    found: Var
    result_type: PlResult
    is_trigger: bool = False
    is_event_trigger: bool = False
    readonly: bool = False
    new: Rec | None = None
    old: Rec | None = None
    trigger_vars: dict[str, Var] = field(default_factory=dict)
    variable_conflict: str = "error"
    print_strict_params: bool = False


@dataclass(slots=True)
class PlResult:
    """oid: the declared (resolved) result type; columns: of a row result, else ()."""

    oid: int
    retset: bool = False
    is_row: bool = False
    columns: tuple[tuple[str, int, int], ...] = ()
    is_procedure: bool = False
    typmod: int = -1
    extra: Any = None
