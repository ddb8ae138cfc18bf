"""The search space: parameters, conditions, constraints, and the unit cube they live in."""

from tunesmith.space.choices import Bool, Categorical, Ordinal
from tunesmith.space.constraints import Constraint
from tunesmith.space.encoding import Column
from tunesmith.space.floats import Float
from tunesmith.space.ints import Int
from tunesmith.space.parameter import Parameter
from tunesmith.space.space import Space

__all__ = ["Bool", "Categorical", "Column", "Constraint", "Float", "Int", "Ordinal", "Parameter", "Space"]
