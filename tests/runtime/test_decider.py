"""The rule that makes events of scores."""

import numpy as np
import pytest

from linnet.decider import Decider, Detection


def cuts(random, length, longest):
    """Random pieces of a range: slices of 0 to ``longest`` samples that follow each other."""
    start = 0
    while start < length:
        end = min(length, start + int(random.integers(0, longest + 1)))
        yield slice(start, end)
        start = end


def by_hand(scores, thresholds, refractory):
    """The decision rule, step by step: (step, column) of each event."""
    events = []
    for column, threshold in enumerate(thresholds):
        last, fallen = -refractory, True
        for step, score in enumerate(scores[:, column]):
            if score < threshold:
                fallen = True
            elif fallen and step - last >= refractory:
                events.append((step, column))
                last, fallen = step, False
    return sorted(events)


@pytest.mark.parametrize("refractory", [1, 3, 25])
def test_the_decision_rule_in_chunks_is_the_rule_step_by_step(random, refractory):
    for _ in range(30):
        scores = random.random((300, 3)).astype(np.float32) ** random.choice([0.3, 1, 4])
        thresholds = np.array([0.3, 0.6, 0.9], np.float32)
        decider = Decider("abc", thresholds, refractory_s=refractory * 0.04, step_s=0.04)
        events = []
        for piece in cuts(random, 300, int(random.choice([1, 2, 50, 300]))):
            events += decider.decide(scores[piece])
        assert events == [
            Detection("abc"[column], (step + 1) * 0.04, float(scores[step, column]))
            for step, column in by_hand(scores, thresholds, refractory)
        ]


def test_a_score_that_stays_high_is_one_event():
    decider = Decider(["word"], [0.5], refractory_s=1, step_s=0.04)
    high, low = np.full((200, 1), 0.9, np.float32), np.full((1, 1), 0.1, np.float32)
    assert len(decider.decide(high)) == 1
    assert decider.decide(high) == []
    assert decider.decide(low) == []
    assert [event.time_s for event in decider.decide(high)] == [pytest.approx(402 * 0.04)]
    decider.reset()
    assert [event.time_s for event in decider.decide(high)] == [pytest.approx(0.04)]


def test_a_score_equal_to_the_threshold_is_an_event():
    scores = np.array([[0.7]], np.float32)
    assert Decider(["word"], [0.7], refractory_s=1, step_s=0.04).decide(scores)


def test_a_threshold_above_1_never_fires():
    assert Decider(["word"], [1.0001], refractory_s=1, step_s=0.04).decide(np.ones((9, 1), np.float32)) == []
