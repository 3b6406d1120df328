"""The callbacks in a real Trainer of transformers and of Lightning, on a CPU, in seconds."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.ui.live.trainings import Remembering, Tiny, noise, subject_of, tiny
from zhuyi.errors import BackendUnavailable
from zhuyi.trace.adapters import lightning_training
from zhuyi.ui.live import AttentionLogger
from zhuyi.ui.view.pack import unpack


@pytest.mark.filterwarnings("ignore")  # theirs, of which there are many
def test_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from tests.trace.subject_models import bert, bert_tokenizer
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject

    model, tokenizer = bert(), bert_tokenizer()
    texts = ["the quick brown fox", "a lazy dog", "good film", "bad film"] * 4
    rows = [
        {**tokenizer(text, padding="max_length", max_length=8), "labels": n % 3}
        for n, text in enumerate(texts)
    ]
    sink = Remembering()
    subject = TransformersSubject(model, tokenizer)
    logger = AttentionLogger(sink, (subject, ["the film was very good"]), every=3)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=2, num_train_epochs=1,
        report_to=[], use_cpu=True, save_strategy="no", logging_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, callbacks=[logger.for_transformers()]
    )
    trainer.train()
    assert sink.steps() == [1, 3, 6, 8]
    assert sink.closed == 1
    assert sink.tracks["0"][0] == "the film was very good"
    first, last = (unpack(sink.moments["0", step].head)[0] for step in (1, 8))
    assert first["probability"] != last["probability"]
    assert len(sink.in_full["0", 8]) == 12


class Steps(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Twelve inputs with their classes."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        return noise(5, 16, seed=place), torch.tensor(place % 3)


def lightning_model(package: Any, inner: Tiny) -> Any:
    class Trained(package.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.inner(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Trained()


@pytest.fixture
def only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One of Lightning's packages, as if it were the only one imported."""
    package = pytest.importorskip(request.param)
    monkeypatch.setattr(lightning_training, "_PACKAGES", (request.param,))
    return package


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("only", ["lightning.pytorch", "pytorch_lightning"], indirect=True)
def test_lightning(only: Any, tmp_path: Path) -> None:
    inner, sink = tiny(), Remembering()
    logger = AttentionLogger(sink, (subject_of(inner), noise(1, 5, 16)), every=2)
    trainer = only.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=2,
        default_root_dir=tmp_path, callbacks=[logger.for_lightning()],
    )  # fmt: skip
    loader = torch.utils.data.DataLoader(Steps(), batch_size=3)
    trainer.fit(lightning_model(only, inner), loader)
    assert trainer.global_step == 4
    assert sink.steps() == [0, 2, 4]
    assert sink.closed == 1
    assert inner.training


def test_a_callback_of_both_packages_is_taken_by_both() -> None:
    first = pytest.importorskip("lightning.pytorch")
    second = pytest.importorskip("pytorch_lightning")
    callback = lightning_training.lightning_callback(lambda step: None, lambda: None)
    assert isinstance(callback, first.Callback)
    assert isinstance(callback, second.Callback)


def test_without_lightning_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightning_training, "_PACKAGES", ("no_such_lightning",))
    with pytest.raises(BackendUnavailable, match="pip install lightning"):
        lightning_training.lightning_callback(lambda step: None, lambda: None)
