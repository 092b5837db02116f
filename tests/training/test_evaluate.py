"""The count of misses and false alarms, against a plain second implementation and cases done by hand."""

import numpy as np
import pytest

from linnet.decider import Decider
from linnet_training.trigger import evaluate

STEP_S = 0.04


def count_by_hand(scores, positives, threshold, refractory_s):
    """Misses and false alarms of one threshold, step by step, as the module's docstring defines them."""
    found, false_alarms, last, armed = set(), 0, -np.inf, True
    for step, score in enumerate(scores):
        time = (step + 1) * STEP_S
        if not score >= threshold:
            armed = True
        elif armed and time - last >= refractory_s - 1e-9:
            last, armed = time, False
            inside = [
                i for i, (start, end) in enumerate(positives) if start - 1e-9 <= time <= end + 0.5 + 1e-9
            ]
            if inside:
                found.add(inside[-1])
            else:
                false_alarms += 1
    return len(positives) - len(found), false_alarms


def curve_of(scores, positives, hours=1.0, refractory_s=1.0):
    """The curve of a few float32 scores, 40 ms apart."""
    scores = np.asarray(scores, dtype=np.float32)
    return evaluate.detection_curve(scores, positives, step_s=STEP_S, refractory_s=refractory_s, hours=hours)


def bumps(length, **at):
    """Scores of 0 with single steps raised: bumps(100, s40=0.9) puts 0.9 at step 40."""
    scores = np.zeros(length, dtype=np.float32)
    for name, score in at.items():
        scores[int(name[1:])] = score
    return scores


@pytest.mark.parametrize("refractory_s", [0.04, 0.3, 1.0])
@pytest.mark.parametrize("ties", [False, True])
def test_every_point_is_what_a_plain_replay_counts(refractory_s, ties):
    random = np.random.default_rng(7)
    scores = random.random(4000).astype(np.float32) ** 8
    if ties:
        scores = np.round(scores, 1)
    starts = random.choice(np.arange(0, 150, 6), size=8, replace=False) + random.random(8)
    positives = [(start, start + random.uniform(0.2, 3.0)) for start in starts]
    curve = curve_of(scores, positives, hours=0.05, refractory_s=refractory_s)
    for i, threshold in enumerate(curve.thresholds):
        misses, false_alarms = count_by_hand(scores, sorted(positives), np.float32(threshold), refractory_s)
        assert curve.miss_rate[i] * 8 == pytest.approx(misses)
        assert curve.false_alarms_per_hour[i] * 0.05 == pytest.approx(false_alarms)


