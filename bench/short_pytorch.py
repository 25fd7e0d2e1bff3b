"""The recipe of a cnnspec run on CIFAR-10, carried out by PyTorch: the same model, data, split size, augmentation, first
weights' distribution, optimizer, schedule and number of batches.

    python3 bench/short_pytorch.py RUN/network.json --model resnet --data FOLDER --seed 1

Prints one JSON line: test accuracy of the epoch with the best validation accuracy, and seconds of training. With --tuned it
runs channels-last under bfloat16 autocast, for time; without, in fp32 as people write it.
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
from torchvision import transforms

import models

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("description")
parser.add_argument("--model", required=True)
parser.add_argument("--data", required=True, help="folder with CIFAR-10's .bin files")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--tuned", action="store_true")
arguments = parser.parse_args()

with open(arguments.description) as file:
    description = json.load(file)
recipe = description["recipe"]
torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)


def read(*names):
    records = np.concatenate([np.fromfile(os.path.join(arguments.data, n), np.uint8).reshape(-1, 3073) for n in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


images, labels = read(*[f"data_batch_{i}.bin" for i in range(1, 6)])
test_images, test_labels = read("test_batch.bin")
order = torch.randperm(len(images))
held = recipe["data"]["validation"]
validation, training = order[:held], order[held:]
mean = torch.tensor(description["scaling"]["mean"]).view(3, 1, 1)
deviation = torch.tensor(description["scaling"]["deviation"]).view(3, 1, 1)
augment = transforms.Compose(
    [transforms.RandomHorizontalFlip(), transforms.RandomResizedCrop(32, scale=(0.8, 1.0), ratio=(0.9, 1.1))]
)


def scaled(batch):
    batch = (batch.float() / 255 - mean) / deviation
    return batch.to(memory_format=torch.channels_last) if arguments.tuned else batch


network = models.MODELS[arguments.model][1]()
mode = "fan_out" if "resnet" in arguments.model else "fan_in"
for module in network.modules():
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
if arguments.tuned:
    network = network.to(memory_format=torch.channels_last)
kind = recipe["optimizer"]
if kind["case"] == "Sgd":
    optimizer = torch.optim.SGD(network.parameters(), kind["learningRate"], kind["momentum"], weight_decay=kind["weightDecay"])
else:
    optimizer = torch.optim.AdamW(network.parameters(), kind["learningRate"], weight_decay=kind["weightDecay"])
cycle = recipe["schedule"]
assert cycle["case"] == "OneCycle"
steps = math.ceil(len(training) / recipe["batch"])
total = steps * recipe["epochs"]


def factor(step):
    """Up along a cosine from start to 1, then down to final."""
    def between(low, high, part):
        return low + (high - low) * 0.5 * (1 - math.cos(math.pi * part))
    progress = step / total
    if progress < cycle["rise"]:
        return between(cycle["start"], 1, progress / cycle["rise"])
    return between(1, cycle["final"], (progress - cycle["rise"]) / (1 - cycle["rise"]))


schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
criterion = nn.CrossEntropyLoss()


def accuracy(images, labels):
    network.eval()
    hits = 0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=arguments.tuned):
        for at in range(0, len(images), 250):
            hits += (network(scaled(images[at:at + 250])).argmax(1) == labels[at:at + 250]).sum().item()
    return hits / len(images)


best, best_test, seconds = -1.0, 0.0, 0.0
for epoch in range(recipe["epochs"]):
    network.train()
    start = time.perf_counter()
    for chosen in training[torch.randperm(len(training))].split(recipe["batch"]):
        batch = scaled(torch.stack([augment(images[i]) for i in chosen]))
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.tuned):
            logits = network(batch)
        criterion(logits.float(), labels[chosen]).backward()
        optimizer.step()
        schedule.step()
    seconds += time.perf_counter() - start
    reached = accuracy(images[validation], labels[validation])
    print(f"epoch {epoch + 1}: validation {reached:.4f}, {seconds:.0f} s", file=sys.stderr)
    if reached > best:
        best, best_test = reached, accuracy(test_images, test_labels)
print(json.dumps({"test_accuracy": best_test, "validation_accuracy": best, "seconds": seconds}))
