"""The command line: parse, call the API, print. One file a command; nothing heavy loads for `--help`."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tunesmith.cli import (
    attach,
    bank,
    beliefs,
    bench,
    bench_model,
    best,
    chat,
    check,
    compare,
    export,
    init,
    ls,
    pipeline_listen,
    pipeline_verify,
    report,
    retrain,
    run,
    start,
    tell,
)
from tunesmith.text.terminal import clean_streams


class Commands(TyperGroup):
    """Commands of one word, and of two where such a one is registered, such as `bench model`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        two = " ".join(args[:2])
        if len(args) > 1 and two in self.commands:
            return two, self.commands[two], args[2:]
        if args[0] not in self.commands and (ours := self._of(args[0])):
            if args[1:2] in ([], ["-h"], ["--help"]):
                print("\n".join(ours), file=sys.stdout if args[1:] else sys.stderr)
                ctx.exit(0 if args[1:] else 2)
            names = ", ".join(name for name in self.commands if name.startswith(f"{args[0]} "))
            ctx.fail(f"No such command {two!r}. There are {names}.")
        return super().resolve_command(ctx, args)

    def _of(self, word: str) -> list[str]:
        """The commands of two words that begin with one, each with what it does."""
        return [
            f"  tunesmith {name:17} {command.get_short_help_str(200)}"
            for name, command in self.commands.items()
            if name.startswith(f"{word} ")
        ]


app = typer.Typer(
    name="tunesmith",
    cls=Commands,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,  # rich's help costs 0.2 s of imports
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        print(f"tunesmith {metadata.version('tunesmith')}")
        raise typer.Exit(0)


@app.callback()
def options(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tune a training job: an agent proposes and explains, statistics decides.

    Works without a language model. Set OPENAI_API_KEY, or TUNESMITH_BASE_URL for a server of your own,
    to give it one. Without a command it shows the runs and tasks of this folder.
    """
    if ctx.invoked_subcommand is None:
        start.start()


app.command("run")(run.run)
app.command("chat")(chat.chat)
app.command("attach")(attach.attach)
app.command("ls")(ls.ls)
app.command("tell", cls=tell.Tell)(tell.tell)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("report")(report.report)
app.command("beliefs")(beliefs.beliefs)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("best")(best.best)
app.command("retrain")(retrain.retrain)
app.command("bench")(bench.bench)
app.command("bench model")(bench_model.bench_model)
app.command("bank record")(bank.record)
app.command("bank export")(bank.export)
app.command("bank import")(bank.take)
app.command("bank info")(bank.info)
app.command("pipeline listen")(pipeline_listen.pipeline_listen)
app.command("pipeline verify")(pipeline_verify.pipeline_verify)


def main() -> None:
    """Entry point of the `tunesmith` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without a `±` should not end a run
            stream.reconfigure(errors="backslashreplace")
    clean_streams()
    app()
