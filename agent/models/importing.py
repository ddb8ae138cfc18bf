"""One thread at a time imports the model libraries.

openai, LangChain and what is below them import each other in circles. Python lets a second thread that
imports one of them meanwhile see it half made, and the head's two threads (deciding, answering) do start
together.
"""

from __future__ import annotations

import threading

IMPORTING = threading.RLock()
"""Held around every `import` of openai, httpx2 and LangChain inside a function."""
