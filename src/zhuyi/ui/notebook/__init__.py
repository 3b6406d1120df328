"""Records in notebooks and terminals: cells that need no network and no set-up call."""

from .choosing import Choice
from .showing import view
from .viewing import View

__all__ = ["Choice", "View", "view"]
