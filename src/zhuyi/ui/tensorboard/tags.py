"""What our summaries are called in an event file; the sink writes these names, the tab reads them.

    ID/track        one tensor: the track's pack; its display name is what a person calls the track
    ID/moment       one tensor a look: what was decided
    ID/layer_007    one tensor a look: the pictures of that layer's heads
    ID/details      one blob sequence a detailed look: a JSON list of heads, the whole moment, and
                    one pack a head

A detailed look carries its moment again: TensorBoard drops looks at random, and details without
their moment could not be shown. A tensor is uint8 [bytes].
"""

import re
from typing import Final

#: Under this name TensorBoard knows the plug-in and the data that belongs to it.
PLUGIN: Final = "zhuyi"
#: Version of the tags' meaning, kept with each tag.
CONTENT: Final = b'{"v":1}'
#: Sub-folder of a run that our event files have for themselves.
FOLDER: Final = "attention"

_TAG = re.compile(r"([A-Za-z0-9_-]{1,64})/(track|moment|details|layer_[0-9]{3,6})")


def track_tag(track: str) -> str:
    """Tag of a track's pack."""
    return f"{track}/track"


def moment_tag(track: str) -> str:
    """Tag of what was decided, step by step."""
    return f"{track}/moment"


def layer_tag(track: str, layer: int) -> str:
    """Tag of one layer's pictures, step by step."""
    return f"{track}/layer_{layer:03d}"


def details_tag(track: str) -> str:
    """Tag of heads in full."""
    return f"{track}/details"


def parse(tag: str) -> tuple[str, str] | None:
    """Track and part ("track", "moment", "details", "layer_007") of a tag; None if not ours."""
    found = _TAG.fullmatch(tag)
    return None if found is None else (found[1], found[2])
