"""The classifiers of the traffic attack: a table of features in, areas under the curve out (bench/traffic/main.ts calls it).

Input on stdin, one JSON object a line:
  {"profile", "target", "kind": "two" | "many", "label": [...], "group": [...], "duration": [...], "file": path, "columns"}
`file` holds little-endian float64, a row a stream. Output: one JSON object a line.
Every classifier is trained on the very profile it is tested on, and never on a prompt it is tested on (two classes), or on
an answer it is tested on (which of fifty prompts).
"""
import json
import sys
import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
FOLDS = 5
RESAMPLES = 1000


def boosted(many):
    # Fifty classes at once are fifty boosters a round: fewer, shorter rounds say the same.
    return HistGradientBoostingClassifier(
        max_iter=8 if many else 120, max_leaf_nodes=8 if many else 15, learning_rate=0.15, random_state=1
    )


def logistic(_many):
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.1))


def forest(_many):
    return RandomForestClassifier(n_estimators=200, min_samples_leaf=2, n_jobs=1, random_state=1)


def auc(truth, scores, many):
    if not many:
        return roc_auc_score(truth, scores[:, 1])
    return roc_auc_score(truth, scores, multi_class="ovr", average="macro", labels=np.arange(scores.shape[1]))


def per_class_auc(truth, scores):
    """Macro one-versus-rest by ranks; quicker than the library's for many resamples."""
    total, count = 0.0, 0
    for label in range(scores.shape[1]):
        positive = truth == label
        if positive.all() or not positive.any():
            continue
        total += binary_auc(positive, scores[:, label])
        count += 1
    return total / max(1, count)


def binary_auc(positive, scores):
    order = np.argsort(scores, kind="mergesort")
    values = scores[order]
    ranks = np.empty(len(scores))
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    ends = np.r_[starts[1:], len(values)]
    ranks[order] = np.repeat((starts + ends + 1) / 2.0, ends - starts)
    positives = positive.sum()
    return (ranks[positive].sum() - positives * (positives + 1) / 2.0) / (positives * (len(scores) - positives))


def folds(job, labels, groups):
    if job["kind"] == "many":
        count = min(FOLDS, int(np.bincount(labels).min()))
        return StratifiedKFold(count, shuffle=True, random_state=1).split(labels, labels)
    return StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1).split(labels, labels, groups)


def interval(parts, many, generator):
    """Resamples the streams within each fold; the mean over folds, each time."""
    means = []
    for _ in range(100 if many else RESAMPLES):
        areas = []
        for truth, scores in parts:
            chosen = generator.integers(0, len(truth), len(truth))
            picked = truth[chosen]
            if len(np.unique(picked)) < 2:
                continue
            areas.append(
                per_class_auc(picked, scores[chosen]) if many else binary_auc(picked == 1, scores[chosen, 1])
            )
        means.append(np.mean(areas))
    return [float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))]


def attack(job):
    table = np.fromfile(job["file"], dtype="<f8").reshape(-1, job["columns"])[np.array(job["rows"])]
    labels = np.array(job["label"])
    groups = np.array(job["group"])
    many = job["kind"] == "many"
    duration = np.array(job["duration"], dtype=float).reshape(-1, 1)
    splits = list(folds(job, labels, groups))
    generator = np.random.default_rng(1)
    kinds = [("boosted trees", boosted, table), ("logistic regression", logistic, table)]
    if many:
        kinds.append(("random forest", forest, table))
    kinds.append(("duration alone", forest if many else boosted, duration))
    result = {}
    for name, create, features in kinds:
        # What never changes teaches nothing, and costs time.
        features = features[:, features.std(axis=0) > 0]
        parts = []
        for train, test in splits:
            if features.shape[1] == 0:
                scores = np.full((len(test), labels.max() + 1), 0.5)
            else:
                model = create(many).fit(features[train], labels[train])
                scores = model.predict_proba(features[test])
            parts.append((labels[test], scores))
        area = float(np.mean([per_class_auc(t, s) if many else binary_auc(t == 1, s[:, 1]) for t, s in parts]))
        result[name] = {"auc": area, "interval": interval(parts, many, generator)}
    return {"profile": job["profile"], "target": job["target"], "streams": len(labels), "result": result}


for line in sys.stdin:
    if line.strip():
        print(json.dumps(attack(json.loads(line))), flush=True)
