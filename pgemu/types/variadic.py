"""VARIADIC "any": functions that take any arguments, or one array in their place.

PostgreSQL's bodies ask get_fn_expr_variadic and call extract_variadic_args
(utils/fmgr/funcapi.c); here a decorator hands the elements in as if they had been arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from pgemu.fmgr import CallContext, TypeInfo
from pgemu.types.arrays_value import load_flat

Body = Callable[..., Any]


def array_elements(ctx: CallContext, array_type: int, value: str) -> tuple[int, list[Any]]:
    """(element type, storage values) of an array."""
    types = ctx.catalog.types
    element = types.element_type(array_type)
    values = load_flat(value)
    if types.io(element).storage == "blob":
        values = [bytes.fromhex(v) if isinstance(v, str) else v for v in values]
    return element, values


def variadic_any(fixed: int = 0, *, null_array: bool = True) -> Callable[[Body], Body]:
    """For bodies (ctx, info, *args) whose arguments from number fixed on are VARIADIC "any".

    null_array: a NULL array makes the result NULL; otherwise it counts as no arguments.
    """

    def decorate(body: Body) -> Body:
        @wraps(body)
        def call(ctx: CallContext, info: TypeInfo, *args: Any) -> Any:
            if not info.variadic or len(args) <= fixed:
                return body(ctx, info, *args)
            array = args[fixed]
            if array is None:
                if null_array:
                    return None
                return body(ctx, info, *args[:fixed])
            element, values = array_elements(ctx, info.arg_types[fixed], array)
            arg_types = info.arg_types[:fixed] + (element,) * len(values)
            expanded = replace(info, arg_types=arg_types, variadic=False)
            return body(ctx, expanded, *args[:fixed], *values)

        return call

    return decorate
