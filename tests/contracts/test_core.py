"""The core against the oracle: every question, every case, every dtype, as absolute values."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests import oracle
from tests.contracts.cases import (
    CASES,
    DTYPES,
    Case,
    case,
    naive_parts,
    naives,
    numpy64,
    oracle_answers,
    truths,
)
from zhuyi import AttentionMatrix, Mask, Statistics, attend, attend_and_summarize
from zhuyi.errors import BackendUnavailable, MatrixTooLarge
from zhuyi.testing import answers, assert_close_to_oracle, naive_answers, summary_answers

every_case = pytest.mark.parametrize("name", CASES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def matrix_of(one: Case) -> AttentionMatrix:
    return AttentionMatrix(one.query, one.key, **one.options)


@every_dtype
@every_case
def test_every_answer_of_the_matrix(name: str, dtype: str) -> None:
    one, (_, truth), (_, naive) = case(name, dtype), truths(name, dtype), naives(name, dtype)
    found = answers(matrix_of(one), one.probe)
    assert found.keys() == truth.keys() == naive.keys()
    wide = torch.float64 if dtype == "float64" else torch.float32
    for question, answer in found.items():
        assert answer.dtype == wide, question
        assert_close_to_oracle(answer, truth[question], naive[question], name=question)


@every_dtype
@every_case
def test_one_pass_gives_the_same_answers(name: str, dtype: str) -> None:
    one, (_, truth), (_, naive) = case(name, dtype), truths(name, dtype), naives(name, dtype)
    for question, answer in summary_answers(matrix_of(one), one.probe).items():
        assert_close_to_oracle(answer, truth[question], naive[question], name=question)


@pytest.mark.parametrize("backend", [None, "fused", "streaming"])
@every_dtype
@every_case
def test_output(name: str, dtype: str, backend: str | None) -> None:
    one, (truth, asked), (naive, asked_naive) = (
        case(name, dtype),
        truths(name, dtype),
        naives(name, dtype),
    )
    if backend == "fused" and {"softcap", "sink"} & one.options.keys():
        # Options that fused kernels lack are refused, never dropped.
        with pytest.raises(BackendUnavailable, match=r"softcap|sink"):
            attend(one.query, one.key, one.value, **one.options, backend=backend)
        return
    output, matrix = attend(one.query, one.key, one.value, **one.options, backend=backend)
    assert output.dtype == one.query.dtype
    assert_close_to_oracle(output, truth.output, naive["output"], name="output")
    # The matrix that comes beside an output may have learned from the kernel.
    assert_close_to_oracle(matrix.lse(), truth.lse, naive["lse"], name="lse")
    assert_close_to_oracle(
        matrix.received(), asked["received"], asked_naive["received"], name="received"
    )


@every_dtype
@every_case
def test_output_and_statistics_in_one_pass(name: str, dtype: str) -> None:
    one, (truth, asked), (naive, asked_naive) = (
        case(name, dtype),
        truths(name, dtype),
        naives(name, dtype),
    )
    statistics = Statistics(entropy=True, max=True, distance=True, lse=True)
    output, summary = attend_and_summarize(
        one.query, one.key, one.value, statistics=statistics, **one.options
    )
    assert output.dtype == one.query.dtype
    assert_close_to_oracle(output, truth.output, naive["output"], name="output")
    for question in ("lse", "received", "entropy", "max", "distance"):
        answer = getattr(summary, question)
        assert_close_to_oracle(answer, asked[question], asked_naive[question], name=question)


@every_case
def test_rows_that_do_not_count(name: str) -> None:
    one, (truth, _), (naive, _) = (
        case(name, "float32"),
        truths(name, "float32"),
        naives(name, "float32"),
    )
    B, _, Q, _ = matrix_of(one).shape
    row_keep = torch.arange(Q).expand(B, Q) % 3 != 1
    rows = oracle.rows(row_keep.numpy())
    counted = oracle.Truth(
        scores=truth.scores,
        weights=truth.weights * rows,
        output=truth.output,
        lse=np.where(rows[..., 0], truth.lse, np.inf),
    )
    asked = oracle_answers(counted, one.probe)
    budget = naive_answers(
        {**naive, "weights": naive["weights"] * torch.from_numpy(rows)}, one.probe
    )
    budget["lse"] = naive["lse"].where(torch.from_numpy(rows[..., 0]), torch.inf)
    output, summary = attend_and_summarize(
        one.query,
        one.key,
        one.value,
        statistics=Statistics(
            entropy=True, max=True, distance=True, lse=True, pooled=one.probe.cells
        ),
        row_keep=row_keep,
        **one.options,
    )
    assert_close_to_oracle(output, truth.output, naive["output"], name="output of every row")
    for question in ("lse", "received", "entropy", "max", "distance"):
        answer = getattr(summary, question)
        assert_close_to_oracle(answer, asked[question], budget[question], name=question)
    assert_close_to_oracle(summary.pooled, asked["pooled_max"], budget["pooled_max"], name="pooled")


@every_dtype
@every_case
def test_what_is_masked_is_exactly_zero(name: str, dtype: str) -> None:
    one, (truth, _) = case(name, dtype), truths(name, dtype)
    matrix = matrix_of(one)
    unseen = torch.from_numpy(np.isneginf(truth.scores))
    assert bool((matrix.weights()[unseen] == 0).all())
    assert bool(torch.isneginf(matrix.scores()[unseen]).all())
    dead = unseen.all(-1)
    output = attend(one.query, one.key, one.value, **one.options).output
    assert bool((output[dead] == 0).all())
    assert bool((matrix.entropy()[dead] == 0).all())
    assert bool((matrix.lse()[dead] == torch.inf).all())
    never = unseen.all(-2)
    assert bool((matrix.received()[never] == 0).all())


@every_case
def test_blocks_are_parts_of_the_whole(name: str) -> None:
    one, (truth, _), (naive, _) = (
        case(name, "float32"),
        truths(name, "float32"),
        naives(name, "float32"),
    )
    matrix = matrix_of(one)
    Q, K = matrix.shape[2:]
    picks: list[tuple[slice | torch.Tensor, slice | None]] = [
        (slice(Q // 2, Q), slice(0, K // 2 + 1)),
        (slice(0, 1), None),
        (torch.tensor([Q - 1, 0]), slice(K // 2, K)),
    ]
    for rows, cols in picks:
        columns = slice(None) if cols is None else cols
        for question, block in (
            ("scores", matrix.scores(rows=rows, cols=cols)),
            ("weights", matrix.weights(rows=rows, cols=cols)),
        ):
            # Put in its place in the truth, so that the budget is the whole array's.
            whole = torch.from_numpy(getattr(truth, question).copy()).float()
            whole[:, :, rows, columns] = block
            assert_close_to_oracle(
                whole, getattr(truth, question), naive[question], name=f"{question} {rows} {cols}"
            )


@every_case
def test_products_take_a_matrix_for_each_query_head(name: str) -> None:
    one, (truth, _), (naive, _) = (
        case(name, "float32"),
        truths(name, "float32"),
        naives(name, "float32"),
    )
    matrix = matrix_of(one)
    B, H, _, K = matrix.shape
    right = torch.linspace(-1, 2, B * H * K * 2).reshape(B, H, K, 2)
    expected = np.einsum("bhij,bhjd->bhid", truth.weights, numpy64(right))
    assert_close_to_oracle(matrix @ right, expected, naive["weights"] @ right, name="per head")
    shared = right[:1, :1] if B else torch.ones(1, 1, K, 2)
    expected = np.einsum("bhij,jd->bhid", truth.weights, numpy64(shared)[0, 0])
    assert_close_to_oracle(matrix @ shared, expected, naive["weights"] @ shared, name="shared")


@every_case
def test_a_selected_matrix_answers_for_its_part(name: str) -> None:
    one, (_, truth), (_, naive) = (
        case(name, "float32"),
        truths(name, "float32"),
        naives(name, "float32"),
    )
    matrix = matrix_of(one)
    B, H = matrix.shape[:2]
    picks: list[tuple[list[int] | int | None, list[int] | int | None]] = [
        (None, [H - 1, 0]),
        (None, H - 1),
    ]
    picks += [(B - 1, None), ([B - 1, 0], [0])] if B else []
    for batch, heads in picks:
        part = matrix.select(batch=batch, heads=heads)
        at_batch = list(range(B)) if batch is None else [batch] if isinstance(batch, int) else batch
        at_head = list(range(H)) if heads is None else [heads] if isinstance(heads, int) else heads
        found = {
            "weights": part.weights(),
            "lse": part.lse(),
            "received": part.received(),
            "entropy": part.entropy(),
        }
        for question, answer in found.items():
            # Put in its place in the truth, so that the budget is the whole array's.
            whole = torch.from_numpy(truth[question].copy()).float()
            whole[torch.tensor(at_batch, dtype=torch.long)[:, None], torch.tensor(at_head)] = answer
            assert_close_to_oracle(
                whole, truth[question], naive[question], name=f"{question} of {batch}, {heads}"
            )


@every_case
def test_gradients_are_those_of_the_dense_formula(name: str) -> None:
    """Recomputed gradients in float64 equal autograd through the stored weights."""
    one = case(name, "float64")
    probe = one.probe

    def gradients(ask: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
        query, key = (t.clone().requires_grad_() for t in (one.query, one.key))
        answer = ask(query, key)
        direction = torch.linspace(-1, 2, answer.numel(), dtype=torch.float64).view_as(answer)
        return list(torch.autograd.grad((answer * direction).sum(), (query, key)))

    for question in ("received", "received_weighted", "product", "transposed_product", "entropy"):

        def lazy(query: torch.Tensor, key: torch.Tensor, question: str = question) -> torch.Tensor:
            matrix = AttentionMatrix(query, key, **one.options)
            return {
                "received": matrix.received,
                "received_weighted": lambda: matrix.received(probe.row_weights),
                "product": lambda: matrix @ probe.right,
                "transposed_product": lambda: matrix.T @ probe.left,
                "entropy": matrix.entropy,
            }[question]()

        def dense(query: torch.Tensor, key: torch.Tensor, question: str = question) -> torch.Tensor:
            weights = naive_parts(one, query=query, key=key)["weights"]
            if question == "entropy":
                # xlogy has no gradient at 0, where the weight itself has none either.
                logs = weights.clamp(min=1e-300).log()
                return -(weights * logs).sum(-1)
            return naive_answers({**naives(name, "float64")[0], "weights": weights}, probe)[
                question
            ]

        for side, found, expected in zip(("query", "key"), gradients(lazy), gradients(dense)):
            torch.testing.assert_close(
                found, expected, rtol=0, atol=1e-10, msg=f"{question} in {side}"
            )


@every_case
def test_views_as_models_make_them(name: str) -> None:
    """Heads split off a [B, L, H D] projection give strided tensors; answers are the same."""
    one, (truth, asked), (naive, asked_naive) = (
        case(name, "float32"),
        truths(name, "float32"),
        naives(name, "float32"),
    )
    query, key, value = (
        t.transpose(1, 2).contiguous().transpose(1, 2) for t in (one.query, one.key, one.value)
    )
    output, matrix = attend(query, key, value, **one.options)
    assert_close_to_oracle(output, truth.output, naive["output"], name="output")
    assert_close_to_oracle(
        matrix.received(), asked["received"], asked_naive["received"], name="received"
    )


def test_materialize_refuses_above_the_limit() -> None:
    matrix = matrix_of(case("causal", "float32"))
    size = 4 * matrix.shape[0] * matrix.shape[1] * matrix.shape[2] * matrix.shape[3]
    assert torch.equal(matrix.materialize(limit_bytes=size), matrix.weights())
    with pytest.raises(MatrixTooLarge, match="limit_bytes"):
        matrix.materialize(limit_bytes=size - 1)


# --- the broken twins: the plausible mistakes, each of which the grid must notice --------------

Parts = dict[str, torch.Tensor]


def broken(name: str, **changes: object) -> Parts:
    """The answers of a case computed with other arguments."""
    one = case(name, "float32")
    return naive_answers(naive_parts(one, **changes), one.probe)


def heads_interleaved() -> Parts:
    one = case("grouped", "float32")
    repeats = one.query.shape[1] // one.key.shape[1]
    return broken("grouped", key=one.key.repeat(1, repeats, 1, 1))


def bias_before_softcap() -> Parts:
    one = case("everything", "float32")
    softcap = one.extra.options["softcap"]
    bias = torch.from_numpy(one.extra.dense_bias).float()
    plain = naive_parts(one, bias=None, keep=None, softcap=None)["scores"]
    capped = softcap * torch.tanh((plain + bias) / softcap)
    capped = capped.masked_fill(~torch.from_numpy(np.array(one.extra.keep)), -torch.inf)
    return naive_answers({**naives("everything", "float32")[0], "scores": capped}, one.probe)


def changed(name: str, question: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Parts:
    answered = naives(name, "float32")[1]
    return {**answered, question: change(answered[question])}


TWINS: dict[str, tuple[str, str, Callable[[], Parts]]] = {
    "scale forgotten": ("plain", "weights", lambda: broken("plain", scale=1.0)),
    "heads grouped the wrong way": ("grouped", "weights", heads_interleaved),
    "causal by one too many": (
        "causal",
        "weights",
        lambda: broken("causal", keep=torch.from_numpy(oracle.causal(7, 7, 1))),
    ),
    "cache forgotten": (
        "causal_with_cache",
        "weights",
        lambda: broken("causal_with_cache", keep=torch.from_numpy(oracle.causal(3, 9))),
    ),
    "padding forgotten": ("padding", "weights", lambda: broken("padding", keep=None)),
    "padding rows counted": (
        "padding_rows",
        "received",
        lambda: broken(
            "padding_rows", keep=torch.from_numpy(case("padding", "float32").extra.keep)
        ),
    ),
    "bias forgotten": ("bias_per_key", "weights", lambda: broken("bias_per_key", bias=None)),
    "bias before softcap": ("everything", "scores", bias_before_softcap),
    "softcap forgotten": ("softcap", "weights", lambda: broken("softcap", softcap=None)),
    "sink forgotten": ("sink", "lse", lambda: broken("sink", sink=None)),
    "sink counted in the entropy": (
        "sink",
        "entropy",
        lambda: changed("sink", "entropy", lambda e: e + 1e-3),
    ),
    "means for sums": ("plain", "received", lambda: changed("plain", "received", lambda r: r / 7)),
    "bits for nats": (
        "plain",
        "entropy",
        lambda: changed("plain", "entropy", lambda e: e / 0.6931),
    ),
    "dead rows NaN": (
        "dead_rows",
        "entropy",
        lambda: changed("dead_rows", "entropy", lambda e: e.masked_fill(e == 0, torch.nan)),
    ),
    "dead rows with a finite normalizer": (
        "dead_rows",
        "lse",
        lambda: changed("dead_rows", "lse", lambda x: x.nan_to_num(posinf=1e30)),
    ),
    "dead rows spread evenly": (
        "dead_rows",
        "weights",
        lambda: changed("dead_rows", "weights", lambda w: w.where(w.sum(-1, True) > 0, 1 / 7)),
    ),
    "weakest first": ("plain", "topk", lambda: changed("plain", "topk", lambda t: t.flip(-1))),
    "mean for max": (
        "plain",
        "pooled_max",
        lambda: {**(a := naives("plain", "float32")[1]), "pooled_max": a["pooled_mean"]},
    ),
    "distance without the cache": (
        "causal_with_cache",
        "distance",
        lambda: changed("causal_with_cache", "distance", lambda d: (d - 6).abs()),
    ),
    "accumulated in half precision": (
        "long",
        "received",
        lambda: changed("long", "received", lambda r: r.half().float()),
    ),
    "off in the last block only": (
        "long",
        "received",
        lambda: changed("long", "received", lambda r: r + 1e-5 * (torch.arange(141) > 139)),
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_mistake_is_noticed(twin: str) -> None:
    name, question, answer = TWINS[twin]
    (_, truth), (_, naive) = truths(name, "float32"), naives(name, "float32")
    assert_close_to_oracle(naive[question], truth[question], naive[question])
    with pytest.raises(AssertionError):
        assert_close_to_oracle(answer()[question], truth[question], naive[question])


def test_a_budget_from_a_wrong_yardstick_is_refused() -> None:
    truth = np.array([1.0, 2.0])
    with pytest.raises(AssertionError, match="naive result itself"):
        assert_close_to_oracle(torch.tensor([1.0, 2.0]), truth, torch.tensor([1.0, 9.0]))


def test_another_shape_is_refused() -> None:
    with pytest.raises(AssertionError, match="shape"):
        assert_close_to_oracle(torch.ones(2, 1), np.ones(2), torch.ones(2))


def test_mask_and_bias_builders_say_the_same_as_the_oracle() -> None:
    """The two descriptions of a case agree entry by entry, so the grid compares like with like."""
    compared = 0
    for name in CASES:
        one = case(name, "float32")
        shape = matrix_of(one).shape
        whole = slice(0, shape[2]), slice(0, shape[3])
        if isinstance(one.extra.mask, Mask):
            block = one.extra.mask.block(*whole).expand(shape)
            expected = np.broadcast_to(one.extra.keep, shape)
            np.testing.assert_array_equal(block.numpy(), expected, err_msg=name)
            compared += 1
        if one.extra.bias is not None:
            block = one.extra.bias.block(*whole).expand(shape)
            expected = np.broadcast_to(one.extra.dense_bias, shape)
            np.testing.assert_allclose(numpy64(block), expected, rtol=0, atol=2e-6, err_msg=name)
            compared += 1
    assert compared > 25
