"""A training's state in one file, replaced whole: safetensors, with its JSON in the header."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.glass_box import GlassBox

if TYPE_CHECKING:
    from zhuyi.learn.training import Plan, Trained

FILE: Final = "checkpoint.safetensors"
_VERSION: Final = 1
_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Saved:
    """Everything a training needs to go on as if it had not stopped.

    Args:
        model: parameters by name.
        best: the best ones so far.
        moments: AdamW's, "step.0", "exp_avg.0", ... by the place of the parameter.
        draws: state of the generator, uint8.
        epochs: finished.
        best_epoch: whose parameters are the best.
        best_loss: of that epoch.
        history: (loss, validation loss) of each epoch.
    """

    model: dict[str, Tensor]
    best: dict[str, Tensor]
    moments: dict[str, Tensor]
    draws: Tensor
    epochs: int
    best_epoch: int
    best_loss: float
    history: list[tuple[float, float | None]]

    @classmethod
    def of(
        cls,
        model: GlassBox,
        best: dict[str, Tensor],
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
        trained: "Trained",
    ) -> "Saved":
        """The state right now."""
        state = optimizer.state_dict()["state"]
        return cls(
            model=dict(model.state_dict()),
            best=best,
            moments={f"{key}.{n}": state[n][key] for n in state for key in _MOMENTS},
            draws=generator.get_state(),
            epochs=trained.epochs,
            best_epoch=trained.best_epoch,
            best_loss=trained.best_loss,
            history=trained.history,
        )

    def restore(
        self, model: GlassBox, optimizer: torch.optim.Optimizer, generator: torch.Generator
    ) -> None:
        """Put the state back."""
        model.load_state_dict(self.model)
        # a parameter that no row uses (of numbers, in a table of categories) has no moments
        places = sorted({int(name.rpartition(".")[2]) for name in self.moments})
        entry = optimizer.state_dict()
        entry["state"] = {n: {k: self.moments[f"{k}.{n}"] for k in _MOMENTS} for n in places}
        optimizer.load_state_dict(entry)
        generator.set_state(self.draws)


def save_checkpoint(folder: Path, state: Saved, fingerprint: str) -> None:
    """Write the state; a reader sees the old file or the new one, never a half."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        **{f"model/{name}": tensor for name, tensor in state.model.items()},
        **{f"best/{name}": tensor for name, tensor in state.best.items()},
        **{f"moments/{name}": tensor for name, tensor in state.moments.items()},
        "draws": state.draws,
    }
    facts = {
        "version": _VERSION,
        "fingerprint": fingerprint,
        "epochs": state.epochs,
        "best_epoch": state.best_epoch,
        "best_loss": state.best_loss,
        "history": state.history,
    }
    unfinished = folder / f"{FILE}.part"
    own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(own, unfinished, metadata={"state": json.dumps(facts)})
    os.replace(unfinished, folder / FILE)


def load_checkpoint(folder: Path, model: GlassBox, plan: "Plan") -> Saved | None:
    """The state in the folder, or None when there is none yet.

    Raises: InputError: a file that is no checkpoint. OptionError: one of other data or settings.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("state", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no checkpoint ({error}): delete it") from None
    if facts.get("version") != _VERSION or facts.get("fingerprint") != plan.fingerprint:
        raise OptionError(
            f"{path} is the checkpoint of other data or settings (random_state=None draws another "
            "seed each time): delete it, or name another folder"
        )
    return Saved(
        model=_below("model/", tensors),
        best=_below("best/", tensors),
        moments=_below("moments/", tensors),
        draws=tensors["draws"],
        epochs=int(facts["epochs"]),
        best_epoch=int(facts["best_epoch"]),
        best_loss=float(facts["best_loss"]),
        history=[_pair(entry) for entry in facts["history"]],
    )


def _pair(entry: Any) -> tuple[float, float | None]:
    loss, validation = entry
    return float(loss), None if validation is None else float(validation)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
