"""The terminal's driver where the terminal is gone."""

import os
import pty
import termios
import threading
import tty

from textual.drivers._writer_thread import WriterThread

from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.driver import TerminalDriver, TolerantFile, typed_before


def test_output_to_a_terminal_that_is_gone_blocks_nothing(tmp_path):
    master, slave = pty.openpty()
    os.close(master)
    written = threading.Event()
    with os.fdopen(slave, "w", closefd=False) as file:
        writer = WriterThread(TolerantFile(file))
        writer.start()

        def write():
            for _ in range(200):  # far more than its queue holds
                writer.write("x" * 100)
            writer.stop()
            written.set()

        threading.Thread(target=write, daemon=True).start()
        assert written.wait(30)
    os.close(slave)
    assert TunesmithApp(tmp_path).driver_class is TerminalDriver


def test_what_was_typed_before_the_ui_had_the_terminal_keeps_its_enter_key():
    master, slave = pty.openpty()
    os.write(master, "/stop\rund ü".encode())  # the line discipline makes a new line of the first enter
    tty.setraw(slave, termios.TCSANOW)
    os.write(master, b"\r")
    assert typed_before(slave) == "/stop\rund ü\r"
    assert typed_before(slave) == ""
    os.close(master)
    os.close(slave)
