"""Results in what a command prints.

    terminal_lines.py   bytes of a stream -> lines as a terminal would leave them
    mappings.py         the JSON objects and Python dicts in a text
    numbers_in.py       numbers and steps in what was found there
    item_scores.py      what stands under a metric's name: a number, its history, or scores per item
    pattern.py          a regular expression of the task, with a limit on its time
    nearest.py          the line that comes closest to a result, with the reason why it is none
    tally.py            what was printed by one stream: last, best, disagreements
    metric_reader.py    one metric in all of it: its values, or why there are none
    output.py           all of it: reports as they come, and the results at the end
    result_file.py      the same for files
    choice.py           which value of each metric counts, where there are several

It runs in the trial's own process and needs the standard library only.
"""
