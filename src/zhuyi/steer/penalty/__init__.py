"""Rules as a term of a loss: attention supervision, and soft logic on attention and outputs.

A penalty is a wish: it is weighed against the data, and a low attention is no proof that something
is not used. What must hold is a rule in the bias (`zhuyi.steer.steer`, `rules=` of an estimator).
"""

from zhuyi.steer.penalty.logic import Formula, Mass, Says, World, unlikeliness
from zhuyi.steer.penalty.mass import attended, mass_penalties
from zhuyi.steer.penalty.supervision import CrossEntropy, Hinge, Supervision

__all__ = [
    "CrossEntropy",
    "Formula",
    "Hinge",
    "Mass",
    "Says",
    "Supervision",
    "World",
    "attended",
    "mass_penalties",
    "unlikeliness",
]
