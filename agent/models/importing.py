"""One thread at a time imports openai or LangChain.

Their modules import each other in circles: another thread that imports them could see one half made.
"""

from __future__ import annotations

import threading

IMPORTING = threading.RLock()
