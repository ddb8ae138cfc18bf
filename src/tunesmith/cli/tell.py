"""`tunesmith tell`: say something to a run from a script, and wait for what comes of it.

0    answered, or carried out
1    refused, or it cannot be followed
2    wrong input: no such run, a line that cannot be read
3    it waits for approval: nothing is changed yet
4    no reply within the time given
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.literal import literal
from tunesmith.text.terminal import print_json

if TYPE_CHECKING:
    from tunesmith.api.telling import Told
    from tunesmith.commands import Command

CODES = {"done": 0, "refused": 1, "waiting": 3, "no reply": 4}
LONGEST = 100_000
"""Characters that are read from stdin."""


class Tell(TyperCommand):
    """Takes `-10` for a word of the line, where a wrong option is still said to be one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = True
        known = {name for parameter in self.get_params(ctx) for name in (*parameter.opts, "--")}
        for word in args[: args.index("--")] if "--" in args else args:
            name = word.partition("=")[0]
            if re.match(r"-[^\d.\s]\S*$", name) and name not in known:
                ctx.fail(f"No such option: {name}. Put the line in quotes where this is a part of it.")
        return super().parse_args(ctx, args)


@report_errors
def tell(
    run: Annotated[str, typer.Argument(help="Name of a run, or its folder.", show_default=False)],
    line: Annotated[
        list[str],
        typer.Argument(
            help="A question or instruction in plain words, or a command such as /pause; - reads stdin.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Approve what plain words come to, whatever it changes.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.0, help="Seconds to wait for a reply.", show_default=True)
    ] = 300.0,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    debug: Debug = False,
) -> None:
    """Ask a run, or have it do something; also after its end.

    Questions are answered by the run's language model, within `budget.conversation`, or from the records.
    """
    from tunesmith.api.telling import tell as say
    from tunesmith.errors import UsageError
    from tunesmith.settings import ModelSettings
    from tunesmith.tools.records.run_folder import RunFolder

    text = sys.stdin.read(LONGEST) if line == ["-"] else " ".join(line)
    if not text.strip():
        raise UsageError("nothing is said. Write a question, such as: tunesmith tell RUN what matters?")
    beside = runs / run
    folder = RunFolder.open(beside if beside.is_dir() else Path(run)).path
    if (shown := _help(text)) is not None:
        width = max(len(line) for line, _ in shown)
        print("\n".join(literal(f"{line:{width}}  {effect}") for line, effect in shown))
        return
    told = say(
        folder,
        _command(folder, text),
        approve=yes,
        timeout_s=timeout,
        settings=ModelSettings.from_environment(),
    )
    if as_json:
        print_json(json.dumps(_as_json(told)).encode())
    else:
        _show(told, run)
    raise typer.Exit(CODES[told.status])


def _command(folder: Path, text: str) -> Command:
    """The command that a line asks for; what the records answer is a question that costs no call.

    Raises:
        UsageError: The line cannot be read, or is one for a terminal.
    """
    from tunesmith.api.telling import waits_for_approval
    from tunesmith.commands import Ask
    from tunesmith.errors import UsageError
    from tunesmith.steering.lines import read_line
    from tunesmith.steering.verbs import Known, LineFault, Local

    waiting = waits_for_approval(folder) if text.strip().startswith("/") else None
    read = read_line(text, Known(waiting=waiting))
    if isinstance(read, LineFault):
        raise UsageError(read.text if read.text.endswith("?") else f"{read.text}.")
    if not isinstance(read, Local):
        return read
    if read.name in ("quit", "export"):
        raise UsageError(f"/{read.name} is for a terminal: tunesmith attach.")
    return Ask(text=" ".join([f"/{read.name}", *read.arguments]))


def _help(text: str) -> list[tuple[str, str]] | None:
    """What `/help` shows; None where the line is another one."""
    from tunesmith.steering.lines import help_of, read_line
    from tunesmith.steering.verbs import Local

    read = read_line(text)
    if not isinstance(read, Local) or read.name != "help":
        return None
    return help_of(*read.arguments[:1])


def _show(told: Told, run: str) -> None:
    """The answer on stdout, what was carried out or not on stderr where it is no answer by itself."""
    if told.answer:
        print(literal(told.answer, limit=LONGEST))
    from tunesmith.steering.written import line_of

    for effect in told.effects or [line_of(action) for action in told.actions]:
        print(literal(f"would: {effect}"), file=sys.stderr)
    for done in told.done:
        print(literal(done.reply), file=sys.stdout if done.ok else sys.stderr)
    if told.status == "waiting":
        how = "Nothing is changed: the run has ended, so say it again with --yes"
        if told.request is not None:
            how = "Nothing is changed yet: it waits for approval, with --yes, in a terminal, or by "
            how += f"`tunesmith tell {run} /approve`"
        print(literal(f"{how}."), file=sys.stderr)
    elif told.status == "no reply":
        print("No reply in this time. The run may still carry it out or answer.", file=sys.stderr)


def _as_json(told: Told) -> dict[str, object]:
    return {
        "status": told.status,
        "answer": told.answer,
        "by": told.by if told.answer else None,
        "actions": [
            {**action.model_dump(mode="json"), "effect": effect}
            for action, effect in zip(told.actions, [*told.effects, *[""] * len(told.actions)], strict=False)
        ],
        "done": [{"command": each.command, "ok": each.ok, "reply": each.reply} for each in told.done],
        "request": told.request,
    }
