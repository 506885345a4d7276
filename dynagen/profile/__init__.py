"""Profile files and layers in, one checked profile out; what the layers define together comes along as the library."""

from dynagen.profile.library import Library, find_library, name_in_expressions
from dynagen.profile.loading import load_profile
from dynagen.profile.profile import Profile
from dynagen.profile.request import Request
from dynagen.profile.schema import Schema

__all__ = ["Library", "Profile", "Request", "Schema", "find_library", "load_profile", "name_in_expressions"]
