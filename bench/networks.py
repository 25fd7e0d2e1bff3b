"""The networks that are measured: one table for compare and results."""

import collections
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# spec below specs/ (and model in tests/Parity/models.py), the recipe to run (None: the first), its data set, the optimizer
# of single steps, how many of them make a run, and images of an epoch that is measured (None: all)
Network = collections.namedtuple("Network", "spec recipe data optimizer steps limit")

NETWORKS = {
    "lenet5": Network("mnist/lenet5", None, "mnist", "sgd", 200, None),
    "convnet": Network("mnist/convnet", None, "mnist", "sgd", 200, None),
    "fashion-lenet": Network("fashion-mnist/lenet", None, "fashion-mnist", "sgd", 200, None),
    "resnet": Network("resnet", "short", "cifar10", "sgd", 15, 12800),
    "preact-resnet": Network("preact-resnet", "short", "cifar10", "sgd", 15, 12800),
    "googlenet": Network("googlenet", "short", "cifar10", "adamw", 5, 2560),
    "densenet": Network("densenet", "short", "cifar10", "adamw", 5, 2560),
}


def run(command, environment=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def data_folder(name):
    cache = os.environ.get("CNNSPEC_DATA") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cnnspec", "data"
    )
    folder = os.path.join(cache, name)
    if not os.path.isdir(folder):
        sys.exit(f"{name} is not in the cache: run ./cnnspec data get {name}")
    return folder


class Training:
    """The recipe of a network carried out by cnnspec, and then by PyTorch as often as asked."""

    def __init__(self, name, *options):
        self.network = NETWORKS[name]
        self.folder = tempfile.TemporaryDirectory()
        out = os.path.join(self.folder.name, "run")
        recipe = ["--recipe", self.network.recipe] if self.network.recipe else []
        text = run([os.path.join(ROOT, "cnnspec"), "train", os.path.join(ROOT, "specs", self.network.spec + ".cnn"), *recipe,
                    *options, "--device", "cpu", "--out", out])
        self.description = os.path.join(out, "network.json")
        with open(os.path.join(out, "metrics.jsonl")) as file:
            epochs = [json.loads(line) for line in file]
        self.result = {"test_accuracy": float(text.strip().rsplit(" ", 1)[1]), "epochs": epochs}

    def by_pytorch(self, *options):
        """Its test accuracy and epochs, by bench/recipe_pytorch.py."""
        command = ["/usr/bin/python3", os.path.join(ROOT, "bench", "recipe_pytorch.py"), self.description, "--model",
                   self.network.spec, "--data", data_folder(self.network.data), *options]
        return json.loads(run(command))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()
