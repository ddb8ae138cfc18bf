"""Who decides what a run does next, and says why: rules without a language model, an agent with one."""
