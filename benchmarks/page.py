"""How large is a page, against BertViz's for the same model and text?"""

import json

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from benchmarks.measure import Row, save
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.ui.looking import Choice, look
from zhuyi.ui.view.page import build_page

QUESTION = "size of a page for 144 heads, against BertViz's model view of the same weights"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def parts() -> tuple[BertForSequenceClassification, PreTrainedTokenizerFast]:
    """BERT-base's shape with random weights, sharpened so that heads have habits."""
    words = [f"word{index}" for index in range(200)]
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    pairs = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=pairs)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=4096,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=4096)
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            layer.attention.self.query.weight.mul_(6.0)
    return model, fast


def bertviz_bytes(model: torch.nn.Module, tokens: torch.Tensor, labels: list[str]) -> int:
    """The size of BertViz's own page of all heads, exactly as it returns it."""
    from bertviz import model_view

    model.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = model(tokens, output_attentions=True).attentions
    page = model_view(attentions, labels, html_action="return", display_mode="light")
    return len(page.data.encode())


def main() -> None:
    """512 tokens against BertViz, 4,000 tokens against the 5 MB bar."""
    rows: list[Row] = []
    model, tokenizer = parts()
    one = TransformersSubject(model, tokenizer)
    sizes = {}
    for length in (512, 4000):
        text = " ".join(f"word{(index * index) % 200}" for index in range(length - 2))
        found = look(one, [text], model="random", texts=(text,), choice=Choice())
        sizes[length] = len(build_page(found.looked, found.detail_of).encode())
        case = f"{length} tokens, 144 heads: our page"
        rows.append(Row(case=case, figure=sizes[length] / 1e6, bar=5.0, unit="MB"))
        if length == 512:
            tokens = tokenizer(text, return_tensors="pt")["input_ids"]
            labels = tokenizer.convert_ids_to_tokens(tokens[0])
    try:
        theirs = bertviz_bytes(model, tokens, labels)
        how = "BertViz 1.4, model_view(html_action='return')"
    except ImportError:
        theirs = len(json.dumps([0.1234567890123456] * 1000)) * 144 * 512 * 512 // 1000
        how = "BertViz is not installed: its JSON numbers counted, 20 bytes a weight"
    rows.append(
        Row(
            case="512 tokens, 144 heads: times smaller than BertViz's",
            figure=theirs / sizes[512],
            bar=50,
            at_least=True,
            detail={"bertviz_MB": theirs / 1e6, "how": how},
        )
    )
    save("page", QUESTION, rows)


if __name__ == "__main__":
    main()
