"""`pgemu serve` and its options.

Everything that PostgreSQL users expect from the environment is honoured (PGPORT, PGDATA,
POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB); options win.  A mistake is one clear line on stderr
and a non-zero exit code, and nothing was touched.
"""

from __future__ import annotations

import sys

import click

from pgemu import __version__


def _settings(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """--set name=value, several times."""
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        name = name.strip().lower().replace("-", "_")
        if not equals or not name.replace("_", "").replace(".", "").isalnum():
            raise click.BadParameter(f'"{text}" is not of the form name=value')
        found[name] = value
    return found


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="pgemu %(version)s (PostgreSQL 15)")
def cli() -> None:
    """A PostgreSQL 15 server emulator: real clients, real concurrency, no installation."""


@cli.command()
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=5432, envvar="PGPORT",
    show_default=True, show_envvar=True, help="TCP port; 0 takes any free one.",
)  # fmt: skip
@click.option(
    "--host", "hosts", multiple=True, default=("127.0.0.1",), show_default=True,
    help="Address or name to listen on; may be given several times, '*' is all, '' none.",
)  # fmt: skip
@click.option(
    "-k", "--unix-socket-dir", default="", metavar="FOLDER",
    help="Also listen on the Unix socket .s.PGSQL.<port> in this folder.",
)  # fmt: skip
@click.option(
    "-D", "--data", default=None, envvar="PGDATA", show_envvar=True, metavar="FOLDER",
    help="Keep the data here (made if new). Without it the data vanishes at exit.",
)  # fmt: skip
@click.option(
    "-U", "--user", default="postgres", envvar="POSTGRES_USER", show_default=True,
    show_envvar=True, help="Superuser of a fresh cluster.",
)  # fmt: skip
@click.option(
    "-d", "--dbname", default=None, envvar="POSTGRES_DB", show_envvar=True,
    help="Database of a fresh cluster, beside postgres.  [default: postgres]",
)  # fmt: skip
@click.option(
    "--password", default=None, envvar="POSTGRES_PASSWORD", show_envvar=True,
    help="The superuser's password; with one, scram-sha-256 is asked for. Without: trust.",
)  # fmt: skip
@click.option(
    "-c", "--set", "settings", multiple=True, callback=_settings, metavar="NAME=VALUE",
    help="A setting, as in postgresql.conf; may be given several times.",
)  # fmt: skip
@click.option(
    "--die-with-parent", is_flag=True, help="End when the process that started this one ends."
)
@click.option("--parent-pid", type=int, default=0, hidden=True)
@click.option(
    "--ready-fd", type=int, default=-1, metavar="FD",
    help="Write the DSN to this file descriptor once the port is open, then close it.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print nothing on standard output.")
@click.option("--backend", default="", hidden=True)
def serve(
    port: int,
    hosts: tuple[str, ...],
    unix_socket_dir: str,
    data: str | None,
    user: str,
    dbname: str | None,
    password: str | None,
    settings: dict[str, str],
    die_with_parent: bool,
    parent_pid: int,
    ready_fd: int,
    quiet: bool,
    backend: str,
) -> int:
    """Run a server until SIGTERM (waits for clients), SIGINT or SIGQUIT."""
    from pgemu.postmaster.config import BACKEND, ServerConfig
    from pgemu.postmaster.postmaster import serve as serve_here

    hosts = tuple(host for host in hosts if host)
    if not hosts and not unix_socket_dir:
        raise click.UsageError("nothing to listen on: give --host or --unix-socket-dir")
    for what, name in (("user", user), ("database", dbname or "postgres")):
        if not name or "\0" in name or len(name.encode()) > 63:
            raise click.UsageError(f'invalid {what} name "{name}"')
    return serve_here(
        ServerConfig(
            hosts=hosts,
            port=port,
            unix_socket_dir=unix_socket_dir,
            data=data or None,
            user=user,
            dbname=dbname or "postgres",
            password=password or None,
            settings=settings,
            die_with_parent=die_with_parent,
            parent_pid=parent_pid,
            ready_fd=ready_fd,
            quiet=quiet,
            backend=backend or BACKEND,
        )
    )


def run(arguments: list[str] | None = None) -> int:
    """Parse, run, and report mistakes as one line."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["container"]:  # its arguments are those of the container image
        from pgemu.cli.container import run_container

        return run_container(arguments[1:])
    try:
        result = cli.main(args=arguments, prog_name="pgemu", standalone_mode=False)
    except click.UsageError as error:
        sys.stderr.write(f"pgemu: {error.format_message()} (try 'pgemu --help')\n")
        return error.exit_code
    except click.ClickException as error:
        sys.stderr.write(f"pgemu: {error.format_message()}\n")
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        return 130
    return result if isinstance(result, int) else 0
