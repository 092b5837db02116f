"""Thresholds: what a card promises is what the decision rule does at that threshold."""

from itertools import pairwise

import numpy as np
import pytest

from linnet.card import TriggerSettings
from linnet_export.trigger.calibrate import RATES, operating_points
from linnet_training.trigger.evaluate import detection_curve, outcome

STEPS, STEP_S = 200_000, 0.04
HOURS = STEPS * STEP_S / 3600
POSITIVES = [(start, start + 1.0) for start in np.arange(60.0, 8000.0, 120.0)]
TIMING = {"step_s": STEP_S, "refractory_s": 1.0}


def scores(seed, heard):
    """Scores of a stream: mostly low, high at most of the positives and at some other places."""
    rng = np.random.default_rng(seed)
    values = 0.3 * rng.random(STEPS) ** 4
    for _ in range(40):
        values[rng.integers(STEPS)] = rng.random() ** 2
    for _, end in POSITIVES:
        values[int(end / STEP_S) + 3] = rng.random() ** (1 / heard)
    return values.astype(np.float32)


def curve_of(values):
    return detection_curve(values, POSITIVES, hours=HOURS, most_false_alarms_per_hour=10.0, **TIMING)


def does(values, threshold):
    """False alarms per hour and miss rate of this threshold, as float32 like the runtime's."""
    result = outcome(values, POSITIVES, np.float32(threshold), **TIMING)
    return len(result.false_alarm_steps) / HOURS, result.miss_rate


@pytest.fixture(scope="module")
def clean():
    return scores(1, heard=8.0)


@pytest.fixture(scope="module")
def noisy():
    return scores(2, heard=3.0)


def test_one_condition_is_told_exactly(clean):
    points = operating_points({"clean": curve_of(clean)})
    assert len(points) > 4
    for point in points:
        rate, miss = does(clean, point.threshold)
        assert point.false_alarms_per_hour == rate
        assert point.miss_clean == point.miss_noise == miss


def test_false_alarms_rise_and_thresholds_fall(clean, noisy):
    points = operating_points({"clean": curve_of(clean), "10 dB": curve_of(noisy)})
    assert points[0].false_alarms_per_hour == 0
    rates = [point.false_alarms_per_hour for point in points]
    thresholds = [point.threshold for point in points]
    assert rates == sorted(set(rates))
    assert thresholds == sorted(set(thresholds), reverse=True)
    assert all(a.miss_noise >= b.miss_noise for a, b in pairwise(points))


def test_two_conditions_keep_what_is_promised(clean, noisy):
    for point in operating_points({"clean": curve_of(clean), "10 dB": curve_of(noisy)}):
        (clean_rate, clean_miss), (noisy_rate, noisy_miss) = (
            does(values, point.threshold) for values in (clean, noisy)
        )
        assert max(clean_rate, noisy_rate) <= point.false_alarms_per_hour + 1e-9
        assert clean_miss <= point.miss_clean + 1e-9
        assert noisy_miss <= point.miss_noise + 1e-9
        assert point.miss_clean - clean_miss < 0.05
        assert point.miss_noise - noisy_miss < 0.05


def test_each_rate_that_is_asked_for_is_kept_to(clean, noisy):
    points = operating_points({"clean": curve_of(clean), "10 dB": curve_of(noisy)})
    settings = TriggerSettings(
        keywords=("yes",),
        sample_rate=16_000,
        step_samples=640,
        chunk_samples=1280,
        smoothing_steps=1,
        refractory_s=1.0,
        default_false_alarms_per_hour=0.5,
        curves={"yes": points},
    )
    for rate in RATES:
        threshold = settings.threshold("yes", rate)
        assert max(does(values, threshold)[0] for values in (clean, noisy)) <= rate


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_detector_that_says_the_same_all_the_time(level):
    values = np.full(STEPS, level, np.float32)
    points = operating_points({"clean": curve_of(values)})
    for point in points:
        assert (point.false_alarms_per_hour, point.miss_clean) == does(values, point.threshold)


def test_a_perfect_detector_leaves_room_on_both_sides():
    values = np.full(STEPS, 0.1, np.float32)
    for _, end in POSITIVES:
        values[int(end / STEP_S)] = 0.9
    (point,) = operating_points({"clean": curve_of(values)})
    assert (point.false_alarms_per_hour, point.miss_clean) == (0, 0)
    assert 0.3 < point.threshold < 0.7
