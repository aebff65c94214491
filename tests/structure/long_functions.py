"""Functions over 60 lines, each with the reason why it is not shorter."""

_SEQUENCE = "a fixed sequence of steps, in PostgreSQL's order, that share their variables"
_CASES = "a case for each clause or kind, as in PostgreSQL's function of this name"

LONG_FUNCTIONS: dict[str, str] = {
    "pgemu/catalog/heap.py:heap_create_with_catalog": _SEQUENCE,
    "pgemu/commands/constraint_cmds.py:add_index_constraint": _SEQUENCE,
    "pgemu/commands/functioncmds.py:create_function": _SEQUENCE,
    "pgemu/commands/inherit.py:create_inheritance": _SEQUENCE,
    "pgemu/commands/inherit.py:merge_attributes": _CASES,
    "pgemu/commands/parse_utilcmd.py:transform_column_constraints": _CASES,
    "pgemu/commands/trigger.py:_when": _CASES,
    "pgemu/parser/parse_func.py:_build_call": _CASES,
    "pgemu/parser/parse_func.py:_check_kind": _CASES,
    "pgemu/parser/parse_func.py:parse_func_or_column": _SEQUENCE,
    "pgemu/parser/parse_target.py:transform_assigned_expr": _SEQUENCE,
    "pgemu/parser/parse_target.py:transform_assignment_indirection": _CASES,
    "pgemu/rewrite/ruleutils.py:get_indexdef": _SEQUENCE,
    "pgemu/types/interval.py:decode_interval": _CASES,
}
