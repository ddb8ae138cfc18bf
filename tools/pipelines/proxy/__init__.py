"""A local proxy between a program that is not changed and its OpenAI-compatible provider.

    asking.py      a request of the program, read whole and refused where it is ambiguous
    matching.py    which stage of the pipeline a request belongs to
    rewriting.py   the model and temperature that the allocation gives the stage; what identifies a request
    usage.py       tokens that an answer took
    events.py      a streamed answer, event by event
    upstream.py    pooled connections to the provider
    prices.py      what a call costs, and what it may cost at most
    calls.py       the SQLite file: recorded answers, calls, and money reserved before a call leaves
    answering.py   one request from the recorded answers or the provider
    server.py      the server itself

It runs in the trial's own process: Python 3.9, standard library only.
"""
