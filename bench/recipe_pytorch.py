"""The recipe of a cnnspec run carried out by PyTorch as people write it: a Dataset with torchvision's transforms, a DataLoader,
an eager loop; the same hand-written model (tests/Parity/models.py), data, size of the validation split, augmentation, distribution
of the first weights, optimizer, schedule and number of batches.

    python3 bench/recipe_pytorch.py RUN/network.json --model resnet --data FOLDER --seed 1

Prints one JSON line: the test accuracy at the epoch of the best validation accuracy (of the last epoch where nothing is held
out), and of each epoch the training accuracy, seconds, and images a second with loading. With --tuned it runs channels-last
under bfloat16 autocast; without, in float32.
"""

import argparse
import json
import math
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "Parity"))

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import models

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("description")
parser.add_argument("--model", required=True, help="as in models.MODELS: resnet, mnist/convnet")
parser.add_argument("--data", required=True, help="folder with CIFAR-10's .bin files or MNIST's IDX files")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--workers", type=int, default=0, help="processes of the DataLoader")
parser.add_argument("--tuned", action="store_true")
arguments = parser.parse_args()

with open(arguments.description) as file:
    description = json.load(file)
recipe, limit = description["recipe"], description["limit"]
torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)


# ── Data ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def file_bytes(name):
    return np.fromfile(os.path.join(arguments.data, name), np.uint8)


def cifar(*names):
    records = np.concatenate([file_bytes(name).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


def idx(name):
    images = file_bytes(f"{name}-images-idx3-ubyte")[16:].reshape(-1, 1, 28, 28).copy()
    return torch.from_numpy(images), torch.from_numpy(file_bytes(f"{name}-labels-idx1-ubyte")[8:].astype(np.int64))


def transform(kind, size):
    if kind["case"] == "HorizontalFlip":
        return transforms.RandomHorizontalFlip(kind["probability"])
    if kind["case"] == "ResizedCrop":
        return transforms.RandomResizedCrop(
            size, scale=(kind["smallest"], kind["largest"]), ratio=(kind["narrowest"], kind["widest"])
        )
    sys.exit(f"no transform is written for {kind}")


class Images(Dataset):
    def __init__(self, images, labels, augment):
        steps = list(augment)
        margin = (description["program"]["input"][1] - images.shape[-1]) // 2
        if margin > 0:
            steps.append(transforms.Pad(margin))
        steps.append(transforms.ConvertImageDtype(torch.float32))
        if description["scaling"]:
            steps.append(transforms.Normalize(description["scaling"]["mean"], description["scaling"]["deviation"]))
        self.images, self.labels, self.transform = images, labels, transforms.Compose(steps)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]


if recipe["data"]["name"] == "cifar10":
    train, test = cifar(*[f"data_batch_{i}.bin" for i in range(1, 6)]), cifar("test_batch.bin")
else:
    train, test = idx("train"), idx("t10k")
order = torch.randperm(len(train[0]))
held = recipe["data"]["validation"]
chosen = order[held:][:limit] if limit else order[held:]
augment = [transform(kind, train[0].shape[2:]) for kind in recipe["augment"]]
training = Images(train[0][chosen], train[1][chosen], augment)
validation = Images(train[0][order[:held]], train[1][order[:held]], []) if held else None
test = Images(*test, [])
batches = DataLoader(training, recipe["batch"], shuffle=True, num_workers=arguments.workers)

# ── Network ──────────────────────────────────────────────────────────────────────────────────────────────────────────

network = models.MODELS[arguments.model][1]()
parameters = dict(network.named_parameters())
with torch.no_grad():
    for weight in (weight for node in description["program"]["nodes"] for weight in node["weights"] if weight["learnt"]):
        values, rule = parameters[weight["name"]], weight["initialiser"]
        if rule == "UniformByFanIn":
            continue  # what PyTorch gave it already
        fan = "fan_out" if rule.get("fanOut") else "fan_in"
        {
            "Constant": lambda: nn.init.constant_(values, rule["item"]),
            "Normal": lambda: nn.init.normal_(values, rule["mean"], rule["deviation"]),
            "XavierUniform": lambda: nn.init.xavier_uniform_(values, rule["gain"]),
            "KaimingNormal": lambda: nn.init.kaiming_normal_(values, rule["a"], fan),
            "KaimingUniform": lambda: nn.init.kaiming_uniform_(values, rule["a"], fan),
        }[rule["case"]]()
if arguments.tuned:
    network = network.to(memory_format=torch.channels_last)

kind = recipe["optimizer"]
if kind["case"] == "Sgd":
    optimizer = torch.optim.SGD(network.parameters(), kind["learningRate"], kind["momentum"], weight_decay=kind["weightDecay"])
elif kind["case"] == "AdamW":
    optimizer = torch.optim.AdamW(network.parameters(), kind["learningRate"], weight_decay=kind["weightDecay"])
else:
    sys.exit(f"no optimizer is written for {kind}")

cycle = recipe["schedule"]
if cycle != "ConstantRate" and cycle["case"] != "OneCycle":
    sys.exit(f"no schedule is written for {cycle}")


def factor(step):
    """Up along a cosine from start to 1, then down to final, as torch.optim.lr_scheduler.OneCycleLR."""
    def between(low, high, part):
        return low + (high - low) * 0.5 * (1 - math.cos(math.pi * part))
    if cycle == "ConstantRate":
        return 1.0
    last = len(batches) * recipe["epochs"] - 1
    peak = cycle["rise"] * (last + 1) - 1
    if step <= peak:
        return between(cycle["start"], 1, step / peak)
    return between(1, cycle["final"], (step - peak) / (last - peak))


schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
criterion = nn.CrossEntropyLoss()

# ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def logits_of(images):
    if arguments.tuned:
        images = images.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=arguments.tuned):
        return network(images).float()


def accuracy(images):
    network.eval()
    with torch.no_grad():
        hits = sum((logits_of(batch).argmax(1) == labels).sum().item() for batch, labels in DataLoader(images, 256))
    return hits / len(images)


best, best_test, epochs = -1.0, 0.0, []
for epoch in range(recipe["epochs"]):
    network.train()
    start, hits = time.perf_counter(), 0
    for images, labels in batches:
        optimizer.zero_grad()
        logits = logits_of(images)
        criterion(logits, labels).backward()
        optimizer.step()
        schedule.step()
        hits += (logits.argmax(1) == labels).sum().item()
    seconds = time.perf_counter() - start
    epochs.append({"train_accuracy": hits / len(training), "seconds": seconds, "images_per_second": len(training) / seconds})
    reached = accuracy(validation) if validation else float(epoch)
    print(f"epoch {epoch + 1}: {epochs[-1]}, validation {reached:.4f}", file=sys.stderr)
    if reached > best and (validation or epoch + 1 == recipe["epochs"]):
        best, best_test = reached, accuracy(test)
print(json.dumps({"test_accuracy": best_test, "epochs": epochs}))
