"""Where a value of a manifest came from: found (`explainer`), addressed (`address`), and shown (`text`, `data`)."""

from dynagen.explain.address import AddressError, find_object, find_value
from dynagen.explain.data import to_data
from dynagen.explain.explained import Explanation
from dynagen.explain.explainer import Explainer
from dynagen.explain.text import Marks, to_text, to_tree_text

__all__ = [
    "AddressError", "Explainer", "Explanation", "Marks", "find_object", "find_value", "to_data", "to_text", "to_tree_text",
]  # fmt: skip
