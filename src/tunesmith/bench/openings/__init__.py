"""What a language model's opening is worth: `tunesmith bench model`.

recorded.py (a file of answers, one a task) -> contender.py (a run that starts from one)
    -> score.py (regret against the same without a model, and against classical optimisers) -> show.py
asking.py: the answers of a model of one's own
"""

SUITE = "llambo20"
"""The suite that openings are of unless another is named."""
