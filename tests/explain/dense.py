"""What a tape saw, as dense float64 arrays for the textbook formulas of tests/oracle."""

from typing import Any

import numpy as np
import torch


def eager_weights(model: Any, inputs: dict[str, torch.Tensor]) -> list[np.ndarray]:
    """The model's own attention weights by its eager kernel, independent of our watching.

    Rows of padding are set to zero: they do not count.
    """
    implementation = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            attentions = model(**inputs, output_attentions=True).attentions
    finally:
        model.set_attn_implementation(implementation)
    real = inputs["attention_mask"].bool()[:, None, :, None]
    return [(weights * real).double().numpy() for weights in attentions]


def eager_gradients(
    model: Any, inputs: dict[str, torch.Tensor], pick: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and the gradient of `pick(outputs)` by them, from autograd through dense weights."""
    implementation = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        outputs = model(**inputs, output_attentions=True)
        gradients = torch.autograd.grad(pick(outputs).sum(), outputs.attentions)
    finally:
        model.set_attn_implementation(implementation)
    real = inputs["attention_mask"].bool()[:, None, :, None]
    weights = [(a * real).detach().double().numpy() for a in outputs.attentions]
    return weights, [(g * real).double().numpy() for g in gradients]
