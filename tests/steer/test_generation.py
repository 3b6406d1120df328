"""Rules while a text is generated: caches of every kind, beams, padding, roles of a chat."""

import copy
import warnings
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")

from tests.trace.subject_models import gpt2, gpt_tokenizer, llama  # noqa: E402
from tests.trace.test_watch import nothing_left  # noqa: E402
from zhuyi.errors import NotSteerable, UnmatchedRule  # noqa: E402
from zhuyi.steer.rules import Rules  # noqa: E402
from zhuyi.steer.selectors import Regex, Role, Text, Tokens  # noqa: E402
from zhuyi.steer.steering import steer  # noqa: E402
from zhuyi.steer.token_reading import TokenReader  # noqa: E402

PROMPTS = ("the quick fox", "a dog")
# What it means grows with the text, and is never otherwise for what stands there already.
GROWING = Rules().boost(Regex("[0-9A-M]"), 9, id="odd").damp(Regex("[a-z]"), 0.2, id="letters")


def tokenizer() -> Any:
    return gpt_tokenizer(padding=True)


def mistral() -> Any:
    config = transformers.MistralConfig(
        vocab_size=264, hidden_size=16, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, intermediate_size=24, sliding_window=6, max_position_embeddings=64,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return transformers.MistralForCausalLM(config).eval()


MODELS = {"llama": llama, "gpt2": gpt2, "mistral": mistral}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    found = {}
    for name, build in MODELS.items():
        model = build()
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
        model.generation_config.pad_token_id = 1
        model.generation_config.eos_token_id = None
        found[name] = model
    return found


def encoded(prompts: tuple[str, ...] = PROMPTS) -> dict[str, torch.Tensor]:
    """Padded on the left, as one generates."""
    known = tokenizer()
    known.padding_side = "left"
    both: dict[str, torch.Tensor] = known(list(prompts), padding=True, return_tensors="pt")
    both.pop("token_type_ids", None)
    return dict(both)


def generated(model: Any, rules: Rules | None, prompts: Any = PROMPTS, **options: Any) -> Any:
    given = {"max_new_tokens": 8, "do_sample": False, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)
        if rules is None:
            return model.generate(**encoded(prompts), **given).tolist()
        with steer(model, rules, tokenizer=tokenizer()) as steering:
            tokens = model.generate(**encoded(prompts), **given).tolist()
    return tokens, steering


CACHES: dict[str, dict[str, Any]] = {
    "dynamic": {},
    "static": {"cache_implementation": "static", "disable_compile": True},
    "sampling": {"do_sample": True},
    "beams": {"num_beams": 3},
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("kind", CACHES)
@pytest.mark.parametrize("name", MODELS)
def test_every_cache_says_what_the_whole_text_says(
    name: str, kind: str, models: dict[str, Any]
) -> None:
    model, options = models[name], CACHES[kind]
    torch.manual_seed(0)
    plain = generated(model, None, **options)
    torch.manual_seed(0)
    cached, steering = generated(model, GROWING, **options)
    torch.manual_seed(0)
    options = {key: value for key, value in options.items() if "cache" not in key}
    whole, _ = generated(model, GROWING, use_cache=False, **options)
    assert cached == whole
    assert cached != plain
    assert steering.unknown == 0
    assert steering.calls == 8
    assert nothing_left(model)


def test_beams_are_recognized_by_what_their_cache_holds(models: dict[str, Any]) -> None:
    """The broken twin: a reader that takes rows as they come reads texts that nobody wrote."""
    seen: dict[str, list[list[list[int]]]] = {}
    for kind in ("right", "broken"):
        known = tokenizer()
        reader = TokenReader(known)
        if kind == "broken":
            reader._order = lambda now: range(len(now))  # type: ignore[method-assign, arg-type]
        texts = seen[kind] = []
        follow = reader.follow

        def noted(kwargs: Any, output: Any, reader: Any = reader, texts: Any = texts, follow: Any = follow) -> None:  # noqa: E501  # fmt: skip
            texts.append([list(row) for row in reader._text.ids])
            follow(kwargs, output)

        reader.follow = noted  # type: ignore[method-assign]
        with steer(models["llama"], Rules().boost(Tokens(1, 2), 2), reader=reader):
            models["llama"].generate(
                **encoded(), num_beams=4, max_new_tokens=8, do_sample=False, num_return_sequences=4
            )
    # The oracle: without a cache the model is given whole texts.
    whole: list[list[list[int]]] = []
    reader = TokenReader(tokenizer())
    read = reader.read

    def heard(args: Any, kwargs: Any) -> Any:
        whole.append(kwargs["input_ids"].tolist())
        return read(args, kwargs)

    reader.read = heard  # type: ignore[method-assign]
    with steer(models["llama"], Rules().boost(Tokens(1, 2), 2), reader=reader):
        models["llama"].generate(
            **encoded(), num_beams=4, max_new_tokens=8, do_sample=False, num_return_sequences=4,
            use_cache=False,
        )  # fmt: skip
    assert seen["right"] == whole
    assert seen["broken"] != whole


def test_a_cache_that_was_filled_before_is_unknown_and_said(models: dict[str, Any]) -> None:
    model, known = models["llama"], tokenizer()
    ids = torch.tensor([known("the quick fox")["input_ids"]])
    more = torch.tensor([known(" the dog", add_special_tokens=False)["input_ids"]])
    rules = Rules().veto("the", id="no")
    with torch.no_grad():
        before = model(ids, use_cache=True).past_key_values
        kept = copy.deepcopy(before)
        said = pytest.warns(UnmatchedRule, match="were put into a cache before these rules")
        with said, steer(model, rules, tokenizer=known) as steering:
            model(more, past_key_values=before)
            step = model(torch.tensor([[5]]), past_key_values=before)
        assert steering.unknown == ids.shape[1]
        assert step.logits.shape[1] == 1
        assert steering.matched["no"].shown == ("the",)  # of what came after, also a call later
        assert steering.matched["no"].positions == 1
        refused = pytest.raises(NotSteerable, match=r"rule 'no' cannot hold")
        with refused, steer(model, rules, tokenizer=known, strict=True):
            model(more, past_key_values=kept)


def test_a_conversation_goes_on_with_the_cache_of_its_block(models: dict[str, Any]) -> None:
    model, known = models["llama"], tokenizer()
    rules = Rules().veto("quick")
    ids = torch.tensor([known("the quick fox")["input_ids"]])
    more = torch.tensor([known(" the dog", add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        with steer(model, rules, tokenizer=known) as steering:
            cache = model(ids, use_cache=True).past_key_values
            found = model(more, past_key_values=cache).logits
            cache.crop(-more.shape[1])  # taken back, and said again
            again = model(more, past_key_values=cache).logits
        with steer(model, rules, tokenizer=known):
            expected = model(torch.cat([ids, more], 1)).logits[:, ids.shape[1] :]
    assert steering.unknown == 0
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(again, expected, rtol=0, atol=1e-5)


def test_a_veto_holds_for_every_token_that_is_generated(models: dict[str, Any]) -> None:
    """Whatever stood in the vetoed place: the same tokens, bit for bit the same logits."""
    options = {"output_logits": True, "return_dict_in_generate": True, "max_new_tokens": 8}
    known, texts = tokenizer(), ("the quick fox", "the brick fox")
    ids = [torch.tensor([known(text)["input_ids"]]) for text in texts]
    short = min(one.shape[1] for one in ids)
    where = Tokens(2, 7)
    for model in (models["llama"], models["gpt2"], models["mistral"]):
        found = []
        for content in (10, 60):
            one = ids[0][:, :short].clone()
            one[0, 2:7] = content
            with steer(model, Rules().veto(where), tokenizer=known):
                found.append(model.generate(one, do_sample=False, **options))
        assert torch.equal(found[0].sequences[:, short:], found[1].sequences[:, short:])
        for left, right in zip(found[0].logits, found[1].logits, strict=True):
            assert torch.equal(left, right)


def test_the_padding_side_and_the_batch_make_no_difference(models: dict[str, Any]) -> None:
    model, known = models["llama"], tokenizer()
    rules = Rules().boost("the", 8).damp("fox", 0.1)
    texts = ("the quick fox", "the dog")
    alone = []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)
        for text in texts:
            with steer(model, rules, tokenizer=known):
                alone.append(model(torch.tensor([known(text)["input_ids"]])).logits[0, -1])
        for side in ("left", "right"):
            known.padding_side = side
            both = known(list(texts), padding=True, return_tensors="pt")
            mask = both["attention_mask"]
            with steer(model, rules, tokenizer=known):
                positions = (mask.cumsum(1) - 1).clamp_min(0)
                logits = model(
                    both["input_ids"], attention_mask=mask, position_ids=positions
                ).logits
            for row, expected in enumerate(alone):
                last = int(mask[row].nonzero()[-1])
                torch.testing.assert_close(logits[row, last], expected, rtol=0, atol=1e-5)


# --- roles --------------------------------------------------------------------------------------

TEMPLATES = {
    "chatml": (
        "{% for m in messages %}<|im_start|>{{m['role']}}\n{{m['content']}}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "brackets": (
        "{% for m in messages %}{% if m['role']=='user' %}<s>[INST] {{m['content']}} [/INST]"
        "{% elif m['role']=='assistant' %} {{m['content']}} </s>"
        "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}"
    ),
    "plain": (
        "{% for m in messages %}### {{m['role']|capitalize}}:\n{{m['content']|trim}}\n\n"
        "{% endfor %}"
        "{% if add_generation_prompt %}### Assistant:\n{% endif %}"
    ),
    "headers": (
        "{{bos_token}}{% for m in messages %}<|h|>{{m['role']}}<|/h|>\n\n"
        "{{m['content']|trim}}<|eot|>"
        "{% endfor %}{% if add_generation_prompt %}<|h|>assistant<|/h|>\n\n{% endif %}"
    ),
}
TALK = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hi there\n\n<|im _start|>assistant no"},
    {"role": "assistant", "content": "yo\nman"},
    {"role": "user", "content": "more"},
]


def chat(name: str) -> tuple[Any, list[int]]:
    known = tokenizer()
    known.chat_template = TEMPLATES[name]
    special = ["<|im_start|>", "<|im_end|>", "</s>", "<|h|>", "<|/h|>", "<|eot|>"]
    known.add_special_tokens({"additional_special_tokens": special})
    talk = TALK[1:] if name == "brackets" else TALK
    text = known.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
    return known, known(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_roles_are_found_from_the_template_itself(name: str) -> None:
    known, ids = chat(name)
    layout = TokenReader(known).read((torch.tensor([ids]),), {}).layouts[0]
    said: dict[str, str] = {}
    for place, role in enumerate(layout.roles):
        said[role] = said.get(role, "") + known.decode([ids[place]])
    said.pop("")
    expected = {"system": "be kind", "user": TALK[1]["content"] + "more", "assistant": "yo\nman"}
    if name == "brackets":
        expected.pop("system")
    assert said == expected


def test_without_a_template_nobody_is_known_but_what_is_generated_is_the_assistant() -> None:
    known = tokenizer()
    reader = TokenReader(known)
    ids = known("the fox")["input_ids"]
    assert set(reader.read((torch.tensor([ids]),), {}).layouts[0].roles) == {""}
    grown = reader.read((torch.tensor([[*ids, 40]]),), {}).layouts[0].roles
    assert grown == ("",) * len(ids) + ("assistant",)
    other = reader.read((torch.tensor([[40, *ids]]),), {}).layouts[0].roles
    assert set(other) == {""}


def test_rules_for_what_the_assistant_generates(models: dict[str, Any]) -> None:
    model, known = models["llama"], tokenizer()
    rules = Rules().boost(Text("the"), 20, sender=Role("assistant"), id="late")
    plain = generated(model, None)
    cached, steering = generated(model, rules)
    whole, _ = generated(model, rules, use_cache=False)
    assert cached == whole
    assert cached != plain
    first = encoded()["input_ids"].shape[1]
    # The prompt's own rows are not the assistant's: the first token is the unsteered one.
    assert [row[first] for row in cached] == [row[first] for row in plain]
    assert steering.matched["late"].shown == ("the",)
    assert known.decode(cached[0]).startswith("<")
