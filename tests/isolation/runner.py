"""Run isolation specs as PostgreSQL's isolationtester does and print what it prints.

    python -m tests.isolation.runner --dsn DSN --specs FOLDER --expected FOLDER [NAME ...]

A step is sent and polled; when it is silent, the control connection asks
pg_isolation_test_session_is_blocked whether it waits for one of the other sessions.  The score
counts permutations: a block of output (from one "starting permutation" to the next) that equals
the block of an expected file (NAME.out or one of its alternatives NAME_1.out, ...).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from pgemu_protocol.backend import (
    CommandComplete,
    CopyInResponse,
    DataRow,
    ErrorResponse,
    NoticeResponse,
    NotificationResponse,
    ReadyForQuery,
    RowDescription,
)
from pgemu_protocol.frontend import CopyFail, Query
from pgemu_protocol.message import Message
from tests.isolation.result_table import print_result
from tests.isolation.spec import PermutationStep, Spec, read_spec
from tests.regress.transcript import fresh_database
from tests.regress.wire import Address, ServerRefused, Wire, WireClosed, WireTimeout

POLL_SECONDS = 0.01
OPTIONS = {
    "client_encoding": "UTF8",
    "TimeZone": "PST8PDT",
    "DateStyle": "Postgres, MDY",
    "IntervalStyle": "postgres_verbose",
}


class PermutationFailed(Exception):
    """What isolationtester would exit with; the rest of this permutation cannot be run."""


@dataclass
class SessionConnection:
    """One session of the spec."""

    name: str
    wire: Wire
    active: PermutationStep | None = None
    notices: int = 0
    answers: list[Message] = field(default_factory=list)
    notifications: list[NotificationResponse] = field(default_factory=list)
    busy: bool = False


@dataclass
class SpecRun:
    text: str
    failures: list[str]


def run_spec(spec: Spec, server: Address, max_wait: float = 30.0) -> SpecRun:
    """Run all permutations of a spec in a fresh database."""
    out = [f"Parsed test spec with {len(spec.sessions)} sessions\n"]
    failures: list[str] = []
    with fresh_database(server, "isolation") as address:
        runner: PermutationRunner | None = None
        for steps in spec.all_permutations():
            if runner is None:
                runner = PermutationRunner(spec, address, max_wait)
            try:
                runner.run(steps)
            except (PermutationFailed, WireClosed, WireTimeout, ServerRefused, OSError) as error:
                runner.out.append(f"{error}\n")
                failures.append(str(error))
                out += runner.out
                runner.close()
                runner = None
                continue
            out += runner.out
            runner.out.clear()
        if runner is not None:
            runner.close()
    return SpecRun("".join(out), failures)


class PermutationRunner:
    """The connections of one spec; run() plays one permutation into .out."""

    def __init__(self, spec: Spec, address: Address, max_wait: float) -> None:
        self.spec = spec
        self.max_wait = max_wait
        self.out: list[str] = []
        self.any_new_notice = False
        self.notice_targets: dict[tuple[int, int], int] = {}
        name = f"isolation/{spec.name}"
        self.control = Wire(
            address, options={**OPTIONS, "application_name": f"{name}/control connection"}
        )
        self.sessions = [
            SessionConnection(
                session.name,
                Wire(address, options={**OPTIONS, "application_name": f"{name}/{session.name}"}),
            )
            for session in spec.sessions
        ]
        self.pids = ", ".join(str(session.wire.process_id) for session in self.sessions)

    def close(self) -> None:
        self.control.close()
        for session in self.sessions:
            session.wire.close()

    # -- one permutation -------------------------------------------------------------------------

    def run(self, steps: list[PermutationStep]) -> None:
        names = "".join(f" {step.step.name}" for step in steps)
        self.out.append(f"\nstarting permutation:{names}\n")
        for sql in self.spec.setups:
            self.whole(self.control, sql, "setup failed", fatal=True)
        for session, read in zip(self.sessions, self.spec.sessions, strict=True):
            if read.setup is not None:
                what = f"setup of session {read.name} failed"
                self.whole(session.wire, read.setup, what, fatal=True, session=session)
        waiting: list[PermutationStep] = []
        for step in steps:
            waiting = self.launch(step, waiting)
        waiting = self.try_complete_steps(waiting, nonblock=False, retry=True)
        if waiting:
            raise PermutationFailed("failed to complete permutation due to mutually-blocking steps")
        for session, read in zip(self.sessions, self.spec.sessions, strict=True):
            if read.teardown is not None:
                what = f"teardown of session {read.name} failed"
                self.whole(session.wire, read.teardown, what, session=session)
        if self.spec.teardown is not None:
            self.whole(self.control, self.spec.teardown, "teardown failed")

    def launch(
        self, step: PermutationStep, waiting: list[PermutationStep]
    ) -> list[PermutationStep]:
        """Send one step once its session is idle; the steps that wait after it."""
        session = self.sessions[step.step.session]
        waiting = self.until_idle(session, waiting)
        session.wire.send(Query(step.step.sql))
        session.busy = True
        session.active = step
        for i, blocker in enumerate(step.blockers):
            if blocker.kind == "notices" and blocker.step is not None:
                seen = self.sessions[blocker.step.session].notices
                self.notice_targets[id(step), i] = seen + blocker.notices
        must_wait = self.try_complete_step(step, nonblock=True, retry=False)
        waiting = self.try_complete_steps(waiting, nonblock=True, retry=True)
        return [*waiting, step] if must_wait else waiting

    def until_idle(
        self, session: SessionConnection, waiting: list[PermutationStep]
    ) -> list[PermutationStep]:
        """Wait for the session's earlier step."""
        start = time.monotonic()
        while session.active is not None:
            old = session.active
            if not self.try_complete_step(old, nonblock=False, retry=True):
                waiting = [step for step in waiting if step is not old]
            waiting = self.try_complete_steps(waiting, nonblock=True, retry=True)
            if session.active is not None and time.monotonic() - start > self.max_wait:
                raise PermutationFailed(
                    f"step {old.step.name} timed out after {self.max_wait:.0f} seconds"
                )
        return waiting

    def try_complete_steps(
        self, waiting: list[PermutationStep], *, nonblock: bool, retry: bool
    ) -> list[PermutationStep]:
        """Complete what can be completed, in order; what still waits."""
        while True:
            self.any_new_notice = False
            still = [
                step
                for step in waiting
                if self.try_complete_step(step, nonblock=nonblock, retry=retry)
            ]
            progress = len(still) < len(waiting) or self.any_new_notice
            waiting = still
            # A step with blockers may have been released by one that came after it.
            if not (progress and any(step.blockers for step in waiting)):
                return waiting

    def try_complete_step(self, step: PermutationStep, *, nonblock: bool, retry: bool) -> bool:
        """True if the step is still waiting."""
        session = self.sessions[step.step.session]
        line = f"step {step.step.name}: {step.step.sql}"
        if not retry and any(blocker.kind == "once" for blocker in step.blockers):
            self.out.append(f"{line} <waiting ...>\n")
            return True
        if self.waits_for_lock(session, step, nonblock=nonblock):
            if not retry:
                self.out.append(f"{line} <waiting ...>\n")
            return True
        if self.has_blocker(step):
            if not retry:
                self.out.append(f"{line} <waiting ...>\n")
            return True
        self.out.append(f"step {step.step.name}: <... completed>\n" if retry else f"{line}\n")
        self.show_answers(session)
        session.active = None
        return False

    def waits_for_lock(
        self, session: SessionConnection, step: PermutationStep, *, nonblock: bool
    ) -> bool:
        """Read until the step's answer is whole (False) or it is found blocked (True)."""
        start = time.monotonic()
        canceled = False
        self.collect(session)
        while session.busy:
            if session.wire.pump(POLL_SECONDS):
                self.collect(session)
                continue
            if nonblock and self.is_blocked(session):
                # Notices may have come while we asked.
                while session.wire.pump():
                    self.collect(session)
                if session.busy:
                    return True
                continue
            waited = time.monotonic() - start
            if waited > self.max_wait and not canceled:
                session.wire.cancel()
                self.out.append(
                    f"isolationtester: canceling step {step.step.name} after {waited:.0f} seconds\n"
                )
                canceled = True
            if waited > 2 * self.max_wait:
                raise PermutationFailed(
                    f"step {step.step.name} timed out after {waited:.0f} seconds"
                )
        return False

    def is_blocked(self, session: SessionConnection) -> bool:
        rows = self.control.ask(
            "SELECT pg_catalog.pg_isolation_test_session_is_blocked("
            f"{session.wire.process_id}, '{{{self.pids}}}')"
        )
        return rows[0][0] == "t"

    def has_blocker(self, step: PermutationStep) -> bool:
        for i, blocker in enumerate(step.blockers):
            if blocker.step is None:
                continue
            other = self.sessions[blocker.step.session]
            if blocker.kind == "step":
                if other.active is not None and other.active.step is blocker.step:
                    return True
            elif other.notices < self.notice_targets[id(step), i]:
                return True
        return False

    # -- messages --------------------------------------------------------------------------------

    def collect(self, session: SessionConnection) -> None:
        """Sort what came into answers, notices (printed at once) and notifications."""
        while session.wire.inbox:
            message = session.wire.inbox.popleft()
            match message:
                case ReadyForQuery():
                    session.busy = False
                case NoticeResponse():
                    self.notice(session, message)
                case NotificationResponse():
                    session.notifications.append(message)
                case CopyInResponse():
                    session.wire.send(CopyFail("isolation specs have no COPY data"))
                case _:
                    session.answers.append(message)

    def notice(self, session: SessionConnection, message: NoticeResponse) -> None:
        found = {key.decode(): value for key, value in message.fields}
        text = f"{found['S']}:  {found['M']}\n"
        if "D" in found:
            text += f"DETAIL:  {found['D']}\n"
        if "H" in found:
            text += f"HINT:  {found['H']}\n"
        self.out.append(f"{session.name}: {text}")
        session.notices += 1
        self.any_new_notice = True

    def show_answers(self, session: SessionConnection) -> None:
        columns: RowDescription | None = None
        rows: list[DataRow] = []
        for message in session.answers:
            match message:
                case RowDescription():
                    columns, rows = message, []
                case DataRow():
                    rows.append(message)
                case CommandComplete():
                    if columns is not None:
                        self.out.append(print_result(columns, rows))
                    columns = None
                case ErrorResponse(fields=fields):
                    found = {key.decode(): value for key, value in fields}
                    self.out.append(f"{found['S']}:  {found['M']}\n")
                    columns = None
                case _:
                    pass
        session.answers.clear()
        while session.wire.pump():  # notifications may follow ReadyForQuery
            self.collect(session)
        for note in session.notifications:
            sender = next(
                (s.name for s in self.sessions if s.wire.process_id == note.process_id),
                f"PID {note.process_id}",
            )
            self.out.append(
                f'{session.name}: NOTIFY "{note.channel}" with payload '
                f'"{note.payload_text}" from {sender}\n'
            )
        session.notifications.clear()

    def whole(
        self,
        wire: Wire,
        sql: str,
        what: str,
        *,
        fatal: bool = False,
        session: SessionConnection | None = None,
    ) -> None:
        """Set-up and teardown: the last result counts, as PQexec gives it."""
        wire.send(Query(sql))
        columns: RowDescription | None = None
        rows: list[DataRow] = []
        last = ""
        for message in wire.until_ready(2 * self.max_wait):
            match message:
                case RowDescription():
                    columns, rows = message, []
                    last = ""
                case DataRow():
                    rows.append(message)
                case CommandComplete():
                    last = print_result(columns, rows) if columns is not None else ""
                    columns = None
                case ErrorResponse(fields=fields):
                    found = {key.decode(): value for key, value in fields}
                    text = f"{what}: {found['S']}:  {found['M']}\n"
                    for key, word in (("D", "DETAIL"), ("H", "HINT"), ("W", "CONTEXT")):
                        if key in found:
                            text += f"{word}:  {found[key]}\n"
                    if fatal:
                        raise PermutationFailed(text.rstrip("\n"))
                    last = text + "\n"
                case NoticeResponse() if session is not None:
                    self.notice(session, message)
                case NotificationResponse() if session is not None:
                    session.notifications.append(message)
                case _:
                    pass
        self.out.append(last)


