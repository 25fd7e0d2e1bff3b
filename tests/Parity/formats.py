"""Writes the weights of one network in every form in which they are passed around.

    python3 formats.py FOLDER

FOLDER gets x.npy, y.npy (the logits) and the weights: by torch.save as it is today and as it was before 1.6, inside a
training script's checkpoint, of a network wrapped for several devices, as tensors that are views, as .npz and as a folder of .npy files.
"""

import os
import sys

import numpy as np
import torch

from models import MODELS

folder = sys.argv[1]
torch.manual_seed(0)
shape, build = MODELS["cifar10/resnet18-small"]
model = build().eval()
x = torch.randn(2, *shape)
np.save(os.path.join(folder, "x.npy"), x.numpy())
with torch.no_grad():
    np.save(os.path.join(folder, "y.npy"), model(x).numpy())

state = model.state_dict()
path = lambda name: os.path.join(folder, name)
torch.save(state, path("zip.pt"))
torch.save(state, path("older.pth"), _use_new_zipfile_serialization=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
torch.save({"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict(), "loss": 0.5}, path("checkpoint.pt"))
torch.save({"module." + name: tensor for name, tensor in state.items()}, path("parallel.pt"))
torch.save({name: torch.nn.Parameter(t) if t.is_floating_point() else t for name, t in state.items()}, path("parameters.pt"))
# Stored transposed, and seen through a view that turns it back.
turned = lambda t: t.permute(tuple(reversed(range(t.dim()))))
torch.save({name: turned(turned(t).contiguous()) for name, t in state.items()}, path("views.pt"))
torch.save({name: t.double() if t.is_floating_point() else t for name, t in state.items()}, path("double.pt"))
np.savez(path("arrays.npz"), **{name: t.numpy() for name, t in state.items()})
os.mkdir(path("arrays"))
for name, t in state.items():
    np.save(os.path.join(folder, "arrays", name + ".npy"), t.numpy())
torch.save(model, path("module.pt"))
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path("script.pt"))
