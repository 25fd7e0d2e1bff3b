"""Reads what `cnnspec export` wrote, as PyTorch's, NumPy's and ONNX's users do. Prints the names of the weights.

    exports.py FOLDER
"""

import sys
from pathlib import Path

import numpy
import onnx
import torch

folder = Path(sys.argv[1])
state = torch.load(folder / "net.pth", weights_only=True)
arrays = numpy.load(folder / "net.npz")
assert list(arrays) == list(state), (list(arrays), list(state))
for name, tensor in state.items():
    array = arrays[name]
    assert tensor.is_contiguous() and not tensor.requires_grad, name
    assert array.dtype == tensor.numpy().dtype and array.shape == tuple(tensor.shape), name
    assert (array == tensor.numpy()).all(), name
    print(name)
for model in sorted(folder.glob("*.onnx")):
    # By its path: weights that lie beside it are found from there.
    onnx.checker.check_model(str(model), full_check=True)