# -- scoring -------------------------------------------------------------------------------------


@dataclass
class Score:
    name: str
    total: int
    matched: int
    output: str
    wrong: list[str]


def blocks(text: str) -> list[str]:
    """The permutations of an output, without the line before the first."""
    return text.split("\nstarting permutation:")[1:]


def score(spec_path: Path, expected: Path, server: Address, max_wait: float) -> Score:
    spec = read_spec(spec_path)
    name = spec_path.stem
    paths = [
        p for p in [expected / f"{name}.out", *expected.glob(f"{name}_[0-9].out")] if p.exists()
    ]
    wanted = [blocks(path.read_text(encoding="utf-8")) for path in paths]
    text = run_spec(spec, server, max_wait).text
    found = blocks(text)
    total = max([len(found), *[len(block) for block in wanted]])
    wrong = [
        "starting permutation:" + block.split("\n", 1)[0]
        for i, block in enumerate(found)
        if not any(i < len(want) and want[i].rstrip("\n") == block.rstrip("\n") for want in wanted)
    ]
    return Score(name, total, len(found) - len(wrong), text, wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--specs", type=Path, required=True)
    parser.add_argument("--expected", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="write each spec's output here")
    parser.add_argument("--max-wait", type=float, default=20.0, help="seconds for one step")
    parser.add_argument("names", nargs="*", help="specs; all of the folder if none is named")
    given = parser.parse_args()
    server = Address.of_dsn(given.dsn)
    paths = [given.specs / f"{name}.spec" for name in given.names]
    total = matched = 0
    for path in paths or sorted(given.specs.glob("*.spec")):
        try:
            found = score(path, given.expected, server, given.max_wait)
        except (WireClosed, WireTimeout, ServerRefused, OSError) as error:
            want = (given.expected / f"{path.stem}.out").read_text(encoding="utf-8")
            found = Score(path.stem, len(blocks(want)), 0, f"{error}\n", [str(error)])
        total += found.total
        matched += found.matched
        print(f"{found.name:40} {found.matched:4}/{found.total}", flush=True)
        for line in found.wrong[:3]:
            print(f"    {line[:150]}")
        if given.out is not None:
            given.out.mkdir(parents=True, exist_ok=True)
            (given.out / f"{found.name}.out").write_text(found.output, encoding="utf-8")
    print(f"permutations: {matched} of {total} match ({100 * matched / max(total, 1):.1f} %)")
    return 0 if matched == total else 1


if __name__ == "__main__":
    sys.exit(main())
