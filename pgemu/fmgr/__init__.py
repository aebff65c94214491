"""The function manager: Python bodies bound to pg_proc rows, and the context they are called in."""

from pgemu.fmgr.context import PG_EPOCH_UNIX_US, CallContext
from pgemu.fmgr.registry import (
    AggregateBinding,
    FunctionBinding,
    TypeInfo,
    aggregates,
    bound_signatures,
    functions,
    pg_aggregate,
    pg_function,
)

__all__ = [
    "PG_EPOCH_UNIX_US",
    "AggregateBinding",
    "CallContext",
    "FunctionBinding",
    "TypeInfo",
    "aggregates",
    "bound_signatures",
    "functions",
    "pg_aggregate",
    "pg_function",
]
