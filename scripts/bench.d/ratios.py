"""The statistics of paired windows: a trimmed mean of ratios, and how far it can be trusted."""
import math
import random


def trimmed_mean(values, share=0.2):
    """The mean without the `share` of the values that lies outermost at either end."""
    ordered = sorted(values)
    cut = int(len(ordered) * share)
    kept = ordered[cut:len(ordered) - cut] or ordered
    return sum(kept) / len(kept)


def paired_ratio(pairs, resamples=2000, seed=1):
    """[(with, without)] -> (ratio, low, high): the ratio's trimmed mean and its 95 % bootstrap interval."""
    logs = [math.log(with_it / without) for with_it, without in pairs if with_it > 0 and without > 0]
    if not logs:
        return float("nan"), float("nan"), float("nan")
    generator = random.Random(seed)
    means = sorted(trimmed_mean(generator.choices(logs, k=len(logs))) for _ in range(resamples))
    low, high = means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]
    return math.exp(trimmed_mean(logs)), math.exp(low), math.exp(high)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
