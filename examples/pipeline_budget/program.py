"""The example's first two stages as an ordinary LangChain program, which knows nothing of Tunesmith.

It answers one item, a JSON file, with whatever OPENAI_BASE_URL leads to, and prints its score.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

PROMPT = ChatPromptTemplate([("system", "{task}"), ("user", "{given}")])
finder = PROMPT | ChatOpenAI(model="memory-4500", temperature=1.0) | StrOutputParser()
adder = PROMPT | ChatOpenAI(model="gru-32", temperature=1.0) | StrOutputParser()

item = json.loads(Path(sys.argv[1]).read_text())
asked = {key: item[key] for key in ("asked", "shown", "numbers")}
numbers = finder.invoke({"task": "Look the three facts up.", "given": json.dumps(asked)})
total = adder.invoke({"task": "Add the three numbers.", "given": numbers})
print("total:", total)
print("score:", float(int(total) == sum(item["right"])))
