"""Find the linear map that joins an attention's heads, from the module path of its site."""

from torch import Tensor, nn

from zhuyi.core.record import Site

# Where the families keep it: beside the attention call, or one level up (BERT, ViT).
_PLACES = (
    "out_proj", "o_proj", "c_proj", "dense", "out_lin", "o", "Wo", "wo", "proj", "to_out.0",
    "to_out", "output.dense", "linear_out", "projection", "attn.out_proj",
)  # fmt: skip


def find_projection(model: nn.Module, site: Site) -> Tensor | None:
    """Weight "E (H D)" of the map from the joined heads to the model's width.

    Args:
        model: the watched model.
        site: a site of its tape.
    Returns: the weight, detached, or None when none of the usual names has one that fits.
    """
    modules = dict(model.named_modules())
    path = site.name.split("#")[0]
    owners = [path, path.rpartition(".")[0]] if "." in path else [path]
    for owner in owners:
        for place in _PLACES:
            found = modules.get(f"{owner}.{place}" if owner else place)
            weight = _weight(found)
            if weight is not None and weight.shape[1] % site.heads == 0:
                return weight
    return None


def _weight(module: nn.Module | None) -> Tensor | None:
    if module is None:
        return None
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.dim() != 2:
        return None
    # GPT-2 keeps its maps as Conv1D, input width first.
    return weight.detach().T if type(module).__name__ == "Conv1D" else weight.detach()
