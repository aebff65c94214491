"""WITH CHECK OPTION of views and the conditions of policies for single rows (PostgreSQL's
ExecWithCheckOptions).

Policies are asked before a row is stored, so that no constraint tells about rows that may not be
seen; the options of views when all rows are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import INSUFFICIENT_PRIVILEGE, WITH_CHECK_OPTION_VIOLATION, PgError
from pgemu.planner.plan import CheckPlan

Row = tuple[Any, ...]

_RLS_MESSAGE = {
    "rls_insert": 'new row violates row-level security policy{0} for table "{1}"',
    "rls_update": 'new row violates row-level security policy{0} for table "{1}"',
    "rls_conflict": "new row violates row-level security policy{0} (USING expression) "
    'for table "{1}"',
    "rls_merge_update": "target row violates row-level security policy{0} (USING expression) "
    'for table "{1}"',
    "rls_merge_delete": "target row violates row-level security policy{0} (USING expression) "
    'for table "{1}"',
}


def check_policies(run: Any, when: str, image: Row) -> None:
    """One row, an image as of the statement's RETURNING, against the policies."""
    plan: CheckPlan | None = run.modify.checks.get(when)
    if plan is None:
        return
    (tests,) = _results(run, plan, [image])
    for test, (policy, table) in zip(tests, plan.tests, strict=True):
        if not test:
            named = f' "{policy}"' if policy else ""
            raise PgError(INSUFFICIENT_PRIVILEGE, _RLS_MESSAGE[when].format(named, table))


def check_view_options(run: Any) -> None:
    plan: CheckPlan | None = run.modify.checks.get("view")
    if plan is None or not run.written:
        return
    for tests, image in zip(_results(run, plan, run.written), run.written, strict=True):
        for test, (_, view) in zip(tests, plan.tests, strict=True):
            if test:
                continue
            raise PgError(
                WITH_CHECK_OPTION_VIOLATION,
                f'new row violates check option for view "{view}"',
                detail=run.session.constraints.failing_row(run.writer.relation, image[3:]),
            )


def _results(run: Any, plan: CheckPlan, images: Sequence[Row]) -> Sequence[Row]:
    run.session.udfs.row_sets["returning"] = images
    rows: list[Row] = run.execute(run.session.visible_sql(plan.sql))
    return rows
