"""What a run believes, from its task and history alone: where the optimum is, what matters, how sure it is.

`beliefs_at` gives the value `tunesmith.beliefs.Beliefs`. It reads nothing, keeps nothing and asks no model.
"""

from tunesmith.agent.beliefs.compute import beliefs_at as beliefs_at
