"""Answers people at a run: by a language model with the records before it, or from the records alone.

talker.py        one question: the model, and what answers where there is none or it fails
records.py       what an answer is made from
intents/         answers from the records, by what is asked
instructions.py  plain instructions, read without a model
facts.py         the records as a prompt of bounded size
memory.py        what was said before
form.py          the form of a model's answer
checking.py      cited trials against the records
"""
