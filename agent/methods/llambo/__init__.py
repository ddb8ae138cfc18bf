"""LLAMBO: natural-language Bayesian optimisation (Liu et al., ICLR 2024), whole or in parts.

`method.py` registers it for task files, `sampler.py` offers it as an Optuna sampler, `parts.py` names its
parts: `zero_shot.py` (warm start), `candidate_sampler.py`, `discriminative.py`, `generative.py`, joined by
`strategy.py`. `settings.py` has every setting and upstream's constants.
"""
