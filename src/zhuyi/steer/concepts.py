"""A concept of an ontology, with all that is below it, as a text speaks of it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from zhuyi.errors import OptionError
from zhuyi.steer.layout import Layout
from zhuyi.steer.ontology import IS_A, KINDS, Ontology, read_ontology
from zhuyi.steer.phrases import Phrases
from zhuyi.steer.selectors import Matched, spanned

#: A broad or merely related name of a concept may be the name of something else.
NAMES: Final = ("label", "exact", "narrow")


@dataclass(frozen=True)
class Concept:
    """Every name of a concept and of those below it.

    Args:
        file: an OBO, OWL or SKOS file, see `zhuyi.steer.ontology`.
        under: identifier or label of the concept.
        via: the relation along which others are below it.
        names: which names count, of "label", "exact", "narrow", "broad", "related", "id".
    Raises:
        OptionError: for an unknown kind of name; on matching, for an unknown concept or relation.
        InputError: on matching, if the file cannot be read.
    Cost: the file is read once; then a text costs its length.
    Not: understanding. A name is found where it is written out, not where it is paraphrased,
        inflected or negated.
    """

    file: str
    under: str
    via: str = IS_A
    names: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        check_names(self.names)

    def match(self, layout: Layout) -> Matched:
        """Tokens of all occurrences of all names."""
        phrases = self.phrases()
        return spanned(layout, ((start, stop) for start, stop, _ in phrases.longest(layout.text)))

    def phrases(self) -> Phrases:
        """The names that are looked for."""
        return _phrases(self, read_ontology(self.file))


def check_names(names: tuple[str, ...]) -> None:
    """Raises: OptionError: for no or an unknown kind of name."""
    if not names or set(names) - set(KINDS):
        raise OptionError(f"names must be some of {', '.join(KINDS)}, got {names!r}")


@lru_cache(maxsize=32)
def _phrases(concept: Concept, read: Ontology) -> Phrases:
    below = read.below(read.concept(concept.under), concept.via)
    return Phrases(read.called(below, concept.names))
