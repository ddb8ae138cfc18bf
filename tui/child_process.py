"""Ending a process that the terminal started, completely, before the event loop closes."""

from __future__ import annotations

from asyncio.subprocess import Process


def end_at_once(process: Process) -> None:
    """Kill it and close its pipes; for where nothing can be awaited any more."""
    if process.returncode is None:
        process.kill()
    process._transport.close()  # type: ignore[attr-defined]  # asyncio closes them only once the process is reaped


async def ended(process: Process | None) -> None:
    """Kill it if it runs, and wait until it is reaped."""
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()
        end_at_once(process)
