"""Whole epochs with data loading: `cnnspec train` against the same recipe in PyTorch with a DataLoader (recipe_pytorch.py)."""

import statistics
import sys

from networks import NETWORKS, Training


def rate(result):
    """Images a second; the first epoch is warm-up."""
    return statistics.median(epoch["images_per_second"] for epoch in result["epochs"][1:])


def compare(name, repeats, epochs, limit):
    """One dict for each repeat. Of PyTorch's DataLoader with 0 and with 2 worker processes the better one counts."""
    limit = limit or NETWORKS[name].limit
    options = ["--epochs", str(epochs), *(["--limit", str(limit)] if limit else [])]
    runs = []
    for repeat in range(repeats):
        with Training(name, *options) as training:
            theirs = {workers: training.by_pytorch("--workers", str(workers)) for workers in (0, 2)}
            workers = max(theirs, key=lambda one: rate(theirs[one]))
            ours, best = training.result, theirs[workers]
        runs.append({"cnnspec": rate(ours), "pytorch": rate(best), "pytorch_workers": workers, "ratio": rate(ours) / rate(best),
                     "cnnspec_accuracy": ours["test_accuracy"], "pytorch_accuracy": best["test_accuracy"]})
        print(f"{name}, run {repeat + 1}: cnnspec {rate(ours):,.0f} images/s, PyTorch {rate(best):,.0f} ({workers} workers), "
              f"ratio {runs[-1]['ratio']:.2f}", file=sys.stderr)
    return runs


def summary(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def table(name, found, repeats):
    return "\n".join([f"{name:16}{'images/s':>12}{'test accuracy':>16}",
                      f"{'cnnspec':16}{found['cnnspec']:>12,.0f}{found['cnnspec_accuracy']:>16.4f}",
                      f"{'PyTorch':16}{found['pytorch']:>12,.0f}{found['pytorch_accuracy']:>16.4f}",
                      f"ratio (median of {repeats}): {found['ratio']:.2f}"])
