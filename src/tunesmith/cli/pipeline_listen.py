"""`tunesmith pipeline listen`: which calls a program makes, and how a task tells its stages apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors

if TYPE_CHECKING:
    from tunesmith.tools.pipelines.listening import Kind


@report_errors
def pipeline_listen(
    command: Annotated[
        list[str],
        typer.Argument(
            help="The program after `--`, such as `-- python app.py --question {item.question}`.",
            show_default=False,
        ),
    ],
    items: Annotated[
        str, typer.Option("--items", help="A JSON lines file, or `stages.py:items`.", show_default=False)
    ],
    first: Annotated[int, typer.Option("--first", min=1, max=1000, help="How many items to run.")] = 2,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="The provider; else OPENAI_BASE_URL, else OpenAI.")
    ] = None,
    key_env: Annotated[
        str, typer.Option("--key-env", help="The variable that holds its key.")
    ] = "OPENAI_API_KEY",
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for one item.")] = 600.0,
    debug: Debug = False,
) -> None:
    """Run a program on a few items, as it is, and print the calls that it makes.

    They go to its provider and cost what they cost. The lines for a task are printed on stdout, all else on
    stderr. {item} in the command is the path of a JSON file with the item, {item.question} one of its fields.

    Exit code 2: it cannot be started, or failed on every item.
    """
    from pydantic import ValidationError

    from tunesmith.errors import UsageError
    from tunesmith.pipeline.program import ProgramSettings
    from tunesmith.text.terminal import print_whole
    from tunesmith.tools.pipelines.items import load_items
    from tunesmith.tools.pipelines.listening import listen

    try:
        program = ProgramSettings(command=tuple(command), base_url=base_url, key_env=key_env, timeout=timeout)
    except ValidationError as error:
        first_one = error.errors()[0]
        place = ".".join(map(str, first_one["loc"])) or "command"
        raise UsageError(f"{place}: {first_one['msg'].removeprefix('Value error, ')}") from None
    folder = Path.cwd()
    heard = listen(program.model_dump(mode="json"), load_items(items, folder)[:first], folder)
    for ran in heard.ran:
        said = f"failed: {ran.fault}" if ran.fault else f"score {ran.score:g}"
        print(f"item {ran.item.id}: {len(ran.calls)} calls, {said}", file=sys.stderr)
    if not heard.kinds:
        print(
            "It made no call: does it go by OPENAI_BASE_URL? A base URL in its code passes the proxy by.",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    print(f"\n{'calls':>5}  {'prompt':>7}  {'answer':>7}  {'seconds':>7}  model", file=sys.stderr)
    for kind in heard.kinds:
        print(_line(kind), file=sys.stderr)
    print("\nFor a task, with names and models of your own:\n", file=sys.stderr)
    stated = {"command": list(program.command), **program.model_dump(mode="json", exclude_defaults=True)}
    print_whole(heard.task_lines(stated, items))


def _line(kind: Kind) -> str:
    figures = f"{kind.each('prompt'):7.0f}  {kind.each('completion'):7.0f}  {kind.each('seconds'):7.2f}"
    told = [f"header {kind.header}"] if kind.header else []
    begins = f"{' '.join(kind.prompt.split())[:60]!r}"
    told += (
        [f"{kind.system} {begins}"]
        if kind.system
        else [f"system prompts that begin {begins}"]
        if kind.varies
        else ["no system prompt"]
    )
    failed = len(kind.calls) - len(kind.answered)
    told += [f"{failed} answered by an error"] if failed else []
    return f"{len(kind.calls):5}  {figures}  {kind.model}: {'; '.join(told)}"
