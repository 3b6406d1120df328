"""Small models, fitted once for all tests here."""

from pathlib import Path

import pytest

from tests.ui.steering import small
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionClassifier,
    TextAttentionClassifier,
)


@pytest.fixture(scope="session")
def table() -> AttentionClassifier:
    return small.table()


@pytest.fixture(scope="session")
def number() -> AttentionRegressor:
    return small.number()


@pytest.fixture(scope="session")
def series() -> SeriesAttentionClassifier:
    return small.series()


@pytest.fixture(scope="session")
def texts() -> TextAttentionClassifier:
    return small.text()


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.save_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.save_llama(tmp_path_factory.mktemp("models") / "tiny-llama")
