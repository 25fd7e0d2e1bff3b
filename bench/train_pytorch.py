"""A network of tests/Parity/models.py trained by PyTorch on random images that lie in memory: eager, as people write it.

Prints one JSON line: images per second in training (forward, loss, backward, optimizer step) and in evaluation, and the
processor time of a step, medians over windows of steps, and the peak of resident memory while training.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "Parity"))

import torch
from torch import nn

import models

WINDOWS, WARMUP, SHORTEST_WINDOW = 5, 0.5, 0.1  # seconds, as in cnnspec's Throughput.cs

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model", help="as in models.MODELS: resnet, mnist/convnet")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("--optimizer", choices=["sgd", "adamw"], default="sgd")
parser.add_argument("--channels-last", action="store_true")
parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
parser.add_argument("--frozen", action="store_true", help="evaluation by a frozen TorchScript")
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
torch.manual_seed(1)
shape, make = models.MODELS[arguments.model]
network = make().to(arguments.device)
images = torch.rand(arguments.batch, *shape, device=arguments.device)
labels = torch.randint(0, 10, (arguments.batch,), device=arguments.device)
if arguments.channels_last:
    network, images = network.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
if arguments.optimizer == "sgd":
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
else:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
criterion = nn.CrossEntropyLoss()


def train():
    optimizer.zero_grad()
    with torch.autocast(arguments.device, torch.bfloat16, enabled=arguments.bf16):
        logits = network(images)
    loss = criterion(logits.float(), labels)
    loss.backward()
    optimizer.step()
    loss.item()


def repeat(step, least, shortest):
    start, count = time.perf_counter(), 0
    while count < least or time.perf_counter() - start < shortest:
        step()
        count += 1
    if arguments.device == "cuda":
        torch.cuda.synchronize()
    return count


def rate(step):
    repeat(step, 2, WARMUP)
    seconds, processor = [], []
    windows = min(WINDOWS, arguments.steps)
    for window in range(windows):
        start, busy = time.perf_counter(), time.process_time()
        count = repeat(step, arguments.steps * (window + 1) // windows - arguments.steps * window // windows, SHORTEST_WINDOW)
        seconds.append((time.perf_counter() - start) / count)
        processor.append((time.process_time() - busy) / count)
    return arguments.batch / statistics.median(seconds), statistics.median(processor)


training, training_processor = rate(train)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
network.eval()
with torch.no_grad():
    answer = network
    if arguments.frozen:
        answer = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, images)))
    with torch.autocast(arguments.device, torch.bfloat16, enabled=arguments.bf16):
        inference, inference_processor = rate(lambda: answer(images))
print(json.dumps({"training": training, "training_processor_seconds": training_processor,
                  "inference": inference, "inference_processor_seconds": inference_processor,
                  "peak_memory_bytes": peak}))
