"""LeNet-5 on MNIST in the usual PyTorch way: torchvision's dataset and transforms, a DataLoader, an eager loop.

Prints one JSON line: images per second over whole epochs, data loading included, and the test accuracy.
The recipe is that of specs/mnist/lenet5.cnn.
"""

import argparse
import json
import os
import tempfile
import time

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True, help="folder with the four IDX files")
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--workers", type=int, default=0, help="processes of the DataLoader")
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
torch.manual_seed(1)

# torchvision looks for <root>/MNIST/raw.
root = tempfile.mkdtemp()
os.makedirs(os.path.join(root, "MNIST"))
os.symlink(os.path.abspath(arguments.data), os.path.join(root, "MNIST", "raw"))
transform = transforms.Compose([transforms.Pad(2), transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train = datasets.MNIST(root, train=True, transform=transform)
test = datasets.MNIST(root, train=False, transform=transform)
batches = DataLoader(train, batch_size=arguments.batch, shuffle=True, num_workers=arguments.workers)

network = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 120), nn.ReLU(),
    nn.Linear(120, 84), nn.ReLU(),
    nn.Linear(84, 10),
)
optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=0.05, epochs=arguments.epochs, steps_per_epoch=len(batches)
)
criterion = nn.CrossEntropyLoss()

rates = []
for epoch in range(arguments.epochs):
    network.train()
    start = time.perf_counter()
    loss_sum = correct = seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        logits = network(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.item() * len(labels)
        correct += (logits.argmax(1) == labels).sum().item()
        seen += len(labels)
    rates.append(seen / (time.perf_counter() - start))

network.eval()
with torch.no_grad():
    hits = sum(
        (network(images).argmax(1) == labels).sum().item() for images, labels in DataLoader(test, batch_size=250)
    )
rates = rates[1:] or rates  # the first epoch warms up
print(json.dumps({"images_per_second": sorted(rates)[len(rates) // 2], "test_accuracy": hits / len(test)}))
