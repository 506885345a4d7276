"""A checked profile and facts in, the plan out: what follows from the profile, as plain values that layers refer to."""

from dynagen.plan.planner import make_plan
from dynagen.plan.values import Plan, Worker
from dynagen.profile.facts import LookUp

__all__ = ["LookUp", "Plan", "Worker", "make_plan"]
