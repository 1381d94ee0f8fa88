"""Makes nn/testdata/layers.json: PyTorch's layers on small inputs, float64.

Made with Python 3.11, PyTorch 2.15.0:

    python tools/golden/nn.py nn/testdata/layers.json

Inputs are symmetric("x." + case) in NHWC, parameters fill(name), the loss is
the sum of output times symmetric("w." + case). Outputs and gradients are in
NHWC, parameters' gradients in PyTorch's layout.
"""

import json
import sys

import torch
import torch.nn.functional as F
from formula import fill, symmetric


def tensor(name, shape):
    n = torch.Size(shape).numel()
    return torch.from_numpy(symmetric(name, n).astype("float32")).double().reshape(shape)


def standardise(w):
    mean = w.mean((1, 2, 3), keepdim=True)
    return (w - mean) / torch.sqrt(w.var((1, 2, 3), unbiased=False, keepdim=True) + 1e-10)


CONV = {"weight": (5, 3, 3, 3)}
AFFINE = lambda c: {"weight": (c,), "bias": (c,)}
BATCH = lambda c: {"weight": (c,), "bias": (c,), "running_mean": (c,), "running_var": (c,)}

# name: input shape (NHWC or NC), parameters, function
CASES = {
    "conv/stride": ((2, 7, 6, 3), CONV, lambda x, p: F.conv2d(x, p["weight"], stride=2, padding=1)),
    "conv/dilation": ((2, 7, 6, 3), CONV, lambda x, p: F.conv2d(x, p["weight"], padding=2, dilation=2)),
    "conv/standardized": ((2, 7, 6, 3), CONV, lambda x, p: F.conv2d(x, standardise(p["weight"]), padding=1)),
    "linear": ((4, 3), {"weight": (5, 3), "bias": (5,)}, lambda x, p: F.linear(x, p["weight"], p["bias"])),
    "batch/train": ((3, 2, 3, 4), BATCH(4), lambda x, p: F.batch_norm(
        x, p["running_mean"], p["running_var"], p["weight"], p["bias"], True, 0.1, 1e-5)),
    "batch/eval": ((3, 2, 3, 4), BATCH(4), lambda x, p: F.batch_norm(
        x, p["running_mean"], p["running_var"], p["weight"], p["bias"], False, 0.1, 1e-5)),
    "batch/flat": ((6, 4), BATCH(4), lambda x, p: F.batch_norm(
        x, p["running_mean"], p["running_var"], p["weight"], p["bias"], True, 0.1, 1e-5)),
    "group": ((2, 2, 3, 64), AFFINE(64), lambda x, p: F.group_norm(x, 32, p["weight"], p["bias"])),
    "group/flat": ((3, 48), AFFINE(48), lambda x, p: F.group_norm(x, 3, p["weight"], p["bias"])),
    "layer": ((2, 2, 3, 6), AFFINE(6), lambda x, p: F.group_norm(x, 1, p["weight"], p["bias"])),
    "layer/flat": ((3, 6), AFFINE(6), lambda x, p: F.layer_norm(x, (6,), p["weight"], p["bias"])),
    "relu": ((2, 5), {}, lambda x, p: F.relu(x)),
    "maxpool": ((2, 7, 6, 3), {}, lambda x, p: F.max_pool2d(F.relu(x), 3, 2, 1)),
    "average": ((2, 3, 2, 4), {}, lambda x, p: x.mean((2, 3))),
    "normalize": ((3, 5), {}, lambda x, p: F.normalize(x)),
}


def run(name):
    shape, shapes, function = CASES[name]
    x = tensor("x." + name, shape)
    if name == "normalize":
        x[1] = 0
    x.requires_grad_()
    parameters = {}
    for key, s in shapes.items():
        fan_in = 3 if name == "linear" else 0
        parameters[key] = torch.from_numpy(fill("layer." + key, s, fan_in)).double()
        if not key.startswith("running"):
            parameters[key].requires_grad_()
    nchw = x.permute(0, 3, 1, 2) if x.ndim == 4 else x
    y = function(nchw, parameters)
    y = y.permute(0, 2, 3, 1).contiguous() if y.ndim == 4 else y
    weights = torch.from_numpy(symmetric("w." + name, y.numel())).reshape(y.shape)
    (y * weights).sum().backward()
    out = {"shape": list(shape), "output": y.reshape(-1).tolist(), "input": x.grad.reshape(-1).tolist(),
           "gradients": {k: p.grad.reshape(-1).tolist() for k, p in parameters.items() if p.requires_grad},
           "statistics": {k: p.reshape(-1).tolist() for k, p in parameters.items() if not p.requires_grad}}
    return out


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


if __name__ == "__main__":
    with open(sys.argv[1], "w") as f:
        json.dump({name: rounded(run(name)) for name in CASES}, f)
        f.write("\n")
