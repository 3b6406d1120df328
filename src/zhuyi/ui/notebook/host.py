"""Who is asking: a notebook that shows HTML, or a terminal. IPython is never imported for it."""

import sys
from typing import Any


def notebook_shell() -> Any | None:
    """The running IPython shell, if its front end shows HTML; None in a terminal or a script."""
    module = sys.modules.get("IPython")
    get = getattr(module, "get_ipython", None)
    shell = get() if get is not None else None
    if shell is None:
        return None
    # A terminal's shell has "text/plain" alone; kernels have all.
    formats = getattr(shell.display_formatter, "active_types", ())
    return shell if "text/html" in formats else None
