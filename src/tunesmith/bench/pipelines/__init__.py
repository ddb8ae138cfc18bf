"""The suite `pipeline`: allocations of a pipeline of model calls, looked up in tables of recorded samples.

landscape.py   one task and its table: every feasible allocation's item scores, so that the optimum is known
tasks.py       the tasks, each drawn anew for a seed: link_tasks.py (Link-and-Add, by variants.py and
               link_and_add/) and made_up.py (landscapes of synthetic.py)
search.py      what a contender may do and what is counted: items, cost, infeasible and repeated proposals
contenders/    who takes part
runs.py        the record of a run; measures.py, summary.py, aims.py: what all of them say
pages.py       README.md, pictures and summary.json; show.py: the terminal
"""
