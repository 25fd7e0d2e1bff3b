"""Writes what PyTorch makes of a network: its weights, an input, and its outputs in evaluation and in training mode.

    python3 reference.py SPEC FOLDER

FOLDER gets weights.safetensors, x.npy, eval.npy, train.npy, after.safetensors (the batch statistics after the forward pass
in training mode, which changes nothing else), and shapes.json (by name of each layer with weights, the shapes without the batch
of what it takes and of what it gives in training mode).
"""

import json
import os
import struct
import sys

import numpy as np
import torch
import torchvision
from torch import nn

from models import MODELS


def save(path, tensors):
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())


spec, folder = sys.argv[1:]
torch.manual_seed(0)
torch.set_num_threads(2)
shape, build = MODELS[spec]
model = build()
# Statistics and normalisation weights that are not 0 and 1, so that a mix-up would show.
for module in model.modules():
    if isinstance(module, nn.BatchNorm2d):
        module.running_mean.normal_(0, 0.1)
        module.running_var.uniform_(0.5, 1.5)
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.normal_(module.bias, 0, 0.1)
    if isinstance(module, (nn.Dropout, torchvision.ops.StochasticDepth)):
        module.p = 0.0
# Batch norm over the two values of a 1×1 map and two images would turn on their last digits.
x = torch.randn(4, *shape)

shapes = {}
for name, module in model.named_modules():
    if next(module.parameters(recurse=False), None) is not None:
        module.register_forward_hook(
            lambda _, given, made, name=name: shapes.update({name: [list(given[0].shape[1:]), list(made.shape[1:])]})
        )

save(os.path.join(folder, "weights.safetensors"), model.state_dict())
np.save(os.path.join(folder, "x.npy"), x.numpy())
with torch.no_grad():
    model.eval()
    np.save(os.path.join(folder, "eval.npy"), model(x).numpy())
    model.train()
    output = model(x)
    logits, heads = (output[0], output[1:]) if isinstance(output, tuple) else (output, ())
    np.save(os.path.join(folder, "train.npy"), logits.numpy())
    for index, head in enumerate(heads):
        np.save(os.path.join(folder, f"head{index}.npy"), head.numpy())
save(os.path.join(folder, "after.safetensors"), dict(model.named_buffers()))
with open(os.path.join(folder, "shapes.json"), "w") as file:
    json.dump(shapes, file)
print(sum(p.numel() for p in model.parameters()))
