"""Makes optim/testdata/optim.json: five steps of PyTorch's optimisers.

Made with Python 3.11, PyTorch 2.15.0, in float64:

    python tools/golden/optim.py optim/testdata/optim.json

Parameters, gradients and rates are those of optim/optim_test.go. Biases and
norm parameters are not decayed unless DecayAll is set.
"""

import json
import sys

import torch
from formula import symmetric

SHAPES = {"weight": (3, 4), "zero": (2, 2), "bias": (4,), "norm.weight": (4,)}
STEPS = 5


def start(name):
    shape = SHAPES[name]
    values = torch.from_numpy(symmetric(name, torch.Size(shape).numel())).reshape(shape)
    return values * 0 if name == "zero" else values


def gradient(name, k):
    shape = SHAPES[name]
    values = torch.from_numpy(symmetric(f"{name}.{k}", torch.Size(shape).numel())).reshape(shape)
    return values * 0 if name == "zero" and k < 2 else values


def run(config):
    parameters = {name: torch.nn.Parameter(start(name)) for name in SHAPES}
    decay = config.get("WeightDecay", 0)
    groups = [{"params": [p], "weight_decay": decay if p.ndim > 1 or config.get("DecayAll") else 0}
              for p in parameters.values()]
    if config["Name"] == "sgd":
        optimiser = torch.optim.SGD(groups, lr=0.1, momentum=config.get("Momentum", 0),
                                    nesterov=config.get("Nesterov", False))
    else:
        optimiser = torch.optim.AdamW(groups, lr=0.1, betas=(config["Beta1"], config["Beta2"]), eps=config["Epsilon"])
    for k in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 0.1 * k / STEPS
        for name, p in parameters.items():
            p.grad = gradient(name, k)
        optimiser.step()
    return {"config": config, "values": {n: p.detach().reshape(-1).tolist() for n, p in parameters.items()}}


if __name__ == "__main__":
    cases = [run(c) for c in (
        {"Name": "sgd"},
        {"Name": "sgd", "Momentum": 0.9, "WeightDecay": 0.01},
        {"Name": "sgd", "Momentum": 0.9, "WeightDecay": 0.01, "Nesterov": True, "DecayAll": True},
        {"Name": "adamw", "WeightDecay": 0.05, "Beta1": 0.9, "Beta2": 0.999, "Epsilon": 1e-8},
        {"Name": "adamw", "WeightDecay": 0.05, "Beta1": 0.8, "Beta2": 0.9, "Epsilon": 1e-3, "DecayAll": True},
    )]
    with open(sys.argv[1], "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")
