"""Clinical notes: what treatment classes the patient's own conditions call for.

`load()` gives the model that comes with the package and `read(text)` what it makes of a note:
classes, the phrase each rests on, and for how long. The notes it learned from are templated text on
real people's conditions; it is decision support for nobody until it is validated on notes like
yours.
"""

from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.reading import Condition, read, read_all
from zhuyi.recipes.medicine.notes.shipped import load
from zhuyi.recipes.records import Options, Part

__all__ = ["CLASSES", "Condition", "load", "read", "read_all", "run"]


def run(options: Options) -> Part:
    """The part "notes" of the recipe; see `zhuyi.recipes.medicine.notes.part`."""
    from zhuyi.recipes.medicine.notes import part

    return part.run(options)
