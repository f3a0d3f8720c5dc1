#!/usr/bin/env python3
"""What scikit-learn and scipy make of seeded random answers: measures.py > tests/corpus/golden/measures.json

The tests compare the measures of `src/eval/` with it. Needs numpy, scikit-learn and scipy."""

import json

import numpy as np
from scipy import stats
from sklearn import calibration, metrics

BINS = 15


def labels(random, rows, kinds, noise):
    names = [f"label_{kind}" for kind in range(kinds)]
    known = random.integers(0, kinds, rows)
    said = np.where(random.random(rows) < noise, random.integers(0, kinds, rows), known)
    known, said = [names[i] for i in known], [names[i] for i in said]
    occurring = sorted(set(known))
    each = metrics.precision_recall_fscore_support(known, said, labels=occurring, zero_division=0)
    average = {name: metrics.f1_score(known, said, labels=occurring, average=name, zero_division=0) for name in ("macro", "weighted")}
    return {
        "known": known,
        "said": said,
        "accuracy": metrics.accuracy_score(known, said),
        "macro_f1": average["macro"],
        "micro_f1": metrics.f1_score(known, said, average="micro", zero_division=0),
        "weighted_f1": average["weighted"],
        "labels": {name: [float(part[i]) for part in each[:3]] + [int(each[3][i])] for i, name in enumerate(occurring)},
        "confusions": [
            [known_name, said_name, int(count)]
            for known_name, row in zip(sorted({*known, *said}), metrics.confusion_matrix(known, said))
            for said_name, count in zip(sorted({*known, *said}), row)
            if count and known_name != said_name
        ],
    }


def scores(random, rows, digits):
    positive = random.random(rows) < 0.3
    # float32 as the engine's scores are, and rounded so that some are tied.
    score = np.round(np.clip(random.normal(0.4 + 0.25 * positive, 0.2), 0.001, 0.999), digits).astype(np.float32)
    alarm, recall, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    return {
        "score": [float(value) for value in score],
        "positive": positive.tolist(),
        "auroc": metrics.roc_auc_score(positive, score),
        "recall_at": {str(bound): float(recall[alarm <= bound].max()) for bound in (0.01, 0.05, 0.1)},
    }


def confidence(random, rows):
    score = random.random(rows).astype(np.float32)
    right = random.random(rows) < score**1.5
    accuracy, mean = calibration.calibration_curve(right, score, n_bins=BINS)
    counts = np.histogram(score, bins=np.linspace(0, 1, BINS + 1))[0]
    filled = counts[counts > 0]
    return {
        "bins": BINS,
        "score": [float(value) for value in score],
        "right": right.tolist(),
        "counts": counts.tolist(),
        "accuracy": accuracy.tolist(),
        "confidence": mean.tolist(),
        "error": float((np.abs(accuracy - mean) * filled).sum() / filled.sum()),
    }


def series(random, rows, digits):
    known = np.round(random.uniform(-1, 1, rows), digits)
    said = np.round(np.clip(known + random.normal(0, 0.5, rows), -1, 1), 3)
    return {
        "known": known.tolist(),
        "said": said.tolist(),
        "pearson": float(stats.pearsonr(known, said)[0]),
        "spearman": float(stats.spearmanr(known, said)[0]),
    }


def main():
    random = np.random.default_rng(7)
    percentiles = random.normal(0, 1, 41)
    splits = [(0, 1), (3, 9), (12, 12), (25, 40), (118, 61), (1000, 1100)]
    golden = {
        "labels": [labels(random, 40, 4, 0.4), labels(random, 120, 9, 0.25), labels(random, 12, 10, 0.9)],
        "scores": [scores(random, 60, 6), scores(random, 90, 1)],
        "confidence": [confidence(random, 200), confidence(random, 9)],
        "series": [series(random, 50, 3), series(random, 60, 0)],
        "mcnemar": [[fixed, broken, stats.binomtest(fixed, fixed + broken).pvalue] for fixed, broken in splits],
        "interval": {"values": percentiles.tolist(), "low": float(np.percentile(percentiles, 2.5)), "high": float(np.percentile(percentiles, 97.5))},
    }
    print(json.dumps(golden))


if __name__ == "__main__":
    main()
