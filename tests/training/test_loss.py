"""The loss: one detection in the window after the word's end, silence elsewhere."""

import pytest
import torch

from linnet_training.trigger.loss import (
    EARLY_STEPS,
    LATE_STEPS,
    embedding_loss,
    keyword_loss,
    worst_score,
)

STEPS, END = 80, 40


def scores(at=None, column=0, height=6.0):
    """Logits of one example with two keywords, (1, STEPS, 2): low, but for one step."""
    logits = torch.full((1, STEPS, 2), -4.0)
    if at is not None:
        logits[0, at, column] = height
    return logits


def loss(logits, keyword=0, end=END, **settings):
    return keyword_loss(logits, torch.tensor([keyword]), torch.tensor([end]), **settings)


def gradient(keyword):
    """What the loss asks of each step, (STEPS, 2): negative is to score higher."""
    logits = (
        -1.0 + 0.1 * torch.randn(1, STEPS, 2, generator=torch.Generator().manual_seed(1))
    ).requires_grad_()
    loss(logits, keyword).backward()
    return logits.grad[0]


def test_steps_soon_after_the_end_are_pushed_up_and_far_ones_down():
    wanted = gradient(keyword=0)[:, 0]
    window = slice(END - EARLY_STEPS, END + LATE_STEPS + 1)
    assert wanted[window].sum() < 0
    assert (wanted[: END - 20] > 0).all()
    assert (wanted[END + 30 :] > 0).all()
    assert wanted[END - EARLY_STEPS - 1] == 0  # nobody can say whether the word has ended yet
    assert wanted[END + LATE_STEPS + 1] == 0


def test_other_keywords_and_other_speech_are_pushed_down_everywhere():
    assert (gradient(keyword=0)[:, 1] > 0).all()
    assert (gradient(keyword=-1) > 0).all()


@pytest.mark.parametrize("late", [-EARLY_STEPS, 0, 5, LATE_STEPS])
def test_one_detection_in_the_window_is_enough(late):
    assert loss(scores(END + late)) < 0.5 * loss(scores())
    assert abs(loss(scores(END + late)) - loss(scores(END))) < 1e-4


@pytest.mark.parametrize("step", [0, END - 20, END + 30, STEPS - 1])
def test_firing_at_another_time_is_worse_than_not_firing(step):
    assert loss(scores(step)) > loss(scores()) + 0.5


def test_firing_without_a_word_or_for_another_one_is_worse_than_not_firing():
    assert loss(scores(END), keyword=-1) > loss(scores(), keyword=-1) + 0.5
    assert loss(scores(END, column=1), keyword=0) > loss(scores(), keyword=0) + 0.5


def test_the_weight_of_a_missed_word():
    light, heavy = (loss(scores(), positive_weight=weight) for weight in (1.0, 3.0))
    assert heavy > 2 * light
    assert loss(scores(), -1, positive_weight=1.0) == loss(scores(), -1, positive_weight=3.0)


@pytest.mark.parametrize("end", [0, 1, STEPS - 1])
def test_words_at_the_edges(end):
    logits = scores().requires_grad_()
    value = loss(logits, end=end)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


def test_the_mean_over_examples():
    each = [loss(scores(END)), loss(scores(3), keyword=-1)]
    together = keyword_loss(
        torch.cat([scores(END), scores(3)]), torch.tensor([0, -1]), torch.tensor([END, 0])
    )
    torch.testing.assert_close(together, sum(each) / 2)


def test_the_worst_score_is_of_columns_that_should_be_silent():
    logits = torch.cat([scores(3, column=0), scores(3, column=1), scores(3, column=1)])
    worst = worst_score(logits, torch.tensor([0, 0, -1]))
    assert worst.tolist() == [-4.0, 6.0, 6.0]


def test_embeddings_count_where_they_are_known():
    predicted = torch.zeros(1, 4, 3, requires_grad=True)
    embedding = torch.ones(1, 4, 3) * torch.tensor([1.0, 2.0, 30.0, 40.0])[None, :, None]
    value = embedding_loss(predicted, embedding, torch.tensor([[True, True, False, False]]))
    assert value.item() == pytest.approx((1 + 4) / 2)
    value.backward()
    assert (predicted.grad[0, 2:] == 0).all()
    assert embedding_loss(predicted, embedding, torch.zeros(1, 4, dtype=torch.bool)).item() == 0
