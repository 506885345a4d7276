"""A checked profile and facts in, the plan out: what follows from the profile, as plain values that layers refer to."""

from dynagen.plan.fit.models import LookUp
from dynagen.plan.planner import make_plan
from dynagen.plan.values import Plan, Worker

__all__ = ["LookUp", "Plan", "Worker", "make_plan"]
