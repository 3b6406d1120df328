"""The model that a command names."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from zhuyi.trace.adapters.transformers_heads import Task
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject


def is_estimator(model: str) -> bool:
    """Whether it names a folder of `zhuyi.learn`, as zhuyi fit writes them."""
    path = Path(model) / "model.json"
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"format": "zhuyi.learn' in file.read(4096)


def load_subject(model: str, task: str | None, *, pair: bool) -> "TransformersSubject":
    """A local folder or a hub name, loaded; an encoder given pairs compares them."""
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject

    # Its retries without a network are warnings, five lines of them before the one that counts.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    subject = TransformersSubject.load(model, cast("Task | None", task))
    if pair and task is None and subject.task == "embedding":
        return TransformersSubject.load(model, "similarity")
    return subject