@pytest.mark.parametrize("refractory_s", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_events_are_those_the_runtime_reports(refractory_s, threshold):
    random = np.random.default_rng(11)
    scores = np.convolve(random.random(3000), np.ones(9) / 9, "same").astype(np.float32) ** 4 * 10
    scores[500:600] = 1.0  # stays above the threshold for longer than the refractory time
    decider = Decider(["yes"], [threshold], refractory_s=refractory_s, step_s=STEP_S)
    heard = [round(event.time_s / STEP_S) - 1 for event in decider.decide(scores[:, np.newaxis])]
    steps = evaluate.refractory_steps(refractory_s, STEP_S)
    assert evaluate.events(scores, threshold, steps).tolist() == heard


def test_the_curve_starts_with_silence_and_its_thresholds_fall():
    curve = curve_of(np.ones(500), [(4.0, 5.0)])  # every score ties at the very top
    assert curve.false_alarms_per_hour[0] == 0
    assert curve.miss_rate[0] == 1
    assert (np.diff(curve.thresholds) < 0).all()
    assert curve.miss_at(0) == 1
    assert curve.threshold_at(0) > 1


def test_no_false_alarm_is_reached_where_it_can_be():
    curve = curve_of(bumps(500, s110=0.9, s300=0.2), [(4.0, 5.0)])
    assert curve.miss_at(0) == 0
    assert 0.2 < curve.threshold_at(0) <= 0.9
    assert curve.threshold_at(0) == pytest.approx(0.55, abs=0.02)  # as far from the one as from the other


def test_hindsight_trades_misses_for_false_alarms():
    positives = [(4.0, 5.0), (10.0, 11.0)]
    curve = curve_of(bumps(500, s110=0.9, s260=0.3, s350=0.5), positives, hours=2.0)
    assert curve.miss_at(0) == 0.5
    assert curve.miss_at(0.49) == 0.5
    assert curve.miss_at(0.5) == 0
    assert curve.threshold_at(0.5) <= np.float32(0.3)
    assert (curve.positives, curve.hours) == (2, 2.0)


def test_the_window_of_a_positive_ends_half_a_second_after_it():
    # step 136 ends at 5.48 s, step 137 at 5.52 s
    assert curve_of(bumps(500, s136=0.9), [(4.0, 5.0)]).miss_at(0) == 0
    late = curve_of(bumps(500, s137=0.9), [(4.0, 5.0)])
    assert late.miss_at(1) == 1
    assert late.false_alarms_per_hour[late.thresholds > 0.5].max() == 1


def test_a_second_event_inside_a_positive_is_neither_a_hit_nor_a_false_alarm():
    result = evaluate.outcome(
        bumps(500, s110=0.9, s140=0.8, s300=0.7),
        [(4.0, 7.0), (9.0, 10.0)],
        0.5,
        step_s=STEP_S,
        refractory_s=1.0,
    )
    assert result.hits.tolist() == [True, False]
    assert result.miss_rate == 0.5
    assert result.event_steps.tolist() == [110, 140, 300]
    assert result.false_alarm_steps.tolist() == [300]


def test_one_event_cannot_find_two_positives():
    neighbours = [(5.2, 6.0), (4.0, 5.0)]  # not in order; the tolerance of the first reaches into the second
    result = evaluate.outcome(bumps(500, s131=0.9), neighbours, 0.5, step_s=STEP_S, refractory_s=1.0)
    assert result.hits.tolist() == [False, True]


def test_nan_never_fires():
    scores = bumps(500, s110=0.9)
    scores[200:300] = np.nan
    assert curve_of(scores, [(4.0, 5.0)]).miss_at(0) == 0
    assert curve_of(np.full(500, np.nan), [(4.0, 5.0)]).miss_at(100) == 1


@pytest.mark.parametrize("case", ["no positives", "no scores", "no hours", "several keywords"])
def test_a_curve_of_nothing_is_refused(case):
    scores = {"no scores": np.zeros(0), "several keywords": np.zeros((9, 2))}.get(case, np.zeros(500))
    positives = [] if case == "no positives" else [(4.0, 5.0)]
    with pytest.raises(ValueError, match="at least one positive"):
        curve_of(scores, positives, hours=0.0 if case == "no hours" else 1.0)


def test_a_rate_below_nothing_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        curve_of(np.zeros(500), [(4.0, 5.0)]).miss_at(-0.1)


def test_the_curve_does_not_go_on_for_ever():
    random = np.random.default_rng(1)
    curve = curve_of(random.random(90_000), [(4.0, 5.0)])
    assert len(curve.thresholds) < 250
    assert curve.false_alarms_per_hour[-1] >= 20


def test_events_are_those_of_the_runtime():
    random = np.random.default_rng(0)
    for _ in range(50):
        width = int(random.integers(1, 30))
        smooth = np.convolve(random.random(400), np.ones(width) / width, "same").astype(np.float32)
        threshold, refractory = np.float32(random.random()), int(random.integers(1, 30))
        decider = Decider(["word"], [threshold], refractory_s=refractory * 0.04, step_s=0.04)
        heard = [round(event.time_s / 0.04) - 1 for event in decider.decide(smooth[:, None])]
        assert heard == list(evaluate.events(smooth, threshold, refractory))
